//! Loads what a batch of transactions touches into a [`Book`], in a few set queries.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::book::Book;
use crate::ledger::book::account::{Account, Lot};
use crate::ledger::book::idempotency::IdempotencyRecord;
use crate::ledger::book::key::Key;
use crate::ledger::book::order;
use crate::ledger::book::transaction::{
    AccountKey, Nonce, Posting, PostingKind, Reason, Transaction,
};
use crate::ledger::database::retry::RENAMED;
use crate::ledger::database::statements;
use crate::ledger::write::sets::{
    account_rows, at, distinct, hexed, invalid, keyed_rows, read_hash, read_key,
};
use crate::ledger::write::{actions, allowances, corrections, freezes, payments};

/// Place, id, owner, balance, last_seq, income_seq, last_at and head.
type AccountRow = (usize, i64, String, i64, i64, i64, i64, String);

/// Loads what the transactions touch. On PostgreSQL and MySQL it locks their accounts.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer, or holds a row that the ledger cannot have written.
pub async fn load(
    db: &impl ConnectionTrait,
    transactions: &[&Transaction],
    expiry_reason: Reason,
) -> Result<Book, DbErr> {
    let mut book = Book::new(expiry_reason);
    let postings: Vec<&Posting> = transactions.iter().flat_map(|it| &it.postings).collect();
    load_accounts(db, &postings, &mut book).await?;
    freezes::load(db, &postings, &mut book).await?;
    load_idempotency(db, transactions, &mut book).await?;
    let corrected = corrections::load(db, &postings, &mut book).await?;
    load_allocations(db, &postings, &corrected, &mut book).await?;
    let nonces = distinct(transactions.iter().filter_map(|it| it.nonce));
    for (place, fingerprint) in spent(db, &nonces).await? {
        let fingerprint = fingerprint.map(|stored| read_key(&stored)).transpose()?;
        let nonce = *at(&nonces, place)?;
        book.put_spent_nonce(Nonce {
            fingerprint,
            ..nonce
        });
    }
    actions::load(db, transactions, &mut book).await?;
    allowances::load(db, transactions, &mut book).await?;
    payments::load(db, transactions, &mut book).await?;
    Ok(book)
}

/// Whether a nonce has been spent.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn is_spent(db: &impl ConnectionTrait, nonce: Nonce) -> Result<bool, DbErr> {
    Ok(!spent(db, &[nonce]).await?.is_empty())
}

/// The places of the nonces that have been spent, with the fingerprints of the requests that spent them.
async fn spent(
    db: &impl ConnectionTrait,
    nonces: &[Nonce],
) -> Result<Vec<(usize, Option<String>)>, DbErr> {
    let rows = keyed_rows(nonces.iter().map(|nonce| (nonce.at, nonce.key)));
    statements::query(db, &statements::NONCES, &rows, []).await
}

async fn load_accounts(
    db: &impl ConnectionTrait,
    postings: &[&Posting],
    book: &mut Book,
) -> Result<(), DbErr> {
    let debts = corrections::debts(postings);
    let posted = postings.iter().map(|posting| &posting.account);
    let keys = distinct(posted.clone().chain(&debts));
    // The accounts stay locked until the commit, so that what is read from here on stays true.
    let rows = account_rows(&keys);
    let rows = statements::query::<AccountRow>(db, &statements::ACCOUNTS, &rows, []).await?;
    let lots = lots_of(db, &rows).await?;
    let mut missing: BTreeSet<&AccountKey> = posted.collect();
    let mut empty = BTreeSet::new();
    for (row, lots) in rows.into_iter().zip(lots) {
        let (place, id, owner, balance, last_seq, income_seq, last_at, head) = row;
        let account = Account {
            id: Some(id),
            balance,
            last_seq,
            income_seq,
            last_at,
            head: read_hash(&head)?,
            lots,
        };
        let named = *at(&keys, place)?;
        missing.remove(named);
        match owner == named.owner {
            true if balance == 0 => {
                empty.insert(named);
            }
            true => {}
            false => book.put_identity(named.clone(), owner.clone()),
        }
        let asset = named.asset.clone();
        book.put_account(AccountKey { owner, asset }, account);
    }
    // An owner without an account of this asset may be linked all the same, and one whose account is empty may have been linked while
    // the look-up waited for its lock: a link leaves behind no account with points.
    let unsure: Vec<&AccountKey> = missing.union(&empty).copied().collect();
    for (place, owner) in statements::owners(db, &account_rows(&unsure)).await? {
        let named = *at(&unsure, place)?;
        if empty.contains(named) {
            return Err(invalid(RENAMED));
        }
        book.put_identity(named.clone(), owner);
    }
    Ok(())
}

/// The lots of each of these accounts, those that expire soonest first.
async fn lots_of(
    db: &impl ConnectionTrait,
    accounts: &[AccountRow],
) -> Result<Vec<Vec<Lot>>, DbErr> {
    let ids: Vec<i64> = accounts.iter().map(|row| row.1).collect();
    let mut lots = vec![Vec::new(); ids.len()];
    for (place, expires_at, remaining) in
        statements::query::<(usize, i64, i64)>(db, &statements::LOTS, &ids, []).await?
    {
        let lots = lots
            .get_mut(place)
            .ok_or_else(|| invalid("a lot of an account that was not in the query"))?;
        lots.push(Lot {
            expires_at,
            remaining,
        });
    }
    for lots in &mut lots {
        lots.sort_unstable_by_key(|lot| lot.expires_at);
    }
    Ok(lots)
}

async fn load_idempotency(
    db: &impl ConnectionTrait,
    transactions: &[&Transaction],
    book: &mut Book,
) -> Result<(), DbErr> {
    let of_posting = |posting: &Posting| {
        let own = posting.idempotency.map(|idempotency| idempotency.key);
        let gain = posting.requires.map(|gain| [gain.key, gain.further]);
        own.into_iter().chain(gain.into_iter().flatten())
    };
    let keys = distinct(transactions.iter().flat_map(|transaction| {
        let own = transaction.postings.iter().flat_map(of_posting);
        own.chain(transaction.earlier_keys.iter().copied())
    }));
    let records = &statements::IDEMPOTENCY_RECORDS;
    let rows: Vec<(usize, String, i64, i64)> =
        statements::query(db, records, &hexed(&keys), []).await?;
    for (place, fingerprint, balance, amount) in rows {
        book.put_idempotency(IdempotencyRecord {
            key: *at(&keys, place)?,
            fingerprint: read_key(&fingerprint)?,
            balance,
            amount,
        });
    }
    Ok(())
}

async fn load_allocations(
    db: &impl ConnectionTrait,
    postings: &[&Posting],
    corrected: &[Key],
    book: &mut Book,
) -> Result<(), DbErr> {
    let orders = postings.iter().flat_map(|posting| {
        let gain = posting.requires.map(|gain| gain.key);
        order_of(posting).into_iter().chain(gain)
    });
    let orders = distinct(orders.chain(corrected.iter().copied()));
    let mut rows: Vec<(usize, i64, i64, String)> =
        statements::query(db, &statements::ORDER_ENTRIES, &hexed(&orders), []).await?;
    // Times order the entries of an order whose owner got another account in between; numbers order those of one account.
    rows.sort_unstable_by_key(|&(_, seq, at, _)| (at, seq));
    for (place, seq, _, lots) in rows {
        let allocations = book.allocations_mut(*at(&orders, place)?);
        order::replay_text(allocations, seq, &lots)
            .ok_or_else(|| invalid("an entry that does not continue its order"))?;
    }
    Ok(())
}

fn order_of(posting: &Posting) -> Option<Key> {
    match posting.kind {
        PostingKind::Spend { order, .. } => order,
        PostingKind::Return { order, .. } => Some(order),
        PostingKind::Earn { .. }
        | PostingKind::SpendUpTo { .. }
        | PostingKind::Correct(_)
        | PostingKind::Expire { .. } => None,
    }
}
