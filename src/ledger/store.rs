//! The ledger's rows: what a batch of postings touches is loaded into a [`Book`] in a few set queries, and what it
//! changed is written back in a few set statements.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::{account, counter, draw, entry, lot, reference};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, NotSet,
    QueryFilter, Set,
};

use super::book::{Account, Book, Changes, Draw, Lot, Used};
use super::entry::{Entry, Hash};
use super::key::Key;
use super::posting::{AccountKey, Movement, Posting};

/// Rows a statement: below every database's limit on bound values.
const ROWS: usize = 1000;

/// Loads what `postings` touch.
///
/// # Errors
/// Where the database does not answer, or holds a row that the ledger cannot have written.
pub async fn load<C: ConnectionTrait>(db: &C, postings: &[&Posting]) -> Result<Book, DbErr> {
    let mut book = Book::default();
    let keys: BTreeSet<&AccountKey> = postings.iter().map(|p| &p.account).collect();
    for (key, account) in load_accounts(db, &keys).await? {
        book.put_account(key, account);
    }
    let guards: BTreeSet<Key> = postings
        .iter()
        .filter_map(|p| p.once)
        .map(|once| once.key)
        .collect();
    for rows in in_chunks(guards) {
        let rows = rows.into_iter().map(Key::to_vec);
        for row in reference::Entity::find()
            .filter(reference::Column::ReferenceKey.is_in(rows))
            .all(db)
            .await?
        {
            let used = Used {
                content: key_of(&row.content_key)?,
                balance: row.balance_after,
                seq: row.seq,
            };
            book.put_used(key_of(&row.reference_key)?, used);
        }
    }
    let orders: BTreeSet<Key> = postings.iter().filter_map(|p| order_of(p)).collect();
    for rows in in_chunks(orders) {
        for row in load_draws(db, rows).await? {
            book.put_draw(
                key_of(&row.order_key)?,
                Draw {
                    spend_seq: row.spend_seq,
                    expires_at: row.expires_at,
                    drawn: row.drawn,
                    returned: row.returned,
                },
            );
        }
    }
    Ok(book)
}

/// Writes what a batch changed.
///
/// # Errors
/// Where the database does not answer or one of its constraints is broken; the transaction is then to be given up.
pub async fn save<C: ConnectionTrait>(db: &C, changes: Changes) -> Result<(), DbErr> {
    if changes.entries.is_empty() {
        return Ok(());
    }
    let ids = save_accounts(db, &changes.accounts).await?;
    let id_of = |key: &AccountKey| {
        ids.get(key)
            .copied()
            .ok_or_else(|| DbErr::Custom(format!("no account row for {key:?}")))
    };
    let mut entries = Vec::with_capacity(changes.entries.len());
    for entry in changes.entries {
        entries.push(entry_row(id_of(&entry.account)?, entry));
    }
    insert::<entry::ActiveModel, _>(db, entries, None).await?;

    let mut lots = Vec::new();
    for (key, account) in &changes.accounts {
        let account_id = id_of(key)?;
        lots.extend(account.lots.iter().map(|lot| lot::Model {
            account_id,
            expires_at: lot.expires_at,
            remaining: lot.remaining,
        }));
    }
    let same_lot = OnConflict::columns([lot::Column::AccountId, lot::Column::ExpiresAt])
        .update_column(lot::Column::Remaining)
        .to_owned();
    insert::<lot::ActiveModel, _>(db, lots, Some(same_lot)).await?;
    delete_emptied(db, &changes.emptied, id_of).await?;

    let mut used = Vec::with_capacity(changes.used.len());
    for (account, key, guard) in changes.used {
        used.push(reference::Model {
            reference_key: key.to_vec(),
            content_key: guard.content.to_vec(),
            account_id: id_of(&account)?,
            seq: guard.seq,
            balance_after: guard.balance,
        });
    }
    insert::<reference::ActiveModel, _>(db, used, None).await?;

    let mut draws = Vec::new();
    for (order, (account, rows)) in changes.draws {
        let account_id = id_of(&account)?;
        draws.extend(rows.into_iter().map(|row| draw::Model {
            order_key: order.to_vec(),
            spend_seq: row.spend_seq,
            expires_at: row.expires_at,
            account_id,
            drawn: row.drawn,
            returned: row.returned,
        }));
    }
    let same_draw = OnConflict::columns([
        draw::Column::OrderKey,
        draw::Column::SpendSeq,
        draw::Column::ExpiresAt,
    ])
    .update_column(draw::Column::Returned)
    .to_owned();
    insert::<draw::ActiveModel, _>(db, draws, Some(same_draw)).await?;

    let counters = changes
        .counters
        .into_iter()
        .map(|((asset, name), balance)| counter::Model {
            asset,
            name: name.name().into(),
            balance,
        })
        .collect();
    let more = Expr::col((counter::Entity, counter::Column::Balance))
        .add(Expr::col(("excluded", counter::Column::Balance)));
    let same_counter = OnConflict::columns([counter::Column::Asset, counter::Column::Name])
        .value(counter::Column::Balance, more)
        .to_owned();
    insert::<counter::ActiveModel, _>(db, counters, Some(same_counter)).await
}

async fn load_accounts<C: ConnectionTrait>(
    db: &C,
    keys: &BTreeSet<&AccountKey>,
) -> Result<Vec<(AccountKey, Account)>, DbErr> {
    let mut by_id: BTreeMap<i64, (AccountKey, Account)> = BTreeMap::new();
    for row in account_rows(db, keys.iter().copied()).await? {
        let key = AccountKey {
            owner: row.owner,
            asset: row.asset,
        };
        let account = Account {
            id: Some(row.id),
            balance: row.balance,
            last_seq: row.last_seq,
            income_seq: row.income_seq,
            last_at: row.last_at,
            head: hash_of(&row.head)?,
            lots: Vec::new(),
        };
        by_id.insert(row.id, (key, account));
    }
    for ids in in_chunks(by_id.keys().copied().collect::<Vec<_>>()) {
        for row in lot::Entity::find()
            .filter(lot::Column::AccountId.is_in(ids))
            .all(db)
            .await?
        {
            if let Some((_, account)) = by_id.get_mut(&row.account_id) {
                account.lots.push(Lot {
                    expires_at: row.expires_at,
                    remaining: row.remaining,
                });
            }
        }
    }
    for (_, account) in by_id.values_mut() {
        account.lots.sort_unstable_by_key(|lot| lot.expires_at);
    }
    Ok(by_id.into_values().collect())
}

/// The rows of these accounts, as far as they exist.
///
/// # Errors
/// Where the database does not answer.
pub async fn account_rows<'k, C: ConnectionTrait>(
    db: &C,
    keys: impl Iterator<Item = &'k AccountKey>,
) -> Result<Vec<account::Model>, DbErr> {
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for key in keys {
        owners.entry(&key.asset).or_default().push(&key.owner);
    }
    let mut found = Vec::new();
    for (asset, owners) in owners {
        for owners in in_chunks(owners) {
            let rows = account::Entity::find()
                .filter(account::Column::Owner.is_in(owners))
                .filter(account::Column::Asset.eq(asset));
            found.extend(rows.all(db).await?);
        }
    }
    Ok(found)
}

/// The draws of these orders, oldest spend first and, within one, soonest expiry first.
async fn load_draws<C: ConnectionTrait>(
    db: &C,
    orders: Vec<Key>,
) -> Result<Vec<draw::Model>, DbErr> {
    let orders = orders.into_iter().map(Key::to_vec);
    let mut rows = draw::Entity::find()
        .filter(draw::Column::OrderKey.is_in(orders))
        .all(db)
        .await?;
    rows.sort_unstable_by_key(|row| (row.spend_seq, row.expires_at));
    Ok(rows)
}

/// Inserts the accounts that are new, updates the others, and gives everyone's number.
async fn save_accounts<C: ConnectionTrait>(
    db: &C,
    accounts: &BTreeMap<AccountKey, Account>,
) -> Result<HashMap<AccountKey, i64>, DbErr> {
    let mut ids = HashMap::with_capacity(accounts.len());
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (key, account) in accounts {
        let mut row = account::ActiveModel {
            id: NotSet,
            asset: Set(key.asset.clone()),
            owner: Set(key.owner.clone()),
            balance: Set(account.balance),
            last_seq: Set(account.last_seq),
            income_seq: Set(account.income_seq),
            last_at: Set(account.last_at),
            next_expiry: Set(account.lots.first().map(|lot| lot.expires_at)),
            head: Set(account.head.to_vec()),
        };
        match account.id {
            Some(id) => {
                ids.insert(key.clone(), id);
                row.id = Set(id);
                old.push(row);
            }
            None => new.push(row),
        }
    }
    let same_account = OnConflict::column(account::Column::Id)
        .update_columns([
            account::Column::Balance,
            account::Column::LastSeq,
            account::Column::IncomeSeq,
            account::Column::LastAt,
            account::Column::NextExpiry,
            account::Column::Head,
        ])
        .to_owned();
    insert::<account::ActiveModel, _>(db, old, Some(same_account)).await?;
    if !new.is_empty() {
        insert::<account::ActiveModel, _>(db, new, None).await?;
        let keys = accounts
            .iter()
            .filter(|(_, account)| account.id.is_none())
            .map(|(key, _)| key);
        for row in account_rows(db, keys).await? {
            ids.insert(
                AccountKey {
                    owner: row.owner,
                    asset: row.asset,
                },
                row.id,
            );
        }
    }
    Ok(ids)
}

async fn delete_emptied<C: ConnectionTrait>(
    db: &C,
    emptied: &BTreeSet<(AccountKey, i64)>,
    id_of: impl Fn(&AccountKey) -> Result<i64, DbErr>,
) -> Result<(), DbErr> {
    // All that lapse together share their expiry, so these are few statements however many accounts there are.
    let mut by_expiry: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (key, expires_at) in emptied {
        by_expiry.entry(*expires_at).or_default().push(id_of(key)?);
    }
    for (expires_at, ids) in by_expiry {
        for ids in in_chunks(ids) {
            lot::Entity::delete_many()
                .filter(lot::Column::AccountId.is_in(ids))
                .filter(lot::Column::ExpiresAt.eq(expires_at))
                .exec(db)
                .await?;
        }
    }
    Ok(())
}

fn entry_row(account_id: i64, entry: Entry) -> entry::Model {
    let direction = entry.direction();
    entry::Model {
        account_id,
        seq: entry.seq,
        at: entry.at,
        kind: entry.kind,
        amount: entry.amount,
        balance_after: entry.balance_after,
        counter: entry.counter.name().into(),
        direction,
        direction_seq: entry.direction_seq,
        reference: entry.reference,
        message: entry.message,
        operator: entry.operator,
        hash: entry.hash.to_vec(),
    }
}

fn order_of(posting: &Posting) -> Option<Key> {
    match posting.movement {
        Movement::Spend { order, .. } => order,
        Movement::Return { order, .. } => Some(order),
        Movement::Earn { .. } | Movement::Lapse { .. } => None,
    }
}

async fn insert<A, C>(
    db: &C,
    rows: Vec<impl IntoActiveModel<A>>,
    on_conflict: Option<OnConflict>,
) -> Result<(), DbErr>
where
    A: ActiveModelTrait,
    C: ConnectionTrait,
{
    for rows in in_chunks(rows) {
        let mut insert =
            A::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model));
        if let Some(on_conflict) = &on_conflict {
            insert = insert.on_conflict(on_conflict.clone());
        }
        insert.exec_without_returning(db).await?;
    }
    Ok(())
}

/// In pieces that one statement may hold; nothing where there is nothing.
pub fn in_chunks<T>(items: impl IntoIterator<Item = T>) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.into_iter();
    std::iter::from_fn(move || {
        let chunk: Vec<T> = items.by_ref().take(ROWS).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn hash_of(bytes: &[u8]) -> Result<Hash, DbErr> {
    bytes
        .try_into()
        .map_err(|_| DbErr::Custom("a hash that is not 32 bytes long".into()))
}

fn key_of(bytes: &[u8]) -> Result<Key, DbErr> {
    Key::from_slice(bytes).ok_or_else(|| DbErr::Custom("a key that is not 16 bytes long".into()))
}
