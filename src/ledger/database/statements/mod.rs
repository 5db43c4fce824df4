//! The ledger's set statements: each reads or changes all rows of a batch at once, on every database.
//!
//! A query answers `place` for each row that it finds: the position, from 0, of the given row that it belongs to.

pub mod encode;
mod owners;
mod run;
pub mod set_statement;

pub use owners::owners;
pub use run::{Pipeline, execute, query};
use set_statement::{OnConflict, SetStatement, bytes, int, text};

/// The owner whose account of the asset `k.asset` the name `k.name` leads to. What holds for the asset counts before what holds for those
/// without a row of their own; their rows stand beside each other, so that one look finds either.
macro_rules! owner {
    () => {
        "COALESCE((SELECT n.owner FROM identity n WHERE n.name = k.name AND n.asset IN (k.asset, '') \
         ORDER BY n.asset DESC LIMIT 1), k.name)"
    };
}

/// Names of accounts → the accounts that exist, under their owners' first names. Locks them, in the order of their ids.
pub static ACCOUNTS: SetStatement = SetStatement::locking_query(
    &[text("asset"), text("name")],
    "k.place, a.id, a.owner, a.balance, a.last_seq, a.income_seq, a.last_at, {hex:a.head}",
    concat!(
        "FROM {k} {join} account a ON a.asset = k.asset AND a.owner = ",
        owner!()
    ),
    ("account", "a"),
);

/// Ids of accounts → their lots. `ACCOUNTS` cannot answer them: a query that waited for a lock reads the locked row as it is by
/// then, but every other row as it was before the wait.
pub static LOTS: SetStatement = SetStatement::query(
    &[int("account_id")],
    "k.place, l.expires_at, l.remaining",
    "FROM {k} {join} lot l ON l.account_id = k.account_id",
);

/// Owners' accounts → the ids of those that exist.
pub static ACCOUNT_IDS: SetStatement = SetStatement::query(
    &[text("asset"), text("owner")],
    "k.place, a.id",
    "FROM {k} {join} account a ON a.owner = k.owner AND a.asset = k.asset",
);

/// Names of accounts → where they lead for this asset, and for those without a row of their own.
pub static IDENTITIES: SetStatement = SetStatement::query(
    &[text("asset"), text("name")],
    "k.place, n.asset, n.owner",
    "FROM {k} {join} identity n ON n.name = k.name AND n.asset IN (k.asset, '')",
);

/// Owners, by the names that their accounts stand under → the scopes of those that are frozen. It comes after the locks of `ACCOUNTS`,
/// so that it sees every freeze that was there before them.
pub static FROZEN_OWNERS: SetStatement = SetStatement::query(
    &[text("owner")],
    "k.place, f.scope",
    "FROM {k} {join} frozen_owner f ON f.owner = k.owner",
);

/// Owners, and as parameters the asset and the time (ms) → the points of the accounts that exist, without those that have
/// expired. It does not look up second names: few owners have one, and the look-up would cost all of them.
pub static BALANCES: SetStatement = SetStatement::query(
    &[text("owner")],
    "k.place, a.balance - CASE WHEN a.next_expiry <= p.now THEN \
     (SELECT COALESCE(SUM(l.remaining), 0) FROM lot l WHERE l.account_id = a.id AND l.expires_at <= p.now) \
     ELSE 0 END",
    "FROM {k} {join} account a ON a.owner = k.owner AND a.asset = {text2} CROSS JOIN (SELECT {int3} AS now) p",
);

/// Parts of histories → for each account that exists the expiry of its first lot, and `total`, or the number of its entries if that is
/// null, with each of its entries whose position before the last one, which has 0, is from `low` to `high`; without an entry if there is none.
pub static PAGE: SetStatement = SetStatement::query(
    &[
        text("name"),
        text("asset"),
        int("low"),
        int("high"),
        int("total"),
    ],
    "a.next_expiry, COALESCE(k.total, a.last_seq), e.seq, e.at, e.reason, e.amount, e.balance_after, e.direction, e.direction_seq, \
     e.reference, e.message",
    concat!(
        "FROM {k} {join} account a ON a.asset = k.asset AND a.owner = ",
        owner!(),
        " LEFT JOIN entry e ON e.account_id = a.id \
         AND e.seq BETWEEN COALESCE(k.total, a.last_seq) - k.high AND COALESCE(k.total, a.last_seq) - k.low"
    ),
);

/// As [`PAGE`], of the entries of one direction.
pub static PAGE_OF: SetStatement = SetStatement::query(
    &[
        text("name"),
        text("asset"),
        int("low"),
        int("high"),
        int("total"),
        int("direction"),
    ],
    "a.next_expiry, a.total, e.seq, e.at, e.reason, e.amount, e.balance_after, e.direction, e.direction_seq, e.reference, e.message",
    concat!(
        "FROM (SELECT a.id, a.next_expiry, k.low, k.high, k.direction, \
         COALESCE(k.total, CASE k.direction WHEN 1 THEN a.income_seq ELSE a.last_seq - a.income_seq END) AS total \
         FROM {k} {join} account a ON a.asset = k.asset AND a.owner = ",
        owner!(),
        ") a LEFT JOIN entry e ON e.account_id = a.id AND e.direction = a.direction \
         AND e.direction_seq BETWEEN a.total - a.high AND a.total - a.low"
    ),
);

/// Idempotency keys → the fingerprint, the answer and the amount of each that has been used.
pub static IDEMPOTENCY_RECORDS: SetStatement = SetStatement::query(
    &[bytes("idempotency_key")],
    "k.place, {hex:e.fingerprint}, e.idempotency_balance, e.amount",
    "FROM {k} {join} entry e ON e.idempotency_key = k.idempotency_key",
);

/// Keys of orders → the entries that spent on them and gave back.
pub static ORDER_ENTRIES: SetStatement = SetStatement::query(
    &[bytes("order_key")],
    "k.place, e.seq, e.at, e.lots",
    "FROM {k} {join} entry e ON e.order_key = k.order_key",
);

/// Nonces → those that have been spent, with the fingerprints of the requests that spent them.
pub static NONCES: SetStatement = SetStatement::query(
    &[int("at"), bytes("nonce_key")],
    "k.place, {hex:n.fingerprint}",
    "FROM {k} {join} nonce n ON n.at = k.at AND n.nonce_key = k.nonce_key",
);

/// Ends and keys of allowances → what has been used of those that exist. Locks them, in the order of their ids.
pub static ALLOWANCES: SetStatement = SetStatement::locking_query(
    &[int("expires_at"), bytes("allowance_key")],
    "k.place, a.used",
    "FROM {k} {join} credit_allowance a ON a.expires_at = k.expires_at AND a.allowance_key = k.allowance_key",
    ("credit_allowance", "a"),
);

/// Keys of actions → those that are recorded: whether they scored, and what they were, with the key of that once it is erased.
pub static RECORDED_ACTIONS: SetStatement = SetStatement::query(
    &[bytes("action_key")],
    "k.place, a.scored, {hex:a.identity_key}, a.token, a.owner, a.name, a.other, a.object",
    "FROM {k} {join} action a ON a.action_key = k.action_key",
);

/// An owner's actions of a name, from `low` to before `high` (ms) → how many of them scored.
pub static LIMIT_COUNTS: SetStatement = SetStatement::query(
    &[text("owner"), text("name"), int("low"), int("high")],
    "k.place, (SELECT COUNT(*) FROM action a \
     WHERE a.owner = k.owner AND a.name = k.name AND a.at >= k.low AND a.at < k.high AND a.scored = 1)",
    "FROM {k}",
);

/// Inserts new accounts.
pub static ADD_ACCOUNTS: SetStatement = SetStatement::insert(
    "account",
    &[
        text("asset"),
        text("owner"),
        int("balance"),
        int("last_seq"),
        int("income_seq"),
        int("last_at"),
        int("next_expiry"),
        bytes("head"),
    ],
);

/// Changes accounts.
pub static SET_ACCOUNTS: SetStatement = SetStatement::update(
    "account",
    &[
        int("id"),
        int("balance"),
        int("last_seq"),
        int("income_seq"),
        int("last_at"),
        int("next_expiry"),
        bytes("head"),
    ],
    &["id"],
    &["asset", "owner"],
);

/// Adds entries; one whose idempotency key has been used fails the statement.
pub static ADD_ENTRIES: SetStatement = SetStatement::insert(
    "entry",
    &[
        int("account_id"),
        int("seq"),
        int("at"),
        int("reason"),
        int("amount"),
        int("balance_after"),
        text("contra"),
        int("direction"),
        int("direction_seq"),
        text("reference"),
        text("message"),
        int("operator"),
        bytes("hash"),
        bytes("idempotency_key"),
        bytes("fingerprint"),
        int("idempotency_balance"),
        int("version"),
        int("recorded_at"),
        int("origin_id"),
        text("request_id"),
        text("lots"),
        bytes("order_key"),
    ],
);

/// Inserts new lots.
pub static ADD_LOTS: SetStatement = SetStatement::insert(
    "lot",
    &[int("account_id"), int("expires_at"), int("remaining")],
);

/// Changes what lots hold.
pub static SET_LOTS: SetStatement = SetStatement::update(
    "lot",
    &[int("account_id"), int("expires_at"), int("remaining")],
    &["account_id", "expires_at"],
    &[],
);

/// Deletes lots that hold nothing any more.
pub static DROP_LOTS: SetStatement =
    SetStatement::delete("lot", &[int("account_id"), int("expires_at")]);

/// Adds points to shards of contra accounts, which it makes if they are missing.
pub static ADD_TO_CONTRAS: SetStatement = SetStatement::upsert(
    "contra",
    &[
        text("asset"),
        text("name"),
        int("shard"),
        int("balance"),
        int("entries"),
        int("checksum"),
    ],
    &["asset", "name", "shard"],
    &[
        ("balance", OnConflict::Add),
        ("entries", OnConflict::Add),
        ("checksum", OnConflict::Add),
    ],
);

/// Adds to parts of tallies, which it makes if they are missing.
pub static ADD_TO_TALLIES: SetStatement = SetStatement::upsert(
    "tally",
    &[
        text("name"),
        int("shard"),
        int("row_count"),
        int("checksum"),
    ],
    &["name", "shard"],
    &[
        ("row_count", OnConflict::Add),
        ("checksum", OnConflict::Add),
    ],
);

/// Adds origins; one that is there stays as it is.
pub static ADD_ORIGINS: SetStatement = SetStatement::upsert(
    "origin",
    &[
        bytes("origin_key"),
        text("dialect"),
        text("caller"),
        text("caller_key"),
        text("address"),
        bytes("address_salt"),
        bytes("address_hash"),
    ],
    &["origin_key"],
    &[("dialect", OnConflict::Replace)],
);

/// Keys of origins → the number and the record of each that is there.
pub static ORIGINS: SetStatement = SetStatement::query(
    &[bytes("origin_key")],
    "k.place, o.id, o.dialect, o.caller, o.caller_key, {hex:o.address_hash}",
    "FROM {k} {join} origin o ON o.origin_key = k.origin_key",
);

/// Adds spent nonces; one that has been spent fails the statement.
pub static ADD_NONCES: SetStatement = SetStatement::insert(
    "nonce",
    &[int("at"), bytes("nonce_key"), bytes("fingerprint")],
);

/// Adds allowances; one that is there fails the statement.
pub static ADD_ALLOWANCES: SetStatement = SetStatement::insert(
    "credit_allowance",
    &[int("expires_at"), bytes("allowance_key"), int("used")],
);

/// Changes what has been used of allowances.
pub static SET_ALLOWANCES: SetStatement = SetStatement::update(
    "credit_allowance",
    &[int("expires_at"), bytes("allowance_key"), int("used")],
    &["expires_at", "allowance_key"],
    &[],
);

/// Adds actions; one that is recorded fails the statement.
pub static ADD_ACTIONS: SetStatement = SetStatement::insert(
    "action",
    &[
        bytes("action_key"),
        text("token"),
        text("owner"),
        text("name"),
        text("other"),
        text("object"),
        int("at"),
        int("scored"),
    ],
);

/// Takes daily-limit slots; one that another action took fails the statement.
pub static ADD_LIMIT_SLOTS: SetStatement =
    SetStatement::insert("daily_limit_slot", &[int("expires_at"), bytes("slot_key")]);
