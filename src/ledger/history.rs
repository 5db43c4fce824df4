//! The history of an account. Entries are numbered without gaps, also by direction, so that a page is found by
//! arithmetic and an index, and a total without counting, however long the history is.

pub use entity::entry::Model as Row;
use entity::{account, entry, lot};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder};

use super::posting::AccountKey;

/// Income or expense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Points that came.
    Income,
    /// Points that went.
    Expense,
}

/// Which part of a history.
#[derive(Clone, Debug)]
pub struct Range {
    /// Whose.
    pub account: AccountKey,
    /// Only income or only expenses.
    pub direction: Option<Direction>,
    /// Entries from this time on (ms).
    pub from: Option<i64>,
    /// Entries before this time (ms).
    pub until: Option<i64>,
    /// How many of the newest to leave out.
    pub skip: i64,
    /// How many to give.
    pub limit: i64,
}

/// A page of a history, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// How many entries there are in the whole range.
    pub total: i64,
    /// Those of this page.
    pub entries: Vec<Row>,
}

/// How many entries an account has up to a point.
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

    /// Up to and with this entry.
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

    /// All that an account has.
    fn of_all(account: &account::Model) -> Count {
        Count {
            all: account.last_seq,
            income: account.income_seq,
        }
    }
}

/// A page of an account's history; none where there is no such account.
///
/// # Errors
/// Where the database does not answer.
pub async fn page(db: &DatabaseConnection, range: &Range) -> Result<Option<Page>, DbErr> {
    let Some(account) = find_account(db, &range.account).await? else {
        return Ok(None);
    };
    let (low, high) = bounds(db, &account, range).await?;
    let (low, high) = (low.of(range.direction), high.of(range.direction));
    let total = (high - low).max(0);
    // Entries low+1 ..= high are in the range, and this page ends where the skipped ones begin.
    let last = high.saturating_sub(range.skip);
    let first = last.saturating_sub(range.limit).max(low) + 1;
    if first > last {
        return Ok(Some(Page {
            total,
            entries: Vec::new(),
        }));
    }
    let entries = entry::Entity::find().filter(entry::Column::AccountId.eq(account.id));
    let entries = match range.direction {
        None => entries
            .filter(entry::Column::Seq.between(first, last))
            .order_by_desc(entry::Column::Seq),
        Some(direction) => entries
            .filter(entry::Column::Direction.eq(if direction == Direction::Income { 1 } else { 2 }))
            .filter(entry::Column::DirectionSeq.between(first, last))
            .order_by_desc(entry::Column::DirectionSeq),
    };
    Ok(Some(Page {
        total,
        entries: entries.all(db).await?,
    }))
}

/// The points of an account that lapse after `after` and up to `until` (ms).
///
/// # Errors
/// Where the database does not answer.
pub async fn lapsing(
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

/// The counts before the first and through the last entry of the range.
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

/// How many entries are older than `time`. Entries never go back in time, so halving finds it: 20 look-ups in a million
/// entries, and no index on the time that every write would have to keep.
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

async fn find_account(
    db: &DatabaseConnection,
    key: &AccountKey,
) -> Result<Option<account::Model>, DbErr> {
    account::Entity::find()
        .filter(account::Column::Owner.eq(key.owner.as_str()))
        .filter(account::Column::Asset.eq(key.asset.as_str()))
        .one(db)
        .await
}
