//! The set statements, each once, over one text for all databases as far as they agree ([`words`] knows where they do not).

mod dialect;
#[cfg(test)]
mod tests;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use dialect::Column::{Bytes, Int, Text};
use dialect::Statement;

/// Rows `(asset, name)` → for each account that exists its place among them, its owner and its figures. Each is locked, where
/// several write at once, in the order of their numbers.
pub static ACCOUNTS: Statement = Statement::lock(
    &[Text, Text],
    "k.place, a.id, a.owner, a.balance, a.last_seq, a.income_seq, a.last_at, {hex:a.head}",
    "FROM {k} {join} account a ON a.asset = k.c0 \
     AND a.owner = COALESCE((SELECT n.owner FROM alias n WHERE n.name = k.c1), k.c1)",
    ("account", "a"),
);

/// Numbers of accounts → the place of each among them once for each of its lots, and the lot. Not one with `ACCOUNTS`: who waits
/// there for a lock reads the account as it is then, but all else as it was before.
pub static LOTS: Statement = Statement::ask(
    &[Int],
    "k.place, l.expires_at, l.remaining",
    "FROM {k} {join} lot l ON l.account_id = k.c0",
);

/// Rows `(asset, owner)` → for each account that exists its place among them and its number.
pub static ACCOUNT_IDS: Statement = Statement::ask(
    &[Text, Text],
    "k.place, a.id",
    "FROM {k} {join} account a ON a.owner = k.c1 AND a.asset = k.c0",
);

/// Names → for each that is another name of an owner its place and the owner.
pub static IDENTITIES: Statement = Statement::ask(
    &[Text],
    "k.place, n.owner",
    "FROM {k} {join} alias n ON n.name = k.c0",
);

/// Names, the asset and the time → for each account that exists its place and the points that count then. It knows no second
/// names, which few have and which would cost everybody.
pub static BALANCES: Statement = Statement::ask(
    &[Text],
    "k.place, a.balance - CASE WHEN a.next_expiry <= p.now THEN \
     (SELECT COALESCE(SUM(l.remaining), 0) FROM lot l WHERE l.account_id = a.id AND l.expires_at <= p.now) \
     ELSE 0 END",
    "FROM {k} {join} account a ON a.owner = k.c0 AND a.asset = {text2} CROSS JOIN (SELECT {int3} AS now) p",
);

/// Rows `(name, asset, low, high, count)` → for each account that exists its number of entries, or `count` where that is
/// not null, once for each entry whose place before the last one of them, which has 0, is from low to high, or without one.
pub static PAGE: Statement = Statement::ask(
    &[Text, Text, Int, Int, Int],
    "COALESCE(k.c4, a.last_seq), e.seq, e.at, e.kind, e.amount, e.balance_after, e.direction, e.direction_seq, \
     e.reference, e.message",
    "FROM {k} {join} account a ON a.asset = k.c1 \
     AND a.owner = COALESCE((SELECT n.owner FROM alias n WHERE n.name = k.c0), k.c0) \
     LEFT JOIN entry e ON e.account_id = a.id \
     AND e.seq BETWEEN COALESCE(k.c4, a.last_seq) - k.c3 AND COALESCE(k.c4, a.last_seq) - k.c2",
);

/// Rows `(name, asset, low, high, count, direction)` → the same of the entries of one direction.
pub static PAGE_OF: Statement = Statement::ask(
    &[Text, Text, Int, Int, Int, Int],
    "a.count, e.seq, e.at, e.kind, e.amount, e.balance_after, e.direction, e.direction_seq, e.reference, e.message",
    "FROM (SELECT a.id, k.c2 AS low, k.c3 AS high, k.c5 AS direction, \
     COALESCE(k.c4, CASE k.c5 WHEN 1 THEN a.income_seq ELSE a.last_seq - a.income_seq END) AS count \
     FROM {k} {join} account a ON a.asset = k.c1 \
     AND a.owner = COALESCE((SELECT n.owner FROM alias n WHERE n.name = k.c0), k.c0)) a \
     LEFT JOIN entry e ON e.account_id = a.id AND e.direction = a.direction \
     AND e.direction_seq BETWEEN a.count - a.high AND a.count - a.low",
);

/// Keys → for each retry guard that has been used its place among them, what was asked and what was answered.
pub static IDEMPOTENCY_RECORDS: Statement = Statement::ask(
    &[Bytes],
    "k.place, {hex:e.content_key}, e.answered",
    "FROM {k} {join} entry e ON e.guard_key = k.c0",
);

/// Keys → the draws of those orders, each with the order's place among them.
pub static ALLOCATIONS: Statement = Statement::ask(
    &[Bytes],
    "k.place, d.spend_seq, d.expires_at, d.drawn, d.returned",
    "FROM {k} {join} draw d ON d.order_key = k.c0",
);

/// Rows `(time, key)` of nonces → for each that has been spent its place among them.
pub static NONCES: Statement = Statement::ask(
    &[Int, Bytes],
    "k.place",
    "FROM {k} {join} nonce n ON n.at = k.c0 AND n.nonce_key = k.c1",
);

/// Keys → for each recorded action its place among them and whether it scored.
pub static RECORDED_ACTIONS: Statement = Statement::ask(
    &[Bytes],
    "k.place, a.scored",
    "FROM {k} {join} action a ON a.action_key = k.c0",
);

/// Rows `(owner, name, from, until)` → the place of each and the number of such actions that scored.
pub static LIMIT_COUNTS: Statement = Statement::ask(
    &[Text, Text, Int, Int],
    "k.place, (SELECT COUNT(*) FROM action a \
     WHERE a.owner = k.c0 AND a.name = k.c1 AND a.at >= k.c2 AND a.at < k.c3 AND a.scored = 1)",
    "FROM {k}",
);

/// Rows of new accounts.
pub static ADD_ACCOUNTS: Statement = Statement::tell(
    &[Text, Text, Int, Int, Int, Int, Int, Bytes],
    "INSERT INTO account (asset, owner, balance, last_seq, income_seq, last_at, next_expiry, head) \
     {rows}",
);

/// Rows of accounts that have changed.
pub static SET_ACCOUNTS: Statement = Statement::tell_or(
    &[Int, Int, Int, Int, Int, Int, Bytes],
    "UPDATE account SET balance = k.c1, last_seq = k.c2, income_seq = k.c3, last_at = k.c4, next_expiry = k.c5, \
     head = k.c6 FROM {k} WHERE account.id = k.c0",
    "UPDATE {k} STRAIGHT_JOIN account a ON a.id = k.c0 SET a.balance = k.c1, a.last_seq = k.c2, a.income_seq = k.c3, \
     a.last_at = k.c4, a.next_expiry = k.c5, a.head = k.c6",
);

/// Rows of new entries; one whose retry guard has been used breaks the batch.
pub static ADD_ENTRIES: Statement = Statement::tell(
    &[
        Int, Int, Int, Int, Int, Int, Text, Int, Int, Text, Text, Int, Bytes, Bytes, Bytes, Int,
    ],
    "INSERT INTO entry (account_id, seq, at, kind, amount, balance_after, counter, direction, direction_seq, \
     reference, message, operator, hash, guard_key, content_key, answered) \
     {rows}",
);

/// Rows of new lots.
pub static ADD_LOTS: Statement = Statement::tell(
    &[Int, Int, Int],
    "INSERT INTO lot (account_id, expires_at, remaining) {rows}",
);

/// Rows of lots that have changed; all of them are there.
pub static SET_LOTS: Statement = Statement::tell_or(
    &[Int, Int, Int],
    "UPDATE lot SET remaining = k.c2 FROM {k} WHERE lot.account_id = k.c0 AND lot.expires_at = k.c1",
    "INSERT INTO lot (account_id, expires_at, remaining) {rows} \
     ON DUPLICATE KEY UPDATE remaining = VALUES(remaining)",
);

/// Rows `(account, expiry)` of lots that hold nothing any more.
pub static DROP_LOTS: Statement = Statement::tell_or(
    &[Int, Int],
    "DELETE FROM lot WHERE (account_id, expires_at) IN (SELECT c0, c1 FROM {k})",
    "DELETE l FROM {k} STRAIGHT_JOIN lot l ON l.account_id = k.c0 AND l.expires_at = k.c1",
);

/// Rows of draws, new or changed.
pub static SET_ALLOCATIONS: Statement = Statement::tell_or(
    &[Bytes, Int, Int, Int, Int, Int],
    "INSERT INTO draw (order_key, account_id, spend_seq, expires_at, drawn, returned) \
     {rows} \
     ON CONFLICT (order_key, spend_seq, expires_at) DO UPDATE SET returned = excluded.returned",
    "INSERT INTO draw (order_key, account_id, spend_seq, expires_at, drawn, returned) \
     {rows} ON DUPLICATE KEY UPDATE returned = VALUES(returned)",
);

/// Rows `(asset, name, shard, points)` of what counter accounts gain.
pub static ADD_TO_CONTRAS: Statement = Statement::tell_or(
    &[Text, Text, Int, Int],
    "INSERT INTO counter (asset, name, shard, balance) {rows} \
     ON CONFLICT (asset, name, shard) DO UPDATE SET balance = counter.balance + excluded.balance",
    "INSERT INTO counter (asset, name, shard, balance) {rows} \
     ON DUPLICATE KEY UPDATE balance = counter.balance + VALUES(balance)",
);

/// Rows of nonces that are spent now; one that is spent already breaks the batch.
pub static ADD_NONCES: Statement =
    Statement::tell(&[Int, Bytes], "INSERT INTO nonce (at, nonce_key) {rows}");

/// Rows of new actions; one that is recorded already fails the batch.
pub static ADD_ACTIONS: Statement = Statement::tell(
    &[Bytes, Text, Text, Text, Text, Text, Int, Int],
    "INSERT INTO action (action_key, token, owner, name, other, object, at, scored) \
     {rows}",
);

/// Rows `(expiry, key)` of daily-limit slots that are taken now; one that another action took fails the batch.
pub static ADD_LIMIT_SLOTS: Statement = Statement::tell(
    &[Int, Bytes],
    "INSERT INTO daily_limit_slot (expires_at, slot_key) {rows}",
);

/// Asks for what stands under these rows, with further parameters; nothing for nothing.
///
/// # Errors
/// Where the database does not answer, or answers something else than `A`s.
pub async fn ask<A: DeserializeOwned>(
    db: &impl ConnectionTrait,
    sql: &Statement,
    rows: &[impl Serialize],
    more: impl IntoIterator<Item = Value>,
) -> Result<Vec<A>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let question = statement(db, sql, rows, more)?;
    if db.get_database_backend() == DbBackend::MySql {
        let rows = db.query_all_raw(question).await?;
        let row = |row: &QueryResult| {
            let json: String = row.try_get_by_index(0)?;
            serde_json::from_str(&json).map_err(off)
        };
        return rows.iter().map(row).collect();
    }
    let row = db.query_one_raw(question).await?;
    let json: Option<String> = row
        .ok_or_else(|| off("a query without a row"))?
        .try_get_by_index(0)?;
    // Some databases gather nothing as nothing.
    serde_json::from_str(json.as_deref().unwrap_or("[]")).map_err(off)
}

/// Writes these rows; nothing for nothing.
///
/// # Errors
/// Where the database does not answer or a constraint is broken.
pub async fn tell(
    db: &impl ConnectionTrait,
    sql: &Statement,
    rows: &[impl Serialize],
) -> Result<(), DbErr> {
    let mut script = Script::new(db);
    script.tell(sql, rows).await?;
    script.end().await
}

/// Changes in their order. Those that MySQL takes with their rows in them wait for one another and go at once: each way there and
/// back costs it as much as some of them.
pub struct Script<'c, C> {
    db: &'c C,
    waiting: String,
}

impl<'c, C: ConnectionTrait> Script<'c, C> {
    /// One without any changes yet.
    pub fn new(db: &'c C) -> Self {
        let waiting = String::new();
        Script { db, waiting }
    }

    /// Writes these rows, at the latest at the end; nothing for nothing.
    ///
    /// # Errors
    /// Where the database does not answer or a constraint is broken, also of what waited.
    pub async fn tell(&mut self, sql: &Statement, rows: &[impl Serialize]) -> Result<(), DbErr> {
        if rows.is_empty() {
            return Ok(());
        }
        if self.db.get_database_backend() == DbBackend::MySql
            && let Some(literal) = sql.literal(rows).map_err(off)?
        {
            self.waiting.push_str(&literal);
            self.waiting.push(';');
            return Ok(());
        }
        self.go().await?;
        let change = statement(self.db, sql, rows, [])?;
        self.db.execute_raw(change).await.map(|_| ())
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// Where the database does not answer or a constraint is broken.
    pub async fn end(mut self) -> Result<(), DbErr> {
        self.go().await
    }

    async fn go(&mut self) -> Result<(), DbErr> {
        if !self.waiting.is_empty() {
            self.db.execute_unprepared(&self.waiting).await?;
            self.waiting.clear();
        }
        Ok(())
    }
}

fn statement(
    db: &impl ConnectionTrait,
    sql: &Statement,
    rows: &[impl Serialize],
    more: impl IntoIterator<Item = Value>,
) -> Result<sea_orm::Statement, DbErr> {
    let backend = db.get_database_backend();
    let rows = sql.parameters(backend, rows).map_err(off)?;
    let values = rows.into_iter().map(Value::from).chain(more);
    let words = sql.words(backend);
    Ok(sea_orm::Statement::from_sql_and_values(
        backend, words, values,
    ))
}

fn off(why: impl ToString) -> DbErr {
    DbErr::Custom(why.to_string())
}
