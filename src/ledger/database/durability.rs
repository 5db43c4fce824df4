//! The settings of a database server that durability rests on and that only its owner can change.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

use super::backend::Backend;

/// The settings, as `name = value`, with which a crash of the server may lose commits.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn unsafe_settings(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let backend = Backend::of(db);
    let Some(query) = backend.unsafe_settings else {
        return Ok(Vec::new());
    };
    let rows = db.query_all_raw(Statement::from_string(backend.database, query));
    let shown = |row: &QueryResult| -> Result<String, DbErr> {
        let (name, value): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok(format!("{name} = {value}"))
    };
    rows.await?.iter().map(shown).collect()
}
