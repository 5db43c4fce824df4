//! Saves what a batch changed, in a few set statements.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;

use crate::ledger::book::account::{Account, Lot};
use crate::ledger::book::changes::Changes;
use crate::ledger::book::entry::Entry;
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::database::backend::Backend;
use crate::ledger::database::lock::{Lock, lock_shared};
use crate::ledger::database::retry::RENAMED;
use crate::ledger::database::statements::{self, Pipeline};
use crate::ledger::write::sets::{account_rows, at, invalid};
use crate::ledger::write::{actions, allowances, freezes, payments};

/// The accounts' numbers in the database.
struct Ids(HashMap<AccountKey, i64>);

impl Ids {
    fn of(&self, key: &AccountKey) -> Result<i64, DbErr> {
        let id = self.0.get(key).copied();
        id.ok_or_else(|| invalid("an account without a row"))
    }
}

/// Saves what a batch changed; the contra accounts gain in this shard of them.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer or a constraint is broken; the caller must then roll back.
pub async fn save(db: &impl ConnectionTrait, changes: &Changes, shard: i64) -> Result<(), DbErr> {
    let ids = add_accounts(db, changes).await?;
    payments::save(db, &changes.payments).await?;
    let mut pipeline = Pipeline::new(db);
    let entries = changes.entries.iter();
    let entries = entries.map(|entry| Ok(entry_row(ids.of(&entry.account)?, entry)));
    let entries = entries.collect::<Result<Vec<_>, DbErr>>()?;
    pipeline.execute(&statements::ADD_ENTRIES, &entries).await?;
    save_lots(&mut pipeline, changes, &ids).await?;
    save_allocations(&mut pipeline, changes, &ids).await?;
    let gains = changes.contra_gains.iter();
    let gains: Vec<_> = gains
        .map(|((asset, contra), gain)| (asset, contra.name(), shard, gain))
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
    let linked =
        statements::query::<(usize, String)>(db, &statements::IDENTITIES, &names, []).await?;
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

async fn save_allocations(
    pipeline: &mut Pipeline<'_, impl ConnectionTrait>,
    changes: &Changes,
    ids: &Ids,
) -> Result<(), DbErr> {
    let mut rows = Vec::new();
    for (order, (account, allocations)) in &changes.allocations {
        let (order, id) = (hex::encode(order.bytes()), ids.of(account)?);
        rows.extend(allocations.iter().map(|allocation| {
            (
                order.clone(),
                id,
                allocation.spend_seq,
                allocation.expires_at,
                allocation.drawn,
                allocation.returned,
            )
        }));
    }
    pipeline.execute(&statements::SET_ALLOCATIONS, &rows).await
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

fn entry_row(account_id: i64, entry: &Entry) -> impl Serialize {
    let idempotency = entry.idempotency;
    (
        account_id,
        entry.seq,
        entry.at,
        entry.reason.0,
        entry.amount,
        entry.balance_after,
        entry.contra.name(),
        entry.direction(),
        entry.direction_seq,
        entry.reference.as_deref(),
        entry.message.as_deref(),
        entry.operator,
        hex::encode(entry.hash),
        idempotency.map(|record| hex::encode(record.key.bytes())),
        idempotency.map(|record| hex::encode(record.fingerprint.bytes())),
        idempotency.map(|record| record.balance),
    )
}
