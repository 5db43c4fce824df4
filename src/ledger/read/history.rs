//! The history of an account. Entries are numbered without gaps, also by direction, so that arithmetic and an index find a
//! page, and nobody counts a total, however long the history is.

use entity::{account, entry, identity, lot};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder};

use crate::ledger::book::transaction::{AccountKey, Reason};
use crate::ledger::database::statements;

/// Whether an account gained or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The account gained.
    Income,
    /// The account lost.
    Expense,
}

/// A part of an account's history.
#[derive(Clone, Debug)]
pub struct Range {
    /// The account whose entries are read.
    pub account: AccountKey,
    /// Limits it to income or to expenses.
    pub direction: Option<Direction>,
    /// The earliest time (ms), inclusive.
    pub from: Option<i64>,
    /// The latest time (ms), exclusive.
    pub until: Option<i64>,
    /// The number of entries to skip, from the newest.
    pub skip: i64,
    /// The most entries to give.
    pub limit: i64,
}

/// An entry as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// 1, 2, 3, … within the account.
    pub seq: i64,
    /// When it happened (ms).
    pub at: i64,
    /// Why points moved.
    pub reason: Reason,
    /// Points, positive if the account gained.
    pub amount: i64,
    /// The account's balance after the entry.
    pub balance_after: i64,
    /// 1 for income, 2 for an expense.
    pub direction: i64,
    /// 1, 2, 3, … among the account's income, or among its expenses.
    pub direction_seq: i64,
    /// The caller's reference.
    pub reference: Option<String>,
    /// The caller's text.
    pub message: Option<String>,
}

/// A page of a history, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The number of entries in the whole range.
    pub total: i64,
    /// The entries of this page.
    pub entries: Vec<Row>,
    /// The expiry of the account's first lot (ms); `None` without one.
    pub next_expiry: Option<i64>,
}

/// The number of an account's entries up to a point.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: i64,
    income: i64,
}

impl Count {
    fn of(self, direction: Option<Direction>) -> i64 {
        match direction {
            None => self.all,
            Some(Direction::Income) => self.income,
            Some(Direction::Expense) => self.all - self.income,
        }
    }

    /// The count up to this entry, inclusive.
    fn through(entry: &entry::Model) -> Count {
        let income = match entry.direction {
            1 => entry.direction_seq,
            _ => entry.seq - entry.direction_seq,
        };
        Count {
            all: entry.seq,
            income,
        }
    }

    /// The count of all of an account's entries.
    fn of_all(account: &account::Model) -> Count {
        Count {
            all: account.last_seq,
            income: account.income_seq,
        }
    }
}

/// A page of an account's history. `None` if there is no such account.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn page(db: &DatabaseConnection, range: &Range) -> Result<Option<Page>, DbErr> {
    if range.from.is_none() && range.until.is_none() {
        return newest(db, range, range.limit, None).await;
    }
    let Some(account) = find_account(db, &range.account).await? else {
        return Ok(None);
    };
    let (low, high) = bounds(db, &account, range).await?;
    let (low, high) = (low.of(range.direction), high.of(range.direction));
    let total = (high - low).max(0);
    // The last page ends with the range's oldest entry.
    let limit = range.limit.min(total.saturating_sub(range.skip)).max(0);
    let page = newest(db, range, limit, Some(high)).await?;
    Ok(page.map(|page| Page { total, ..page }))
}

/// A page of at most `limit` entries in the range's direction, whatever their time: of all of them, or of the first `count`.
async fn newest(
    db: &DatabaseConnection,
    range: &Range,
    limit: i64,
    count: Option<i64>,
) -> Result<Option<Page>, DbErr> {
    let AccountKey { owner, asset } = &range.account;
    let low = range.skip;
    let high = low.saturating_add(limit).saturating_sub(1);
    let direction = range.direction.map(|direction| match direction {
        Direction::Income => 1,
        Direction::Expense => 2,
    });
    let statement = match direction {
        None => &statements::PAGE,
        Some(_) => &statements::PAGE_OF,
    };
    let rows = [(owner, asset, low, high, count, direction)];
    let found = statements::query::<PageRow>(db, statement, &rows, []).await?;
    let Some(&(next_expiry, total, ..)) = found.first() else {
        return Ok(None);
    };
    let mut entries: Vec<Row> = found.into_iter().filter_map(row).collect();
    entries.sort_unstable_by_key(|row| std::cmp::Reverse(row.seq));
    Ok(Some(Page {
        total,
        entries,
        next_expiry,
    }))
}

/// The expiry of the account's first lot, and the number of entries; then seq, at, reason, amount, balance_after, direction, direction_seq, reference and message of one
/// of them.
type PageRow = (
    Option<i64>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
);

/// The entry in a row; `None` if the page is empty.
fn row(row: PageRow) -> Option<Row> {
    let (
        _,
        _,
        seq,
        at,
        reason,
        amount,
        balance_after,
        direction,
        direction_seq,
        reference,
        message,
    ) = row;
    Some(Row {
        seq: seq?,
        at: at?,
        reason: Reason(reason?),
        amount: amount?,
        balance_after: balance_after?,
        direction: direction?,
        direction_seq: direction_seq?,
        reference,
        message,
    })
}

/// The points of an account that expire after `after` and up to `until` (ms).
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn expiring(
    db: &DatabaseConnection,
    key: &AccountKey,
    after: i64,
    until: i64,
) -> Result<i64, DbErr> {
    let Some(account) = find_account(db, key).await? else {
        return Ok(0);
    };
    let lots = lot::Entity::find()
        .filter(lot::Column::AccountId.eq(account.id))
        .filter(lot::Column::ExpiresAt.gt(after))
        .filter(lot::Column::ExpiresAt.lte(until));
    Ok(lots.all(db).await?.iter().map(|lot| lot.remaining).sum())
}

/// The counts before the first entry of the range and up to its last one.
async fn bounds(
    db: &DatabaseConnection,
    account: &account::Model,
    range: &Range,
) -> Result<(Count, Count), DbErr> {
    let low = match range.from {
        None => Count::default(),
        Some(from) => before(db, account, from).await?,
    };
    let high = match range.until {
        None => Count::of_all(account),
        Some(until) => before(db, account, until).await?,
    };
    Ok((low, high))
}

/// The number of an account's last entry before `time` (ms); 0 if there is none.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub(super) async fn last_seq_before(
    db: &DatabaseConnection,
    account: &account::Model,
    time: i64,
) -> Result<i64, DbErr> {
    Ok(before(db, account, time).await?.all)
}

/// The number of entries older than `time`. Entries never go back in time, so a binary search finds it: 20 look-ups in a
/// million entries, and no index on the time that every write would have to maintain.
async fn before(
    db: &DatabaseConnection,
    account: &account::Model,
    time: i64,
) -> Result<Count, DbErr> {
    if account.last_at < time {
        return Ok(Count::of_all(account));
    }
    let mut count = Count::default();
    let (mut low, mut high) = (1, account.last_seq);
    while low <= high {
        let middle = low + (high - low) / 2;
        match entry::Entity::find_by_id((account.id, middle))
            .one(db)
            .await?
        {
            Some(entry) if entry.at < time => {
                count = Count::through(&entry);
                low = middle + 1;
            }
            Some(_) => high = middle - 1,
            None => {
                return Err(DbErr::Custom(format!(
                    "account {} has no entry {middle}",
                    account.id
                )));
            }
        }
    }
    Ok(count)
}

/// The account of an owner, whom any of his names leads to.
pub(super) async fn find_account(
    db: &DatabaseConnection,
    key: &AccountKey,
) -> Result<Option<account::Model>, DbErr> {
    let identity = identity::Entity::find()
        .filter(identity::Column::Name.eq(key.owner.as_str()))
        .filter(identity::Column::Asset.is_in([key.asset.as_str(), ""]))
        .order_by_desc(identity::Column::Asset)
        .one(db)
        .await?;
    let owner = identity.map_or_else(|| key.owner.clone(), |identity| identity.owner);
    account::Entity::find()
        .filter(account::Column::Owner.eq(owner))
        .filter(account::Column::Asset.eq(key.asset.as_str()))
        .one(db)
        .await
}
