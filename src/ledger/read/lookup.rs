//! Entries and accounts as an operator looks for them: by their names, or by the request that caused them.

use std::collections::{HashMap, HashSet};

use entity::{account, entry, identity, lot};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::ledger::Ledger;
use crate::ledger::book::account::Lot;
use crate::ledger::book::hash::Hash;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::read::entries;
use crate::ledger::read::walk::{KnownEntry, WalkError};

/// The most entries of one request that are read. A request makes a few; one of a trusted proxy names itself, and may do so twice.
const MOST: u64 = 1000;

/// An account as the tables say it is, with its newest entries.
#[derive(Clone, Debug)]
pub struct KnownAccount {
    /// The account under the name of its owner.
    pub account: AccountKey,
    /// Points, including those that are due.
    pub balance: i64,
    /// The number of entries.
    pub last_seq: i64,
    /// Its lots, those that expire soonest first.
    pub lots: Vec<Lot>,
    /// The newest entries, newest first.
    pub newest: Vec<KnownEntry>,
}

impl Ledger {
    /// The entry of an account with this number. `None` if there is none.
    ///
    /// # Errors
    /// Returns [`WalkError`] if the database does not answer, or if the entry cannot be read.
    pub async fn entry(&self, key: &AccountKey, seq: i64) -> Result<Option<KnownEntry>, WalkError> {
        let db = self.database.read();
        let account = account::Entity::find()
            .filter(account::Column::Owner.eq(key.owner.as_str()))
            .filter(account::Column::Asset.eq(key.asset.as_str()));
        let Some(account) = account.one(db).await? else {
            return Ok(None);
        };
        let row = entry::Entity::find_by_id((account.id, seq)).one(db).await?;
        let accounts = HashMap::from([(account.id, key.clone())]);
        let known = known(db, row.into_iter().collect(), &accounts).await?;
        Ok(known.into_iter().next())
    }

    /// The entries that a request caused, in the order in which they were recorded.
    ///
    /// # Errors
    /// As [`Ledger::entry`].
    pub async fn entries_of_request(&self, request_id: &str) -> Result<Vec<KnownEntry>, WalkError> {
        let db = self.database.read();
        let rows = entry::Entity::find()
            .filter(entry::Column::RequestId.eq(request_id))
            .order_by_asc(entry::Column::RecordedAt)
            .order_by_asc(entry::Column::AccountId)
            .order_by_asc(entry::Column::Seq)
            .limit(MOST);
        let rows = rows.all(db).await?;
        let ids: HashSet<i64> = rows.iter().map(|row| row.account_id).collect();
        let accounts = account::Entity::find().filter(account::Column::Id.is_in(ids));
        let accounts = accounts.all(db).await?.into_iter();
        let accounts = accounts.map(|row| {
            let (owner, asset) = (row.owner, row.asset);
            (row.id, AccountKey { owner, asset })
        });
        known(db, rows, &accounts.collect()).await
    }

    /// The accounts under a name of an owner, in the order of their assets, each with at most `entries` of its entries.
    ///
    /// # Errors
    /// As [`Ledger::entry`].
    pub async fn accounts_of(
        &self,
        name: &str,
        entries: u64,
    ) -> Result<Vec<KnownAccount>, WalkError> {
        let db = self.database.read();
        let mut accounts = Vec::new();
        for row in accounts_under(db, name).await? {
            accounts.push(known_account(db, row, entries).await?);
        }
        Ok(accounts)
    }
}

/// The rows of the accounts that a name of an owner leads to, in the order of their assets.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn accounts_under(
    db: &impl ConnectionTrait,
    name: &str,
) -> Result<Vec<account::Model>, DbErr> {
    let identities = identity::Entity::find().filter(identity::Column::Name.eq(name));
    let identities = identities.all(db).await?.into_iter();
    let owners: HashMap<String, String> = identities.map(|row| (row.asset, row.owner)).collect();
    let names = owners.values().map(String::as_str).chain([name]);
    let rows = account::Entity::find()
        .filter(account::Column::Owner.is_in(names))
        .order_by_asc(account::Column::Asset);
    let mut rows = rows.all(db).await?;
    rows.retain(|row| {
        let owner = owners.get(&row.asset).or_else(|| owners.get(""));
        owner.map_or(name, String::as_str) == row.owner
    });
    Ok(rows)
}

async fn known_account(
    db: &DatabaseConnection,
    row: account::Model,
    entries: u64,
) -> Result<KnownAccount, WalkError> {
    let lots = lot::Entity::find()
        .filter(lot::Column::AccountId.eq(row.id))
        .order_by_asc(lot::Column::ExpiresAt);
    let lots = lots.all(db).await?.into_iter().map(|lot| Lot {
        expires_at: lot.expires_at,
        remaining: lot.remaining,
    });
    let newest = entry::Entity::find()
        .filter(entry::Column::AccountId.eq(row.id))
        .order_by_desc(entry::Column::Seq)
        .limit(entries);
    let account = AccountKey {
        owner: row.owner,
        asset: row.asset,
    };
    let names = HashMap::from([(row.id, account.clone())]);
    Ok(KnownAccount {
        newest: known(db, newest.all(db).await?, &names).await?,
        account,
        balance: row.balance,
        last_seq: row.last_seq,
        lots: lots.collect(),
    })
}

/// Entries with their origins, as their rows say; whether the rows are right is for the audit to say.
async fn known(
    db: &DatabaseConnection,
    rows: Vec<entry::Model>,
    accounts: &HashMap<i64, AccountKey>,
) -> Result<Vec<KnownEntry>, WalkError> {
    let ids: HashSet<i64> = rows.iter().filter_map(|row| row.origin_id).collect();
    let origins = entries::origins(db, &ids).await?;
    let digests = origins.iter().map(|(id, origin)| (*id, origin.digest()));
    let digests: HashMap<i64, Hash> = digests.collect();
    let read = |row: entry::Model| {
        let broken = |why: &str| {
            let entry = format!("entry {} of account {} {why}", row.seq, row.account_id);
            WalkError::Broken(entry)
        };
        let account = accounts.get(&row.account_id);
        let account = account.ok_or_else(|| broken("has no account"))?;
        let entry = entries::from_row(account, &row, &digests).map_err(broken)?;
        let origin = row.origin_id.and_then(|id| origins.get(&id).cloned());
        Ok(KnownEntry { entry, origin })
    };
    rows.into_iter().map(read).collect()
}
