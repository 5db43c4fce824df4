//! The ledger's rows: what a batch of units touches is loaded into a [`Book`] in a few set queries, and what it
//! changed is written back in a few set statements.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use serde::Serialize;

use crate::ledger::book::entry::{self, Hash};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{AccountKey, Nonce, Posting, PostingKind, Transaction};
use crate::ledger::book::{Account, Book, Changes, Draw, Lot, Used};
use crate::ledger::database::lock::{Held, hold};
use crate::ledger::database::statements::{self, Script};
use crate::ledger::write::actions;
use crate::ledger::write::retry::RENAMED;

/// What an answer is that names no row of the question.
const UNASKED: &str = "an answer to what was not asked";

/// Place, id, owner, balance, last_seq, income_seq, last_at and head.
type AccountRow = (usize, i64, String, i64, i64, i64, i64, String);

/// Loads what `units` touch.
///
/// # Errors
/// Where the database does not answer, or holds a row that the ledger cannot have written.
pub async fn load(db: &impl ConnectionTrait, units: &[&Transaction]) -> Result<Book, DbErr> {
    let mut book = Book::default();
    load_postings(db, units, &mut book).await?;
    let nonces = distinct(units.iter().filter_map(|unit| unit.nonce));
    for (place,) in
        statements::ask::<(usize,)>(db, &statements::NONCES, &nonce_rows(&nonces), []).await?
    {
        book.put_spent(*named(&nonces, place)?);
    }
    actions::load(db, units, &mut book).await?;
    Ok(book)
}

async fn load_postings(
    db: &impl ConnectionTrait,
    units: &[&Transaction],
    book: &mut Book,
) -> Result<(), DbErr> {
    let postings = || units.iter().flat_map(|unit| &unit.postings);
    load_accounts(db, postings().map(|posting| &posting.account), book).await?;
    let guards = distinct(postings().flat_map(|posting| {
        let once = posting.idempotency.map(|once| once.key);
        once.into_iter().chain(posting.requires)
    }));
    for row in statements::ask::<(usize, String, i64)>(db, &statements::GUARDS, &hexed(&guards), [])
        .await?
    {
        let (place, content, balance) = row;
        let content =
            Key::from_hex(&content).ok_or_else(|| off("a key that is not 16 bytes long"))?;
        book.put_used(*named(&guards, place)?, Used { content, balance });
    }
    let orders = distinct(postings().filter_map(order_of));
    let mut draws: Vec<(usize, i64, i64, i64, i64)> =
        statements::ask(db, &statements::DRAWS, &hexed(&orders), []).await?;
    // The order in which they were made: oldest spend first and, within one, soonest expiry first.
    draws.sort_unstable_by_key(|&(_, spend_seq, expires_at, ..)| (spend_seq, expires_at));
    for (place, spend_seq, expires_at, drawn, returned) in draws {
        book.put_draw(
            *named(&orders, place)?,
            Draw {
                spend_seq,
                expires_at,
                drawn,
                returned,
            },
        );
    }
    Ok(())
}

/// Loads accounts by the names that they are asked for.
async fn load_accounts<'u>(
    db: &impl ConnectionTrait,
    keys: impl Iterator<Item = &'u AccountKey>,
    book: &mut Book,
) -> Result<(), DbErr> {
    let keys = distinct(keys);
    // From here on what is read stays true until the commit: whoever wants these accounts waits.
    let rows = statements::ask::<AccountRow>(db, &statements::ACCOUNTS, &words(&keys), []).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.1).collect();
    let mut lots = vec![Vec::new(); ids.len()];
    for (place, expires_at, remaining) in
        statements::ask::<(usize, i64, i64)>(db, &statements::LOTS, &ids, []).await?
    {
        let lots = lots.get_mut(place).ok_or_else(|| off(UNASKED))?;
        lots.push(Lot {
            expires_at,
            remaining,
        });
    }
    let mut missing: BTreeSet<&AccountKey> = keys.iter().copied().collect();
    for (row, mut lots) in rows.into_iter().zip(lots) {
        let (place, id, owner, balance, last_seq, income_seq, last_at, head) = row;
        lots.sort_unstable_by_key(|lot| lot.expires_at);
        let account = Account {
            id: Some(id),
            balance,
            last_seq,
            income_seq,
            last_at,
            head: hash_of(&head)?,
            lots,
        };
        let asked = *named(&keys, place)?;
        missing.remove(asked);
        if owner != asked.owner {
            book.put_alias(asked.owner.clone(), owner.clone());
        }
        let asset = asked.asset.clone();
        book.put_account(AccountKey { owner, asset }, account);
    }
    // Whoever has no such account yet may have another name all the same.
    let names = distinct(missing.iter().map(|key| key.owner.as_str()));
    for (place, owner) in
        statements::ask::<(usize, String)>(db, &statements::ALIASES, &names, []).await?
    {
        book.put_alias((*named(&names, place)?).to_owned(), owner);
    }
    Ok(())
}

/// Whether a nonce has been spent.
///
/// # Errors
/// Where the database does not answer.
pub async fn is_spent(db: &impl ConnectionTrait, nonce: Nonce) -> Result<bool, DbErr> {
    let found =
        statements::ask::<(usize,)>(db, &statements::NONCES, &nonce_rows(&[nonce]), []).await?;
    Ok(!found.is_empty())
}

/// Writes what a batch changed, and what counter accounts gain into this shard of them.
///
/// # Errors
/// Where the database does not answer or one of its constraints is broken; the transaction is then to be given up.
pub async fn save(db: &impl ConnectionTrait, changes: &Changes, shard: i64) -> Result<(), DbErr> {
    let ids = add_accounts(db, &changes.accounts).await?;
    let id_of = |key: &AccountKey| {
        let id = ids.get(key).copied();
        id.ok_or_else(|| off("an account without a row"))
    };
    let entries = changes
        .entries
        .iter()
        .map(|entry| Ok(entry_row(id_of(&entry.account)?, entry)));
    let entries = entries.collect::<Result<Vec<_>, DbErr>>()?;
    let mut script = Script::new(db);
    script.tell(&statements::ADD_ENTRIES, &entries).await?;

    let lots = |lots: &[(AccountKey, Lot)]| {
        let rows = lots.iter();
        let rows = rows.map(|(key, lot)| Ok((id_of(key)?, lot.expires_at, lot.remaining)));
        rows.collect::<Result<Vec<_>, DbErr>>()
    };
    script
        .tell(&statements::ADD_LOTS, &lots(&changes.opened)?)
        .await?;
    script
        .tell(&statements::SET_LOTS, &lots(&changes.changed)?)
        .await?;
    let emptied = changes
        .emptied
        .iter()
        .map(|(key, expires_at)| Ok((id_of(key)?, *expires_at)));
    let emptied = emptied.collect::<Result<Vec<_>, DbErr>>()?;
    script.tell(&statements::DROP_LOTS, &emptied).await?;

    let mut draws = Vec::new();
    for (order, (account, rows)) in &changes.draws {
        let (order, id) = (hex::encode(order.bytes()), id_of(account)?);
        draws.extend(rows.iter().map(|row| {
            (
                order.clone(),
                id,
                row.spend_seq,
                row.expires_at,
                row.drawn,
                row.returned,
            )
        }));
    }
    script.tell(&statements::SET_DRAWS, &draws).await?;

    let gains = changes.counters.iter();
    let gains = gains.map(|((asset, counter), gain)| (asset, counter.name(), shard, gain));
    script
        .tell(&statements::ADD_TO_COUNTERS, &gains.collect::<Vec<_>>())
        .await?;
    let mut nonces = nonce_rows(&changes.nonces);
    if db.get_database_backend() != DbBackend::Sqlite {
        nonces.extend(nonce_rows(&changes.turns));
    }
    script.tell(&statements::ADD_NONCES, &nonces).await?;
    actions::save(&mut script, &changes.actions).await?;
    // At the end: to PostgreSQL, which locks an account for each row that points to it, one that has been locked since it was
    // loaded is nothing new, and one that has been changed since is.
    set_accounts(&mut script, changes.accounts.values()).await?;
    script.end().await
}

/// Adds the accounts that are new, and gives everyone's number.
async fn add_accounts(
    db: &impl ConnectionTrait,
    accounts: &BTreeMap<AccountKey, Account>,
) -> Result<HashMap<AccountKey, i64>, DbErr> {
    let mut ids = HashMap::with_capacity(accounts.len());
    let (mut rows, mut added) = (Vec::new(), Vec::new());
    for (key, a) in accounts {
        if let Some(id) = a.id {
            ids.insert(key.clone(), id);
            continue;
        }
        rows.push((
            &key.asset,
            &key.owner,
            a.balance,
            a.last_seq,
            a.income_seq,
            a.last_at,
            next_expiry(a),
            hex::encode(a.head),
        ));
        added.push(key);
    }
    statements::tell(db, &statements::ADD_ACCOUNTS, &rows).await?;
    check_names(db, &added).await?;
    for (place, id) in
        statements::ask::<(usize, i64)>(db, &statements::ACCOUNT_IDS, &words(&added), []).await?
    {
        ids.insert((*named(&added, place)?).clone(), id);
    }
    Ok(ids)
}

/// Changes the accounts that were there before.
async fn set_accounts<'a>(
    script: &mut Script<'_, impl ConnectionTrait>,
    accounts: impl Iterator<Item = &'a Account>,
) -> Result<(), DbErr> {
    let row = |a: &Account| {
        let id = a.id?;
        let head = hex::encode(a.head);
        let next_expiry = next_expiry(a);
        Some((
            id,
            a.balance,
            a.last_seq,
            a.income_seq,
            a.last_at,
            next_expiry,
            head,
        ))
    };
    let rows: Vec<_> = accounts.filter_map(row).collect();
    script.tell(&statements::SET_ACCOUNTS, &rows).await
}

/// When the first of its points lapse.
fn next_expiry(account: &Account) -> Option<i64> {
    account.lots.first().map(|lot| lot.expires_at)
}

/// Makes sure that none of these owners' names has been joined with another one since it was looked up; from here on who
/// wants to join names waits. SQLite lets nobody write in between anyway.
async fn check_names(db: &impl ConnectionTrait, added: &[&AccountKey]) -> Result<(), DbErr> {
    if added.is_empty() || db.get_database_backend() == DbBackend::Sqlite {
        return Ok(());
    }
    hold(db, Held::Names, false).await?;
    let names: Vec<_> = added.iter().map(|key| &key.owner).collect();
    let renamed = statements::ask::<(usize, String)>(db, &statements::ALIASES, &names, []).await?;
    match renamed.is_empty() {
        true => Ok(()),
        false => Err(off(RENAMED)),
    }
}

/// Accounts as the rows `(asset, owner)` of a set statement.
fn words<'k>(keys: &[&'k AccountKey]) -> Vec<(&'k str, &'k str)> {
    keys.iter()
        .map(|key| (key.asset.as_str(), key.owner.as_str()))
        .collect()
}

/// Nonces as the rows `(time, key)` of a set statement.
fn nonce_rows(nonces: &[Nonce]) -> Vec<(i64, String)> {
    nonces
        .iter()
        .map(|nonce| (nonce.at, hex::encode(nonce.key.bytes())))
        .collect()
}

pub(super) fn hexed(keys: &[Key]) -> Vec<String> {
    keys.iter().map(|key| hex::encode(key.bytes())).collect()
}

pub(super) fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

/// What stands at the place that a set query names.
pub(super) fn named<T>(rows: &[T], place: usize) -> Result<&T, DbErr> {
    rows.get(place).ok_or_else(|| off(UNASKED))
}

fn entry_row(account_id: i64, entry: &entry::Entry) -> impl Serialize {
    let once = entry.guard.map(|guard| guard.idempotency);
    (
        account_id,
        entry.seq,
        entry.at,
        entry.reason.0,
        entry.amount,
        entry.balance_after,
        entry.counter.name(),
        entry.direction(),
        entry.direction_seq,
        entry.reference.as_deref(),
        entry.message.as_deref(),
        entry.operator,
        hex::encode(entry.hash),
        once.map(|once| hex::encode(once.key.bytes())),
        once.map(|once| hex::encode(once.fingerprint.bytes())),
        entry.guard.map(|guard| guard.answered),
    )
}

fn order_of(posting: &Posting) -> Option<Key> {
    match posting.kind {
        PostingKind::Spend { order, .. } => order,
        PostingKind::Return { order, .. } => Some(order),
        PostingKind::Earn { .. } | PostingKind::SpendUpTo { .. } | PostingKind::Lapse { .. } => {
            None
        }
    }
}

fn hash_of(text: &str) -> Result<Hash, DbErr> {
    let mut hash = Hash::default();
    match hex::decode_to_slice(text, &mut hash) {
        Ok(()) => Ok(hash),
        Err(_) => Err(off("a hash that is not 32 bytes long")),
    }
}

fn off(why: &str) -> DbErr {
    DbErr::Custom(why.into())
}
