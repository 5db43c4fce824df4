//! Running set statements. Each change must affect as many rows as it was given, or it fails.

use std::ops::RangeInclusive;

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::encode;
use super::set_statement::SetStatement;
use crate::ledger::database::backend::{Backend, Message};
use crate::ledger::database::retry::database_error;

/// The answers to a query over these rows, with further parameters. Without rows it answers nothing, and runs nothing.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, or if an answer is not an `A`.
pub async fn query<A: DeserializeOwned>(
    db: &impl ConnectionTrait,
    statement: &SetStatement,
    rows: &[impl Serialize],
    more: impl IntoIterator<Item = Value>,
) -> Result<Vec<A>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let backend = Backend::of(db);
    let query = prepared(backend, statement, rows, more)?;
    if !backend.syntax.answers_in_one {
        let rows = db.query_all_raw(query).await?;
        let row = |row: &QueryResult| {
            let json: String = row.try_get_by_index(0)?;
            serde_json::from_str(&json).map_err(custom)
        };
        return rows.iter().map(row).collect();
    }
    let row = db.query_one_raw(query).await?;
    let json: Option<String> = row
        .ok_or_else(|| custom("a query answered no row"))?
        .try_get_by_index(0)?;
    // PostgreSQL aggregates no rows to NULL.
    serde_json::from_str(json.as_deref().unwrap_or("[]")).map_err(custom)
}

/// Makes a change with these rows. Without rows it runs nothing.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, a constraint is broken, or other rows than these are affected.
pub async fn execute(
    db: &impl ConnectionTrait,
    statement: &SetStatement,
    rows: &[impl Serialize],
) -> Result<(), DbErr> {
    let mut pipeline = Pipeline::new(db);
    pipeline.execute(statement, rows).await?;
    pipeline.finish().await
}

/// Changes in their order. A database that takes several of them in one message gets them when the pipeline finishes, since
/// there a round trip costs as much as several changes.
pub struct Pipeline<'c, C> {
    db: &'c C,
    backend: &'static Backend,
    pending: String,
    /// How many rows each of the pending changes must affect.
    expected: Vec<RangeInclusive<u64>>,
}

impl<'c, C: ConnectionTrait> Pipeline<'c, C> {
    /// An empty pipeline on a connection.
    pub fn new(db: &'c C) -> Self {
        Pipeline {
            db,
            backend: Backend::of(db),
            pending: String::new(),
            expected: Vec::new(),
        }
    }

    /// Makes a change with these rows, at the latest when the pipeline finishes. Without rows it runs nothing.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer, a constraint is broken, or other rows than these are affected.
    pub async fn execute(
        &mut self,
        statement: &SetStatement,
        rows: &[impl Serialize],
    ) -> Result<(), DbErr> {
        if rows.is_empty() {
            return Ok(());
        }
        let expected = self.backend.affects(statement, rows.len());
        if let Some(message) = &self.backend.syntax.message {
            let literal = encode::literal(statement, self.backend, rows).map_err(custom)?;
            self.pending.push_str(&literal);
            self.pending.push(';');
            self.pending.push_str(&(message.note)(self.expected.len()));
            self.pending.push(';');
            self.expected.push(expected);
            return Ok(());
        }
        let change = prepared(self.backend, statement, rows, [])?;
        let affected = self.db.execute_raw(change).await?.rows_affected();
        match expected.contains(&affected) {
            true => Ok(()),
            false => Err(mismatch(statement, &expected, affected)),
        }
    }

    /// Sends the changes that are pending.
    ///
    /// # Errors
    /// Returns [`DbErr`] as [`Pipeline::execute`] does.
    pub async fn finish(mut self) -> Result<(), DbErr> {
        let Some(message) = &self.backend.syntax.message else {
            return Ok(());
        };
        if self.pending.is_empty() {
            return Ok(());
        }
        self.pending.push_str(&(message.check)(&self.expected));
        let sent = self.db.execute_unprepared(&self.pending).await;
        sent.map(|_| ()).map_err(|error| checked(message, error))
    }
}

/// Names the failure of a message's check, which the database cannot.
fn checked(message: &Message, error: DbErr) -> DbErr {
    let failed = |error: &dyn DatabaseError| (message.is_failed_check)(error);
    match database_error(&error).is_some_and(failed) {
        true => custom("a set statement affected fewer rows than it was given, or more"),
        false => error,
    }
}

fn mismatch(statement: &SetStatement, expected: &RangeInclusive<u64>, affected: u64) -> DbErr {
    let (change, given) = (statement.describe(), expected.start());
    custom(format!(
        "{change} affected {affected} rows, but was given {given}"
    ))
}

fn prepared(
    backend: &Backend,
    statement: &SetStatement,
    rows: &[impl Serialize],
    more: impl IntoIterator<Item = Value>,
) -> Result<Statement, DbErr> {
    let rows = encode::parameters(statement, backend, rows).map_err(custom)?;
    let values = rows.into_iter().map(Value::from).chain(more);
    let sql = backend.sql(statement);
    Ok(Statement::from_sql_and_values(
        backend.database,
        sql,
        values,
    ))
}

fn custom(why: impl ToString) -> DbErr {
    DbErr::Custom(why.to_string())
}
