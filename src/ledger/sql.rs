//! The set statements. Each has constant text, so that it is prepared once whatever the size of a batch, and takes its
//! rows as one parameter: a JSON array with an array for each row. A query gives its rows back in the same way, as one
//! value: a driver that hands them over one by one wakes the reader for each. Bytes travel as hex.

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Rows `(asset, owner)` → for each account that exists its place among them, its figures and its lots.
pub const ACCOUNTS: &str = "\
    WITH k(key, asset, owner) AS MATERIALIZED (SELECT key, value->>0, value->>1 FROM json_each(?1)) \
    SELECT json_group_array(json_array(k.key, a.id, a.balance, a.last_seq, a.income_seq, a.last_at, hex(a.head), \
    (SELECT json_group_array(json_array(l.expires_at, l.remaining)) FROM lot l WHERE l.account_id = a.id))) \
    FROM k CROSS JOIN account a ON a.owner = k.owner AND a.asset = k.asset";

/// Rows `(asset, owner)` → for each account that exists its place among them and its number.
pub const ACCOUNT_IDS: &str = "\
    WITH k(key, asset, owner) AS MATERIALIZED (SELECT key, value->>0, value->>1 FROM json_each(?1)) \
    SELECT json_group_array(json_array(k.key, a.id)) \
    FROM k CROSS JOIN account a ON a.owner = k.owner AND a.asset = k.asset";

/// Names → for each that is another name of an owner its place and the owner.
pub const ALIASES: &str = "\
    SELECT json_group_array(json_array(k.key, n.owner)) \
    FROM json_each(?1) k CROSS JOIN alias n ON n.name = k.value";

/// Names, the asset and the time → for each account that exists its owner's place and the points that count then.
pub const BALANCES: &str = "\
    SELECT json_group_array(json_array(k.key, a.balance - CASE WHEN a.next_expiry <= ?3 THEN \
    (SELECT COALESCE(SUM(l.remaining), 0) FROM lot l WHERE l.account_id = a.id AND l.expires_at <= ?3) \
    ELSE 0 END)) \
    FROM json_each(?1) k CROSS JOIN account a \
    ON a.owner = COALESCE((SELECT n.owner FROM alias n WHERE n.name = k.value), k.value) AND a.asset = ?2";

/// Rows `(name, asset, low, high, count)` → for each account that exists its number of entries, or `count` where that is
/// not null, and the entries whose places before the last one of them, which has 0, are from low to high, newest first.
pub const PAGE: &str = "\
    SELECT json_group_array(json_array(a.count, (SELECT json_group_array(json_array(e.seq, e.at, e.kind, \
    e.amount, e.balance_after, e.direction, e.direction_seq, e.reference, e.message)) \
    FROM (SELECT * FROM entry WHERE account_id = a.id \
    AND seq BETWEEN a.count - a.high AND a.count - a.low ORDER BY seq DESC) e))) \
    FROM (SELECT a.id, k.value->>2 AS low, k.value->>3 AS high, COALESCE(k.value->>4, a.last_seq) AS count \
    FROM json_each(?1) k CROSS JOIN account a ON a.asset = k.value->>1 \
    AND a.owner = COALESCE((SELECT n.owner FROM alias n WHERE n.name = k.value->>0), k.value->>0)) a";

/// Rows `(name, asset, low, high, count, direction)` → the same of the entries of one direction.
pub const PAGE_OF: &str = "\
    SELECT json_group_array(json_array(a.count, (SELECT json_group_array(json_array(e.seq, e.at, e.kind, \
    e.amount, e.balance_after, e.direction, e.direction_seq, e.reference, e.message)) \
    FROM (SELECT * FROM entry WHERE account_id = a.id AND direction = a.direction \
    AND direction_seq BETWEEN a.count - a.high AND a.count - a.low ORDER BY direction_seq DESC) e))) \
    FROM (SELECT a.id, k.value->>2 AS low, k.value->>3 AS high, k.value->>5 AS direction, \
    COALESCE(k.value->>4, CASE k.value->>5 WHEN 1 THEN a.income_seq ELSE a.last_seq - a.income_seq END) AS count \
    FROM json_each(?1) k CROSS JOIN account a ON a.asset = k.value->>1 \
    AND a.owner = COALESCE((SELECT n.owner FROM alias n WHERE n.name = k.value->>0), k.value->>0)) a";

/// Keys → for each reference that has been used its place among them, what was asked, its entry and what was answered.
pub const REFERENCES: &str = "\
    SELECT json_group_array(json_array(k.key, hex(r.content_key), r.seq, r.balance_after)) \
    FROM json_each(?1) k CROSS JOIN reference r ON r.reference_key = unhex(k.value)";

/// Keys → the draws of those orders, each with the order's place among them.
pub const DRAWS: &str = "\
    SELECT json_group_array(json_array(k.key, d.spend_seq, d.expires_at, d.drawn, d.returned)) \
    FROM json_each(?1) k CROSS JOIN draw d ON d.order_key = unhex(k.value)";

/// Rows `(time, key)` of nonces → for each that has been spent its place among them.
pub const NONCES: &str = "\
    WITH k(key, at, word) AS MATERIALIZED (SELECT key, value->>0, unhex(value->>1) FROM json_each(?1)) \
    SELECT json_group_array(k.key) FROM k CROSS JOIN nonce n ON n.at = k.at AND n.nonce_key = k.word";

/// Keys → for each action that has been answered its place among them and the answer.
pub const ANSWERS: &str = "\
    SELECT json_group_array(json_array(k.key, a.answer)) \
    FROM json_each(?1) k CROSS JOIN action a ON a.action_key = unhex(k.value)";

/// Rows `(owner, name, from, until)` → the place of each and how many such actions moved points.
pub const TALLIES: &str = "\
    WITH k(key, owner, name, low, high) AS MATERIALIZED \
    (SELECT key, value->>0, value->>1, value->>2, value->>3 FROM json_each(?1)) \
    SELECT json_group_array(json_array(k.key, (SELECT COUNT(*) FROM action a \
    WHERE a.owner = k.owner AND a.name = k.name AND a.at >= k.low AND a.at < k.high AND a.scored = 1))) FROM k";

/// Rows of new accounts.
pub const ADD_ACCOUNTS: &str = "\
    WITH r(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
    INSERT INTO account (asset, owner, balance, last_seq, income_seq, last_at, next_expiry, head) \
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, unhex(value->>7) \
    FROM r";

/// Rows of accounts that have changed.
pub const SET_ACCOUNTS: &str = "\
    WITH r(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
    UPDATE account SET balance = r.value->>1, last_seq = r.value->>2, income_seq = r.value->>3, \
    last_at = r.value->>4, next_expiry = r.value->>5, head = unhex(r.value->>6) \
    FROM r WHERE account.id = r.value->>0";

/// Rows of new entries.
pub const ADD_ENTRIES: &str = "\
    WITH r(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
    INSERT INTO entry (account_id, seq, at, kind, amount, balance_after, counter, direction, direction_seq, \
    reference, message, operator, hash, guard_key) \
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, \
    value->>9, value->>10, value->>11, unhex(value->>12), unhex(value->>13) FROM r";

/// Rows of lots, new or changed.
pub const SET_LOTS: &str = "\
    WITH r(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
    INSERT INTO lot (account_id, expires_at, remaining) \
    SELECT value->>0, value->>1, value->>2 FROM r WHERE true \
    ON CONFLICT (account_id, expires_at) DO UPDATE SET remaining = excluded.remaining";

/// Rows `(account, expiry)` of lots that hold nothing any more.
pub const DROP_LOTS: &str = "\
    DELETE FROM lot WHERE (account_id, expires_at) IN (SELECT value->>0, value->>1 FROM json_each(?1))";

/// Rows of references that are used now; one that is used already breaks the batch.
pub const ADD_REFERENCES: &str = "\
    WITH r(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
    INSERT INTO reference (reference_key, content_key, account_id, seq, balance_after) \
    SELECT unhex(value->>0), unhex(value->>1), value->>2, value->>3, value->>4 FROM r";

/// Rows of draws, new or changed.
pub const SET_DRAWS: &str = "\
    WITH r(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
    INSERT INTO draw (order_key, account_id, spend_seq, expires_at, drawn, returned) \
    SELECT unhex(value->>0), value->>1, value->>2, value->>3, value->>4, value->>5 FROM r WHERE true \
    ON CONFLICT (order_key, spend_seq, expires_at) DO UPDATE SET returned = excluded.returned";

/// Rows of what counter accounts gain.
pub const ADD_TO_COUNTERS: &str = "\
    INSERT INTO counter (asset, name, balance) \
    SELECT value->>0, value->>1, value->>2 FROM json_each(?1) WHERE true \
    ON CONFLICT (asset, name) DO UPDATE SET balance = balance + excluded.balance";

/// Rows of nonces that are spent now; one that is spent already breaks the batch.
pub const ADD_NONCES: &str = "\
    WITH r(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
    INSERT INTO nonce (at, nonce_key) SELECT value->>0, unhex(value->>1) FROM r";

/// Rows of new actions; one that is recorded already breaks the batch.
pub const ADD_ACTIONS: &str = "\
    WITH r(value) AS MATERIALIZED (SELECT value FROM json_each(?1)) \
    INSERT INTO action (action_key, token, owner, name, other, object, at, scored, answer) \
    SELECT unhex(value->>0), value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, \
    value->>8 FROM r";

/// Asks for what stands under these rows, with further parameters; nothing for nothing.
///
/// # Errors
/// Where the database does not answer, or answers something else than `A`s.
pub async fn ask<A: DeserializeOwned>(
    db: &impl ConnectionTrait,
    sql: &'static str,
    rows: &[impl Serialize],
    more: impl IntoIterator<Item = Value>,
) -> Result<Vec<A>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let row = db.query_one_raw(statement(db, sql, rows, more)?).await?;
    let json: String = row
        .ok_or_else(|| off("a query without a row"))?
        .try_get_by_index(0)?;
    serde_json::from_str(&json).map_err(off)
}

/// Writes these rows; nothing for nothing.
///
/// # Errors
/// Where the database does not answer or a constraint is broken.
pub async fn tell(
    db: &impl ConnectionTrait,
    sql: &'static str,
    rows: &[impl Serialize],
) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    db.execute_raw(statement(db, sql, rows, [])?)
        .await
        .map(|_| ())
}

fn statement(
    db: &impl ConnectionTrait,
    sql: &'static str,
    rows: &[impl Serialize],
    more: impl IntoIterator<Item = Value>,
) -> Result<Statement, DbErr> {
    let json = serde_json::to_string(rows).map_err(off)?;
    let values = std::iter::once(json.into()).chain(more);
    Ok(Statement::from_sql_and_values(
        db.get_database_backend(),
        sql,
        values,
    ))
}

fn off(why: impl ToString) -> DbErr {
    DbErr::Custom(why.to_string())
}
