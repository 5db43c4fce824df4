//! Tallies of the rows that no entry tells of, so that the audit notices when one goes, comes or changes.

use sea_orm::sea_query::*;
use sea_orm::{
    ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden, QueryResult, Statement, TryGetable,
};
use sha2::{Digest, Sha256};

use crate::{kept, required};

#[derive(DeriveIden)]
enum Tally {
    Table,
    Name,
    Shard,
    RowCount,
    Checksum,
}

/// The rows in memory at a time.
const ROWS: usize = 2000;

/// A column of a row's words: `b` bytes, `n` a number, `t` a text.
type Word = (&'static str, char);

/// A table, its primary key, and the words of each row.
const TABLES: [(&str, &str, &[Word]); 4] = [
    (
        "nonce",
        "at, nonce_key",
        &[("at", 'n'), ("nonce_key", 'b'), ("fingerprint", 'b')],
    ),
    (
        "daily_limit_slot",
        "expires_at, slot_key",
        &[("expires_at", 'n'), ("slot_key", 'b')],
    ),
    (
        "action",
        "id",
        &[
            ("action_key", 'b'),
            ("identity_key", 'b'),
            ("owner", 't'),
            ("name", 't'),
            ("at", 'n'),
            ("scored", 'n'),
            ("token", 't'),
            ("other", 't'),
            ("object", 't'),
        ],
    ),
    (
        "payment",
        "event_id",
        &[
            ("event_id", 't'),
            ("charge_id", 't'),
            ("kind", 't'),
            ("object", 't'),
            ("order_no", 't'),
            ("amount", 'n'),
            ("amount_settle", 'n'),
            ("currency", 't'),
            ("channel", 't'),
            ("transaction_no", 't'),
            ("created", 'n'),
            ("time_paid", 'n'),
            ("at", 'n'),
            ("subject", 't'),
            ("subject_seq", 'n'),
        ],
    ),
];

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let number = |name: Tally| ColumnDef::new(name).big_integer().not_null().take();
    let table = Table::create()
        .table(Tally::Table)
        .if_not_exists()
        .col(required(Tally::Name, 32))
        .col(number(Tally::Shard))
        .col(number(Tally::RowCount))
        .col(number(Tally::Checksum))
        .primary_key(Index::create().col(Tally::Name).col(Tally::Shard))
        .take();
    db.execute(&kept(table, db.get_database_backend(), false))
        .await?;
    // MySQL commits each statement by itself: a try that was cut off here begins anew.
    db.execute_unprepared("DELETE FROM tally").await?;
    for (name, key, columns) in TABLES {
        let (rows, checksum) = count(db, name, key, columns).await?;
        if rows == 0 {
            continue;
        }
        let insert = format!(
            "INSERT INTO tally (name, shard, row_count, checksum) VALUES ('{name}', 0, {rows}, {checksum})"
        );
        db.execute_unprepared(&insert).await?;
    }
    Ok(())
}

/// Counts the rows of a table, and sums their checksums. Nobody else writes during a migration.
async fn count(
    db: &DatabaseExecutor<'_>,
    table: &str,
    key: &str,
    columns: &[Word],
) -> Result<(usize, i64), DbErr> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    let (mut count, mut sum) = (0, 0);
    loop {
        let sql = format!("SELECT {names} FROM {table} ORDER BY {key} LIMIT {ROWS} OFFSET {count}");
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let rows = db.query_all_raw(statement).await?;
        for row in &rows {
            let words = columns.iter().enumerate();
            let words = words.map(|(at, (_, kind))| word(row, at, *kind));
            let words: Vec<Option<String>> = words.collect::<Result<_, DbErr>>()?;
            sum += checksum(&match table {
                "action" => with_identity(words),
                _ => words,
            });
        }
        count += rows.len();
        if rows.len() < ROWS {
            return Ok((count, sum));
        }
    }
}

fn word(row: &QueryResult, at: usize, kind: char) -> Result<Option<String>, DbErr> {
    fn read<T: TryGetable>(row: &QueryResult, at: usize) -> Result<Option<T>, DbErr> {
        row.try_get_by_index(at)
    }
    Ok(match kind {
        'b' => read::<Vec<u8>>(row, at)?.map(|bytes| hex(&bytes)),
        'n' => read::<i64>(row, at)?.map(|number| number.to_string()),
        _ => read::<String>(row, at)?,
    })
}

/// The words of an action, in which its identity stands for its details.
fn with_identity(mut words: Vec<Option<String>>) -> Vec<Option<String>> {
    let details = words.split_off(6);
    if let [_, identity @ None, owner, name, ..] = words.as_mut_slice() {
        let mut hash = Sha256::new();
        let kind = Some("action".to_owned());
        let [token, other, object] = [0, 1, 2].map(|at| details.get(at).cloned().flatten());
        for word in [&kind, &token, owner, name, &other, &object] {
            let word = word.as_deref().unwrap_or_default();
            hash.update((word.len() as u64).to_be_bytes());
            hash.update(word);
        }
        *identity = hash.finalize().get(..16).map(hex);
    }
    words
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first four bytes of the hash of a row.
fn checksum(words: &[Option<String>]) -> i64 {
    let mut hash = Sha256::new();
    hash.update(b"pointgate row 1");
    for word in words {
        match word {
            Some(word) => {
                hash.update((word.len() as u64).to_be_bytes());
                hash.update(word);
            }
            None => hash.update(u64::MAX.to_be_bytes()),
        }
    }
    let hash = hash.finalize();
    let first = hash.iter().take(4);
    first.fold(0, |sum, byte| sum << 8 | i64::from(*byte))
}
