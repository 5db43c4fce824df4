//! The audit: recomputes everything that the ledger claims from its entries and lots, in one consistent snapshot.

mod replay;

use std::collections::{BTreeMap, HashMap};

use entity::{account, counter, entry, lot};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};

use crate::ledger::Ledger;
use crate::ledger::book::entry::Contra;

use replay::AccountReplay;

/// Accounts, and entries, that are held in memory at a time.
const ROWS: u64 = 2000;

/// What an audit that found nothing wrong went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts.
    pub accounts: u64,
    /// Entries.
    pub entries: u64,
    /// Points that members hold, all assets together.
    pub points: i128,
}

/// Why an audit did not pass.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The first thing that is off.
    #[error("{account}: {why}")]
    Broken {
        /// Where: an account (`coin of uid:5`) or a counter account (`coin issued`).
        account: String,
        /// What is off, with both figures.
        why: String,
    },
    /// The database did not answer.
    #[error("the audit could not read the ledger: {0}")]
    Database(#[from] DbErr),
}

impl Ledger {
    /// Recomputes every balance from entries and from lots, checks every hash and that both sides sum to zero, and
    /// tells `progress` of entries done and entries in all.
    ///
    /// # Errors
    /// The first thing that is off, or a database that fails.
    pub async fn audit(&self, progress: impl FnMut(u64, u64)) -> Result<Report, AuditError> {
        let snapshot = self.database.begin_snapshot().await?;
        check(&snapshot, progress).await
    }
}

/// The same of the ledger as a transaction sees it.
///
/// # Errors
/// The first thing that is off, or a database that fails.
pub async fn check(
    db: &DatabaseTransaction,
    mut progress: impl FnMut(u64, u64),
) -> Result<Report, AuditError> {
    let entries = entry::Entity::find().count(db).await?;
    let mut report = Report::default();
    let mut sums: BTreeMap<(String, Contra), i128> = BTreeMap::new();
    let mut last_id = 0;
    loop {
        let accounts = account::Entity::find()
            .filter(account::Column::Id.gt(last_id))
            .order_by_asc(account::Column::Id)
            .limit(ROWS)
            .all(db)
            .await?;
        let (Some(first), Some(last)) = (accounts.first(), accounts.last()) else {
            break;
        };
        let ids = (first.id, last.id);
        last_id = last.id;
        let mut lots = lots_of(db, ids).await?;
        let mut stream = Entries::new(db, ids);
        for account in &accounts {
            let mut running = AccountReplay::new(account);
            while let Some(row) = stream.next_of(account.id).await? {
                let (counter, amount) = running.add(&row)?;
                *sums.entry((account.asset.clone(), counter)).or_default() -= i128::from(amount);
                report.entries += 1;
                if report.entries.is_multiple_of(ROWS) {
                    progress(report.entries, entries);
                }
            }
            running.close(&lots.remove(&account.id).unwrap_or_default())?;
            report.accounts += 1;
            report.points += i128::from(account.balance);
        }
    }
    progress(report.entries, entries);
    if report.entries != entries {
        return Err(broken(
            "entry",
            format!(
                "{entries} entries, of which {} have an account",
                report.entries
            ),
        ));
    }
    check_counters(db, &sums, report.points).await?;
    check_lots(db).await?;
    check_draws(db).await?;
    check_guards(db).await?;
    check_aliases(db).await?;
    Ok(report)
}

fn broken(account: impl Into<String>, why: impl Into<String>) -> AuditError {
    AuditError::Broken {
        account: account.into(),
        why: why.into(),
    }
}

/// The entries of accounts `ids.0 ..= ids.1`, in order, a chunk at a time.
struct Entries<'a> {
    db: &'a DatabaseTransaction,
    ids: (i64, i64),
    chunk: std::iter::Peekable<std::vec::IntoIter<entry::Model>>,
    after: (i64, i64),
    done: bool,
}

impl<'a> Entries<'a> {
    fn new(db: &'a DatabaseTransaction, ids: (i64, i64)) -> Self {
        Entries {
            db,
            ids,
            chunk: Vec::new().into_iter().peekable(),
            after: (ids.0, i64::MIN),
            done: false,
        }
    }

    /// The next entry, if it is one of this account.
    async fn next_of(&mut self, account_id: i64) -> Result<Option<entry::Model>, AuditError> {
        if self.chunk.peek().is_none() && !self.done {
            self.fill().await?;
        }
        if let Some(row) = self.chunk.peek()
            && row.account_id < account_id
        {
            return Err(broken(
                format!("account {}", row.account_id),
                "has entries, but no account",
            ));
        }
        Ok(self.chunk.next_if(|row| row.account_id == account_id))
    }

    async fn fill(&mut self) -> Result<(), DbErr> {
        let (id, seq) = self.after;
        let same_account = entry::Column::AccountId
            .eq(id)
            .and(entry::Column::Seq.gt(seq));
        let rows = entry::Entity::find()
            .filter(entry::Column::AccountId.between(id, self.ids.1))
            .filter(entry::Column::AccountId.gt(id).or(same_account))
            .order_by_asc(entry::Column::AccountId)
            .order_by_asc(entry::Column::Seq)
            .limit(ROWS)
            .all(self.db)
            .await?;
        self.done = (rows.len() as u64) < ROWS;
        if let Some(last) = rows.last() {
            self.after = (last.account_id, last.seq);
        }
        self.chunk = rows.into_iter().peekable();
        Ok(())
    }
}

async fn lots_of(
    db: &DatabaseTransaction,
    ids: (i64, i64),
) -> Result<HashMap<i64, Vec<lot::Model>>, DbErr> {
    let mut by_account: HashMap<i64, Vec<lot::Model>> = HashMap::new();
    for lot in lot::Entity::find()
        .filter(lot::Column::AccountId.between(ids.0, ids.1))
        .all(db)
        .await?
    {
        by_account.entry(lot.account_id).or_default().push(lot);
    }
    Ok(by_account)
}

async fn check_counters(
    db: &DatabaseTransaction,
    sums: &BTreeMap<(String, Contra), i128>,
    members: i128,
) -> Result<(), AuditError> {
    let mut held: BTreeMap<(String, String), i128> = BTreeMap::new();
    for row in counter::Entity::find().all(db).await? {
        *held.entry((row.asset, row.name)).or_default() += i128::from(row.balance);
    }
    for ((asset, name), balance) in &held {
        let key = Contra::from_name(name).map(|name| (asset.clone(), name));
        let should = key.and_then(|key| sums.get(&key).copied()).unwrap_or(0);
        if *balance != should {
            return Err(broken(
                format!("{asset} {name}"),
                format!("the balance is {balance}, but its entries come to {should}"),
            ));
        }
    }
    if held.len() < sums.len() {
        return Err(broken(
            "counter",
            format!(
                "{} counter accounts have entries, but {} exist",
                sums.len(),
                held.len()
            ),
        ));
    }
    let house: i128 = held.values().sum();
    match members + house {
        0 => Ok(()),
        off => Err(broken(
            "all accounts",
            format!("members and counter accounts come to {off} instead of 0"),
        )),
    }
}

#[derive(FromQueryResult)]
struct Off {
    account_id: i64,
    seq: i64,
}

/// Every lot is somebody's.
async fn check_lots(db: &DatabaseTransaction) -> Result<(), AuditError> {
    first_off(
        db,
        "has a lot, but no account",
        "SELECT l.account_id, l.account_id * 0 AS seq FROM lot l LEFT JOIN account a ON a.id = l.account_id \
         WHERE a.id IS NULL ORDER BY l.account_id LIMIT 1",
    )
    .await
}

/// What orders drew is what their spends took, and what they had back is what was returned.
async fn check_draws(db: &DatabaseTransaction) -> Result<(), AuditError> {
    first_off(
        db,
        "what it drew from lots is not what it spent",
        "SELECT d.account_id, d.spend_seq AS seq FROM \
         (SELECT account_id, spend_seq, SUM(drawn) AS drawn FROM draw GROUP BY account_id, spend_seq) d \
         LEFT JOIN entry e ON e.account_id = d.account_id AND e.seq = d.spend_seq \
         WHERE e.seq IS NULL OR e.amount <> -d.drawn ORDER BY d.account_id, d.spend_seq LIMIT 1",
    )
    .await?;
    first_off(
        db,
        "what its orders had back is not what was returned",
        "SELECT d.account_id, d.account_id * 0 AS seq FROM \
         (SELECT account_id, SUM(returned) AS returned FROM draw GROUP BY account_id) d \
         WHERE d.returned <> (SELECT COALESCE(SUM(e.amount), 0) FROM entry e \
         WHERE e.account_id = d.account_id AND e.counter = 'redeemed' AND e.amount > 0) \
         ORDER BY d.account_id LIMIT 1",
    )
    .await
}

/// Every retry guard answers what its entry came to.
async fn check_guards(db: &DatabaseTransaction) -> Result<(), AuditError> {
    // What lapses in the same unit stands after the entry, and the answer counts it.
    first_off(
        db,
        "a retry of it would be answered a balance that it did not come to",
        "SELECT g.account_id, g.seq FROM entry g WHERE g.guard_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry e \
         WHERE e.account_id = g.account_id AND e.seq >= g.seq AND e.balance_after = g.answered \
         AND (e.seq = g.seq OR e.counter = 'lapsed')) ORDER BY g.account_id, g.seq LIMIT 1",
    )
    .await
}

/// A second name of somebody has no accounts of its own, which nobody could reach.
async fn check_aliases(db: &DatabaseTransaction) -> Result<(), AuditError> {
    first_off(
        db,
        "its owner's name leads to another owner",
        "SELECT a.id AS account_id, a.id * 0 AS seq FROM account a JOIN alias n ON n.name = a.owner ORDER BY a.id LIMIT 1",
    )
    .await
}

async fn first_off(db: &DatabaseTransaction, why: &str, sql: &str) -> Result<(), AuditError> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let Some(off) = Off::find_by_statement(statement).one(db).await? else {
        return Ok(());
    };
    let name = match account::Entity::find_by_id(off.account_id).one(db).await? {
        Some(account) => format!("{} of {}", account.asset, account.owner),
        None => format!("account {}", off.account_id),
    };
    let entry = if off.seq > 0 {
        format!("entry {}: ", off.seq)
    } else {
        String::new()
    };
    Err(broken(name, format!("{entry}{why}")))
}
