//! Rows of set statements: what goes in, and which of it a row that comes back belongs to.

use std::collections::BTreeSet;

use sea_orm::DbErr;

use crate::ledger::book::entry::Hash;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::AccountKey;

/// Each item once, in order.
pub fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

/// The row that a result names by its place in the query's rows.
///
/// # Errors
/// Returns [`DbErr`] if the query has no such row.
pub fn at<T>(rows: &[T], place: usize) -> Result<&T, DbErr> {
    rows.get(place)
        .ok_or_else(|| invalid("a result for a row that was not in the query"))
}

/// Keys as rows of one column.
pub fn hexed(keys: &[Key]) -> Vec<String> {
    keys.iter().map(|key| hex::encode(key.bytes())).collect()
}

/// Reads a key from hexadecimal.
///
/// # Errors
/// Returns [`DbErr`] if it is not 16 bytes long.
pub fn read_key(text: &str) -> Result<Key, DbErr> {
    Key::from_hex(text).ok_or_else(|| invalid("a key that is not 16 bytes long"))
}

/// Rows `(time, key)`.
pub fn keyed_rows(rows: impl Iterator<Item = (i64, Key)>) -> Vec<(i64, String)> {
    rows.map(|(at, key)| (at, hex::encode(key.bytes())))
        .collect()
}

/// Accounts as rows `(asset, owner)`.
pub fn account_rows<'k>(keys: &[&'k AccountKey]) -> Vec<(&'k str, &'k str)> {
    keys.iter()
        .map(|key| (key.asset.as_str(), key.owner.as_str()))
        .collect()
}

/// The error for a row that the ledger cannot have written.
pub fn invalid(why: &str) -> DbErr {
    DbErr::Custom(why.into())
}

/// Reads a hash from hexadecimal.
///
/// # Errors
/// Returns [`DbErr`] if it is not 32 bytes long.
pub fn read_hash(text: &str) -> Result<Hash, DbErr> {
    let mut hash = Hash::default();
    match hex::decode_to_slice(text, &mut hash) {
        Ok(()) => Ok(hash),
        Err(_) => Err(invalid("a hash that is not 32 bytes long")),
    }
}
