//! Saves what a batch changed, in a few set statements.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr};
use serde::ser::{Serialize, SerializeTuple, Serializer};

use crate::ledger::book::account::{Account, Lot};
use crate::ledger::book::changes::{Changes, ContraGain};
use crate::ledger::book::entry::Entry;
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::key::Key;
use crate::ledger::book::lots::write_changes;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::database::backend::Backend;
use crate::ledger::database::lock::{Lock, lock_shared};
use crate::ledger::database::retry::RENAMED;
use crate::ledger::database::statements::{self, Pipeline};
use crate::ledger::write::sets::{account_rows, at, invalid};
use crate::ledger::write::{actions, allowances, freezes, payments, tallies};

/// The accounts' numbers in the database.
struct Ids(HashMap<AccountKey, i64>);

impl Ids {
    fn of(&self, key: &AccountKey) -> Result<i64, DbErr> {
        let id = self.0.get(key).copied();
        id.ok_or_else(|| invalid("an account without a row"))
    }
}

/// Saves what a batch changed; the contra accounts and tallies gain in this shard of them.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer or a constraint is broken; the caller must then roll back.
pub async fn save(db: &impl ConnectionTrait, changes: &Changes, shard: i64) -> Result<(), DbErr> {
    let ids = add_accounts(db, changes).await?;
    payments::save(db, &changes.payments).await?;
    let mut pipeline = Pipeline::new(db);
    let entries = changes.entries.iter();
    let entries = entries.map(|entry| EntryRow::of(ids.of(&entry.account)?, entry));
    let entries = entries.collect::<Result<Vec<_>, DbErr>>()?;
    pipeline.execute(&statements::ADD_ENTRIES, &entries).await?;
    save_lots(&mut pipeline, changes, &ids).await?;
    let gains = changes.contra_gains.iter();
    let gains: Vec<_> = gains
        .map(|((asset, contra), gain)| {
            let ContraGain {
                points,
                entries,
                checksum,
            } = gain;
            (asset, contra.name(), shard, points, entries, checksum)
        })
        .collect();
    pipeline
        .execute(&statements::ADD_TO_CONTRAS, &gains)
        .await?;
    let nonces = changes.nonces.iter();
    let nonces: Vec<_> = nonces
        .map(|nonce| {
            let fingerprint = nonce.fingerprint.map(|it| hex::encode(it.bytes()));
            (nonce.at, hex::encode(nonce.key.bytes()), fingerprint)
        })
        .collect();
    pipeline.execute(&statements::ADD_NONCES, &nonces).await?;
    actions::save(&mut pipeline, changes).await?;
    allowances::save(&mut pipeline, changes).await?;
    tallies::save(&mut pipeline, changes, shard).await?;
    // At the end: PostgreSQL locks an account for each row that points to it. The lock that loading took covers that, unless
    // the account has been changed since.
    set_accounts(&mut pipeline, changes.accounts.values()).await?;
    pipeline.finish().await
}

/// Adds the new accounts, and gives every account's number.
async fn add_accounts(db: &impl ConnectionTrait, changes: &Changes) -> Result<Ids, DbErr> {
    let accounts = &changes.accounts;
    let mut ids = HashMap::with_capacity(accounts.len());
    let (mut rows, mut added) = (Vec::new(), Vec::new());
    for (key, account) in accounts {
        if let Some(id) = account.id {
            ids.insert(key.clone(), id);
            continue;
        }
        rows.push((
            &key.asset,
            &key.owner,
            account.balance,
            account.last_seq,
            account.income_seq,
            account.last_at,
            next_expiry(account),
            hex::encode(account.head),
        ));
        added.push(key);
    }
    statements::execute(db, &statements::ADD_ACCOUNTS, &rows).await?;
    check_names(db, &added, &changes.frozen).await?;
    let rows = account_rows(&added);
    for (place, id) in
        statements::query::<(usize, i64)>(db, &statements::ACCOUNT_IDS, &rows, []).await?
    {
        ids.insert((*at(&added, place)?).clone(), id);
    }
    Ok(Ids(ids))
}

/// Makes sure that no owner of a new account was linked or frozen since the account's name was looked up; until the commit, a link or
/// a freeze has to wait. On SQLite nobody else writes in between.
async fn check_names(
    db: &impl ConnectionTrait,
    added: &[&AccountKey],
    frozen: &HashMap<String, FreezeScope>,
) -> Result<(), DbErr> {
    if added.is_empty() || !Backend::of(db).writes_concurrently() {
        return Ok(());
    }
    lock_shared(db, Lock::Identities).await?;
    let names: Vec<&str> = added.iter().map(|key| key.owner.as_str()).collect();
    let linked = statements::owners(db, &account_rows(added)).await?;
    match linked.is_empty() {
        true => freezes::check(db, &names, frozen).await,
        false => Err(invalid(RENAMED)),
    }
}

async fn save_lots(
    pipeline: &mut Pipeline<'_, impl ConnectionTrait>,
    changes: &Changes,
    ids: &Ids,
) -> Result<(), DbErr> {
    let rows = |lots: &[(AccountKey, Lot)]| {
        let rows = lots.iter();
        let rows = rows.map(|(key, lot)| Ok((ids.of(key)?, lot.expires_at, lot.remaining)));
        rows.collect::<Result<Vec<_>, DbErr>>()
    };
    let opened = rows(&changes.opened_lots)?;
    pipeline.execute(&statements::ADD_LOTS, &opened).await?;
    let changed = rows(&changes.changed_lots)?;
    pipeline.execute(&statements::SET_LOTS, &changed).await?;
    let emptied = changes.emptied_lots.iter();
    let emptied = emptied.map(|(key, expires_at)| Ok((ids.of(key)?, *expires_at)));
    let emptied = emptied.collect::<Result<Vec<_>, DbErr>>()?;
    pipeline.execute(&statements::DROP_LOTS, &emptied).await
}

/// Updates the accounts that had a row before.
async fn set_accounts<'a>(
    pipeline: &mut Pipeline<'_, impl ConnectionTrait>,
    accounts: impl Iterator<Item = &'a Account>,
) -> Result<(), DbErr> {
    let row = |account: &Account| {
        Some((
            account.id?,
            account.balance,
            account.last_seq,
            account.income_seq,
            account.last_at,
            next_expiry(account),
            hex::encode(account.head),
        ))
    };
    let rows: Vec<_> = accounts.filter_map(row).collect();
    pipeline.execute(&statements::SET_ACCOUNTS, &rows).await
}

/// The expiry of the lot that expires first.
fn next_expiry(account: &Account) -> Option<i64> {
    account.lots.first().map(|lot| lot.expires_at)
}

/// The row of a new entry.
struct EntryRow<'e> {
    account_id: i64,
    origin_id: i64,
    entry: &'e Entry,
}

impl<'e> EntryRow<'e> {
    fn of(account_id: i64, entry: &'e Entry) -> Result<EntryRow<'e>, DbErr> {
        match entry.origin {
            Some(origin) if origin.id > 0 => Ok(EntryRow {
                account_id,
                origin_id: origin.id,
                entry,
            }),
            _ => Err(invalid("an entry whose origin has no row")),
        }
    }
}

impl Serialize for EntryRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.entry;
        let key = |key: Key| hex::encode(key.bytes());
        let idempotency = entry.idempotency;
        let mut row = serializer.serialize_tuple(statements::ADD_ENTRIES.columns.len())?;
        row.serialize_element(&self.account_id)?;
        row.serialize_element(&entry.seq)?;
        row.serialize_element(&entry.at)?;
        row.serialize_element(&entry.reason.0)?;
        row.serialize_element(&entry.amount)?;
        row.serialize_element(&entry.balance_after)?;
        row.serialize_element(entry.contra.name())?;
        row.serialize_element(&entry.direction())?;
        row.serialize_element(&entry.direction_seq)?;
        row.serialize_element(&entry.reference)?;
        row.serialize_element(&entry.message)?;
        row.serialize_element(&entry.operator)?;
        row.serialize_element(&hex::encode(entry.hash))?;
        row.serialize_element(&idempotency.map(|record| key(record.key)))?;
        row.serialize_element(&idempotency.map(|record| key(record.fingerprint)))?;
        row.serialize_element(&idempotency.map(|record| record.balance))?;
        row.serialize_element(&entry.format.version())?;
        row.serialize_element(&entry.recorded_at)?;
        row.serialize_element(&self.origin_id)?;
        row.serialize_element(&entry.request_id.as_deref())?;
        row.serialize_element(&write_changes(&entry.lots))?;
        row.serialize_element(&entry.order.map(key))?;
        row.end()
    }
}
