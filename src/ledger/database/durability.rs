//! Settings of a database server that durability rests on and that only its owner can change: looked at, not hoped for.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

const POSTGRES: &str = "SELECT name, setting FROM pg_settings \
    WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'";
/// Where there is a binary log, a crash takes back what is not in it.
const MYSQL: &str = "SHOW GLOBAL VARIABLES WHERE \
    (Variable_name = 'innodb_flush_log_at_trx_commit' AND Value <> '1') \
    OR (Variable_name = 'sync_binlog' AND Value <> '1' AND @@log_bin) \
    OR (Variable_name = 'innodb_doublewrite' AND Value IN ('OFF', '0'))";

/// Those that are off, as `name = value`.
///
/// # Errors
/// Where the database does not answer.
pub async fn off(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let backend = db.get_database_backend();
    let question = match backend {
        DbBackend::Postgres => POSTGRES,
        DbBackend::MySql => MYSQL,
        _ => return Ok(Vec::new()),
    };
    let rows = db.query_all_raw(Statement::from_string(backend, question));
    let shown = |row: &QueryResult| -> Result<String, DbErr> {
        let (name, value): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok(format!("{name} = {value}"))
    };
    rows.await?.iter().map(shown).collect()
}
