//! The audit of what older versions left without a hash: the journal vouches for it.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use entity::{account, entry, identity, opening};
use futures_util::TryStreamExt;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    StreamTrait,
};

use super::AuditError;
use super::chain::{Vouched, check_journal};
use crate::ledger::book::entry::Format;
use crate::ledger::book::journal::{JournalEvent, Operator};
use crate::ledger::book::names::NameLink;
use crate::ledger::book::openings::{OldEntry, OldRecords, digest_of};
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::database::Database;
use crate::ledger::upkeep::journal;

/// The accounts in memory at a time.
const ACCOUNTS: u64 = 256;

/// Lets the journal vouch for what older versions left without a hash, unless it does.
///
/// # Errors
/// Returns [`AuditError`] if the database fails, or if the journal is inconsistent.
pub async fn take_over(database: &Database, now: i64) -> Result<(), AuditError> {
    if !may_be_left(database.read()).await? {
        return Ok(());
    }
    let (vouched, old) = left(database.read()).await?;
    if vouched.format.is_some() || old.is_empty() {
        return Ok(());
    }
    let db = database.begin_write().await?;
    journal::lock_journal(&db).await?;
    // Another instance may have been first, or may have linked a name between the two reads before.
    let (vouched, old) = left(&*db).await?;
    if vouched.format.is_some() || old.is_empty() {
        return Ok(());
    }
    let event = JournalEvent::FormatTaken {
        digest: hex::encode(old.digest()),
        openings: old.openings,
        identities: old.identities,
    };
    let operator = Operator {
        user: "pointgate".to_owned(),
        request_id: "migration".to_owned(),
    };
    journal::append(&db, &event, now, operator).await?;
    db.commit().await?;
    Ok(())
}

/// Whether older versions can have left anything for which the journal does not vouch: what a start asks before it reads the journal.
async fn may_be_left(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let format = entity::journal::Entity::find().filter(entity::journal::Column::Kind.eq("format"));
    if format.one(db).await?.is_some() {
        return Ok(false);
    }
    let opening = opening::Entity::find().one(db).await?;
    Ok(opening.is_some() || identity::Entity::find().one(db).await?.is_some())
}

/// What the journal says, and, if it vouches for nothing yet, what older versions left.
async fn left(
    db: &(impl ConnectionTrait + StreamTrait),
) -> Result<(Vouched, OldRecords), AuditError> {
    let vouched = check_journal(db).await?;
    let mut old = OldRecords::default();
    if vouched.format.is_none() {
        add_openings(db, &mut old).await?;
        add_identities(db, &vouched.links, &mut old).await?;
    }
    Ok((vouched, old))
}

/// Adds the openings of all accounts as they are.
async fn add_openings(
    db: &(impl ConnectionTrait + StreamTrait),
    old: &mut OldRecords,
) -> Result<(), DbErr> {
    let mut last_id = i64::MIN;
    loop {
        let openings = opening::Entity::find()
            .filter(opening::Column::AccountId.gt(last_id))
            .order_by_asc(opening::Column::AccountId)
            .limit(ACCOUNTS);
        let openings = openings.all(db).await?;
        let (Some(first), Some(last)) = (openings.first(), openings.last()) else {
            return Ok(());
        };
        let ids = (first.account_id, last.account_id);
        last_id = ids.1;
        let accounts = account::Entity::find().filter(account::Column::Id.between(ids.0, ids.1));
        let accounts = accounts.all(db).await?.into_iter();
        let accounts: HashMap<i64, account::Model> = accounts.map(|row| (row.id, row)).collect();
        let mut old_entries = old_entries(db, ids).await?;
        for row in openings {
            let Some(account) = accounts.get(&row.account_id) else {
                continue;
            };
            let key = AccountKey {
                owner: account.owner.clone(),
                asset: account.asset.clone(),
            };
            let entries = old_entries.remove(&row.account_id).unwrap_or_default();
            old.add_opening(&digest_of(&key, row.seq, &row.lots, &entries));
        }
    }
}

/// What the entries of the first format state beside their hashes, by account.
async fn old_entries(
    db: &(impl ConnectionTrait + StreamTrait),
    ids: (i64, i64),
) -> Result<HashMap<i64, Vec<OldEntry>>, DbErr> {
    let mut old: HashMap<i64, Vec<OldEntry>> = HashMap::new();
    let rows = entry::Entity::find()
        .filter(entry::Column::AccountId.between(ids.0, ids.1))
        .filter(entry::Column::Version.eq(Format::First.version()))
        .order_by_asc(entry::Column::AccountId)
        .order_by_asc(entry::Column::Seq);
    let mut rows = pin!(rows.stream(db).await?);
    while let Some(row) = rows.try_next().await? {
        let entry = old_entry(&row);
        if !entry.is_empty() {
            old.entry(row.account_id).or_default().push(entry);
        }
    }
    Ok(old)
}

/// What an entry of the first format states beside its hash.
pub fn old_entry(row: &entry::Model) -> OldEntry {
    OldEntry {
        seq: row.seq,
        order: row.order_key.as_ref().map(hex::encode),
        lots: row.lots.clone(),
        fingerprint: row.fingerprint.as_ref().map(hex::encode),
        balance: row.idempotency_balance,
    }
}

/// Adds the identities that the journal did not link, which are those of before it began. Returns a name of the journal's that is not
/// there, if there is one.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn add_identities(
    db: &impl ConnectionTrait,
    links: &HashSet<NameLink>,
    old: &mut OldRecords,
) -> Result<Option<String>, DbErr> {
    let identities = identity::Entity::find().order_by_asc(identity::Column::Name);
    let mut missing: HashSet<&NameLink> = links.iter().collect();
    let mut unexplained = Vec::new();
    for row in identities.all(db).await? {
        let link = NameLink {
            name: row.name,
            asset: row.asset,
            owner: row.owner,
        };
        if !missing.remove(&link) {
            unexplained.push(link);
        }
    }
    // Databases sort texts differently.
    unexplained.sort_unstable();
    for NameLink { name, asset, owner } in &unexplained {
        old.add_identity(name, asset, owner);
    }
    Ok(missing.into_iter().map(|link| link.name.clone()).min())
}
