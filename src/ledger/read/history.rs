//! The history of an account. Entries are numbered without gaps, also by direction, so that a page is found by
//! arithmetic and an index, and a total without counting, however long the history is.

use entity::{account, alias, entry, lot};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};

use crate::ledger::book::transaction::{AccountKey, Reason};
use crate::ledger::database::statements;

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

/// An entry as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// 1, 2, 3, … within the account.
    pub seq: i64,
    /// When (ms).
    pub at: i64,
    /// The number of the points' type.
    pub reason: Reason,
    /// Points as the member sees them: positive is income.
    pub amount: i64,
    /// The account's balance afterwards.
    pub balance_after: i64,
    /// 1 income, 2 expense.
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
    if range.from.is_none() && range.until.is_none() {
        return newest(db, range, range.limit, None).await;
    }
    let Some(account) = find_account(db, &range.account).await? else {
        return Ok(None);
    };
    let (low, high) = bounds(db, &account, range).await?;
    let (low, high) = (low.of(range.direction), high.of(range.direction));
    let total = (high - low).max(0);
    // The range's oldest entry ends its last page.
    let limit = range.limit.min(total.saturating_sub(range.skip)).max(0);
    let page = newest(db, range, limit, Some(high)).await?;
    Ok(page.map(|page| Page { total, ..page }))
}

/// A page of so many entries in the range's direction, whatever their time, of all or of the first `count`.
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
    let found = statements::ask::<PageRow>(db, statement, &rows, []).await?;
    let Some(&(total, ..)) = found.first() else {
        return Ok(None);
    };
    let mut entries: Vec<Row> = found.into_iter().filter_map(row).collect();
    entries.sort_unstable_by_key(|row| std::cmp::Reverse(row.seq));
    Ok(Some(Page { total, entries }))
}

/// The number of entries; seq, at, kind, amount, balance_after, direction and direction_seq of one of them, its reference
/// and its message.
type PageRow = (
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

/// The entry of a row; none where the page has none.
fn row(row: PageRow) -> Option<Row> {
    let (_, seq, at, kind, amount, balance_after, direction, direction_seq, reference, message) =
        row;
    Some(Row {
        seq: seq?,
        at: at?,
        reason: Reason(kind?),
        amount: amount?,
        balance_after: balance_after?,
        direction: direction?,
        direction_seq: direction_seq?,
        reference,
        message,
    })
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
    let alias = alias::Entity::find_by_id(key.owner.as_str())
        .one(db)
        .await?;
    let owner = alias.map_or_else(|| key.owner.clone(), |alias| alias.owner);
    account::Entity::find()
        .filter(account::Column::Owner.eq(owner))
        .filter(account::Column::Asset.eq(key.asset.as_str()))
        .one(db)
        .await
}
