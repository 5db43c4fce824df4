//! The second format of entries: who asked, in which request, when it was recorded, and the effect on each lot. The entries of an order
//! then say what it drew and had back, which the table `allocation` said.
//!
//! Entries of the first format stay as they are, and so do their hashes. What they did to lots is unknown; `opening` says what came
//! of it, and their spends on orders take over their allocations, with the points that had come back.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr, QueryResult, Statement, Value};

use crate::has_table;

mod schema;

/// The accounts, and the orders, in memory at a time.
const ROWS: usize = 500;

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    schema::add_tables(db).await?;
    schema::add_columns(db).await?;
    // MySQL commits each step by itself: a try that was cut off goes on with the first step that is not done.
    if has_table(db, "allocation").await? {
        db.execute_unprepared("DELETE FROM opening").await?;
        open_accounts(db).await?;
        move_allocations(db).await?;
        count_entries(db).await?;
        db.execute_unprepared("DROP TABLE allocation").await?;
    }
    schema::add_indexes(db).await
}

async fn rows(db: &DatabaseExecutor<'_>, sql: String) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement).await
}

/// Writes down the lots of each account that has entries.
async fn open_accounts(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let mut last = 0_i64;
    loop {
        let accounts = rows(
            db,
            format!(
                "SELECT id, last_seq FROM account WHERE id > {last} AND last_seq > 0 ORDER BY id LIMIT {ROWS}"
            ),
        );
        let mut openings = BTreeMap::new();
        for account in accounts.await? {
            let (id, seq): (i64, i64) =
                (account.try_get_by_index(0)?, account.try_get_by_index(1)?);
            openings.insert(id, (seq, String::new()));
        }
        let (Some((&first, _)), Some((&end, _))) =
            (openings.first_key_value(), openings.last_key_value())
        else {
            return Ok(());
        };
        let lots = rows(
            db,
            format!(
                "SELECT account_id, expires_at, remaining FROM lot WHERE account_id BETWEEN {first} AND {end} \
                 AND remaining > 0 ORDER BY account_id, expires_at"
            ),
        );
        for lot in lots.await? {
            let (id, expires_at, remaining): (i64, i64, i64) = (
                lot.try_get_by_index(0)?,
                lot.try_get_by_index(1)?,
                lot.try_get_by_index(2)?,
            );
            if let Some((_, lots)) = openings.get_mut(&id) {
                push(lots, &format!("{expires_at}:{remaining}"));
            }
        }
        let values = openings.iter();
        let values: Vec<String> = values
            .map(|(id, (seq, lots))| format!("({id}, {seq}, '{lots}')"))
            .collect();
        let values = values.join(", ");
        let insert = format!("INSERT INTO opening (account_id, seq, lots) VALUES {values}");
        db.execute_unprepared(&insert).await?;
        last = end;
    }
}

fn push(lots: &mut String, lot: &str) {
    if !lots.is_empty() {
        lots.push(',');
    }
    lots.push_str(lot);
}

/// Moves the allocations of each spend into its entry.
async fn move_allocations(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let bytes = |key: &[u8]| {
        let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        match db.get_database_backend() {
            DbBackend::Postgres => format!("'\\x{digits}'::bytea"),
            _ => format!("X'{digits}'"),
        }
    };
    let mut after = String::new();
    loop {
        let keys = rows(
            db,
            format!(
                "SELECT DISTINCT order_key FROM allocation {after} ORDER BY order_key LIMIT {ROWS}"
            ),
        );
        let keys = keys.await?;
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
            return Ok(());
        };
        let (first, last): (Vec<u8>, Vec<u8>) =
            (first.try_get_by_index(0)?, last.try_get_by_index(0)?);
        let (first, last) = (bytes(&first), bytes(&last));
        let allocations = rows(
            db,
            format!(
                "SELECT order_key, account_id, spend_seq, expires_at, drawn, returned FROM allocation \
                 WHERE order_key BETWEEN {first} AND {last} ORDER BY order_key, spend_seq, expires_at"
            ),
        );
        let mut spends: BTreeMap<(Vec<u8>, i64, i64), String> = BTreeMap::new();
        for row in allocations.await? {
            let spend = (
                row.try_get_by_index(0)?,
                row.try_get_by_index(1)?,
                row.try_get_by_index(2)?,
            );
            let (expires_at, drawn, returned): (i64, i64, i64) = (
                row.try_get_by_index(3)?,
                row.try_get_by_index(4)?,
                row.try_get_by_index(5)?,
            );
            let lot = format!("{expires_at}:-{drawn}:{returned}");
            push(spends.entry(spend).or_default(), &lot);
        }
        for ((order, account_id, seq), lots) in spends {
            let order = bytes(&order);
            let update = format!(
                "UPDATE entry SET order_key = {order}, lots = '{lots}' WHERE account_id = {account_id} AND seq = {seq}"
            );
            db.execute_unprepared(&update).await?;
        }
        after = format!("WHERE order_key > {last}");
    }
}

/// Counts the entries of each contra account, on the first of its rows.
async fn count_entries(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let database = db.get_database_backend();
    let (first_bytes, parameters) = match database {
        DbBackend::Postgres => (
            "CAST(SUM(('x' || encode(substring(e.hash FROM 1 FOR 4), 'hex'))::bit(32)::bigint) AS bigint)".to_owned(),
            ["$1", "$2", "$3", "$4", "$5"],
        ),
        DbBackend::MySql => (
            "CAST(SUM(CAST(CONV(HEX(LEFT(e.hash, 4)), 16, 10) AS UNSIGNED)) AS SIGNED)".to_owned(),
            ["?"; 5],
        ),
        _ => (sqlite_first_bytes(), ["?"; 5]),
    };
    db.execute_unprepared("UPDATE contra SET entries = 0, checksum = 0")
        .await?;
    let counts = rows(
        db,
        format!(
            "SELECT c.asset, c.name, c.shard, e.entries, e.checksum FROM \
             (SELECT asset, name, MIN(shard) AS shard FROM contra GROUP BY asset, name) c JOIN \
             (SELECT a.asset, e.contra, COUNT(*) AS entries, {first_bytes} AS checksum \
             FROM entry e JOIN account a ON a.id = e.account_id GROUP BY a.asset, e.contra) e \
             ON e.asset = c.asset AND e.contra = c.name"
        ),
    );
    let [entries, checksum, asset, name, shard] = parameters;
    let update = format!(
        "UPDATE contra SET entries = {entries}, checksum = {checksum} WHERE asset = {asset} AND name = {name} AND shard = {shard}"
    );
    for row in counts.await? {
        let (asset, name): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let numbers: [i64; 3] = [
            row.try_get_by_index(2)?,
            row.try_get_by_index(3)?,
            row.try_get_by_index(4)?,
        ];
        let [shard, entries, checksum] = numbers.map(Value::from);
        let values = [entries, checksum, asset.into(), name.into(), shard];
        let update = Statement::from_sql_and_values(database, &update, values);
        db.execute_raw(update).await?;
    }
    Ok(())
}

/// SQLite reads no hexadecimal: the sum of eight digits.
fn sqlite_first_bytes() -> String {
    let digit = |at: u32| {
        let weight = 16_i64.pow(8 - at);
        format!("(instr('0123456789ABCDEF', substr(hex(e.hash), {at}, 1)) - 1) * {weight}")
    };
    let digits: Vec<String> = (1..=8).map(digit).collect();
    format!("SUM({})", digits.join(" + "))
}
