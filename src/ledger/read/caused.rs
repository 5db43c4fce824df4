//! The entries that an origin caused, such as a leaked key.

use std::collections::HashMap;

use entity::{account, entry, origin};
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::ledger::book::transaction::AccountKey;
use crate::ledger::{Ledger, ReadError};

/// The entries in memory at a time.
const ROWS: u64 = 1000;

/// Which entries to find.
#[derive(Clone, Debug)]
pub struct CausedRange {
    /// `DIALECT`, `DIALECT/CALLER` or `DIALECT/CALLER/KEY`.
    pub origin: String,
    /// The earliest time (ms), inclusive.
    pub from: i64,
    /// The latest time (ms), exclusive.
    pub until: i64,
}

/// An entry that an origin caused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CausedEntry {
    /// The database's number of the account; with `seq`, where the next entries go on.
    pub account_id: i64,
    /// The account, by its owner's first name.
    pub account: AccountKey,
    /// The number within the account.
    pub seq: i64,
    /// When it happened (ms).
    pub at: i64,
    /// Points, positive if the account gained.
    pub amount: i64,
    /// The name of the contra account.
    pub contra: String,
    /// The caller's reference.
    pub reference: Option<String>,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

impl Ledger {
    /// Reads the next entries after one (account id and number), by account; none at the end.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn caused_after(
        &self,
        range: &CausedRange,
        last: (i64, i64),
    ) -> Result<Vec<CausedEntry>, ReadError> {
        let entries = || after(self.database.read(), range, last);
        Ok(self.database.again(entries).await?)
    }
}

async fn after(
    db: &impl ConnectionTrait,
    range: &CausedRange,
    (account_id, seq): (i64, i64),
) -> Result<Vec<CausedEntry>, DbErr> {
    let origins = Query::select()
        .column(origin::Column::Id)
        .from(origin::Entity)
        .cond_where(named(&range.origin))
        .take();
    let same_account = Condition::all()
        .add(entry::Column::AccountId.eq(account_id))
        .add(entry::Column::Seq.gt(seq));
    let further = Condition::any()
        .add(entry::Column::AccountId.gt(account_id))
        .add(same_account);
    let rows = entry::Entity::find()
        .filter(entry::Column::AccountId.gte(account_id))
        .filter(further)
        .filter(entry::Column::OriginId.in_subquery(origins))
        .filter(entry::Column::At.gte(range.from))
        .filter(entry::Column::At.lt(range.until))
        .order_by_asc(entry::Column::AccountId)
        .order_by_asc(entry::Column::Seq)
        .limit(ROWS)
        .all(db)
        .await?;
    let ids = rows.iter().map(|row| row.account_id);
    let accounts = account::Entity::find().filter(account::Column::Id.is_in(ids));
    let accounts: HashMap<i64, AccountKey> = accounts
        .all(db)
        .await?
        .into_iter()
        .map(|account| {
            let (owner, asset) = (account.owner, account.asset);
            (account.id, AccountKey { owner, asset })
        })
        .collect();
    let caused = |row: entry::Model| {
        let account = accounts.get(&row.account_id).cloned();
        Ok(CausedEntry {
            account_id: row.account_id,
            account: account.ok_or_else(|| DbErr::Custom("an entry without an account".into()))?,
            seq: row.seq,
            at: row.at,
            amount: row.amount,
            contra: row.contra,
            reference: row.reference,
            request_id: row.request_id,
        })
    };
    rows.into_iter().map(caused).collect()
}

/// The origins that a name means. A caller's name may hold the sign that separates its parts.
fn named(name: &str) -> Condition {
    let Some((dialect, rest)) = name.split_once('/') else {
        return Condition::all().add(origin::Column::Dialect.eq(name));
    };
    let mut callers = Condition::any().add(origin::Column::Caller.eq(rest));
    if let Some((caller, key)) = rest.rsplit_once('/') {
        let of_key = Condition::all()
            .add(origin::Column::Caller.eq(caller))
            .add(origin::Column::CallerKey.eq(key));
        callers = callers.add(of_key);
    }
    let of_dialect = origin::Column::Dialect.eq(dialect);
    Condition::all().add(of_dialect).add(callers)
}
