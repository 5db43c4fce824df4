//! The audit: recomputes the ledger's sums from its entries and lots, in one consistent snapshot, and compares.

mod chain;
mod freezes;
mod replay;
mod seals;

use std::collections::{BTreeMap, HashMap};

use entity::{account, contra, entry, lot};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};

use crate::ledger::Ledger;
use crate::ledger::book::entry::Contra;

use replay::AccountReplay;

/// The accounts, and the entries, in memory at a time.
const ROWS: u64 = 2000;

/// What a passed audit covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of accounts.
    pub accounts: u64,
    /// The number of entries.
    pub entries: u64,
    /// Points that members hold, all assets together.
    pub points: i128,
}

/// Why an audit failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The first inconsistency.
    #[error("{account}: {why}")]
    Broken {
        /// Where it is: an account (`coin of uid:5`), a contra account (`coin issued`) or a record of the journal (`journal record 3`).
        account: String,
        /// What is inconsistent, with both figures.
        why: String,
    },
    /// The database failed.
    #[error("the audit cannot read the ledger: {0}")]
    Database(#[from] DbErr),
}

impl Ledger {
    /// Recomputes every balance from entries and from lots, every hash, also those of the journal, and the contra accounts. Calls `progress` with the
    /// entries done and the entries in all.
    ///
    /// # Errors
    /// Returns [`AuditError`] with the first inconsistency, or if the database fails.
    pub async fn audit(&self, progress: impl FnMut(u64, u64)) -> Result<Report, AuditError> {
        let snapshot = self.database.begin_snapshot().await?;
        check(&snapshot, progress).await
    }
}

/// Audits the ledger as a database transaction sees it.
///
/// # Errors
/// Returns [`AuditError`] with the first inconsistency, or if the database fails.
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
            let mut replay = AccountReplay::new(account);
            while let Some(row) = stream.next_of(account.id).await? {
                let (contra, amount) = replay.add(&row)?;
                *sums.entry((account.asset.clone(), contra)).or_default() -= i128::from(amount);
                report.entries += 1;
                if report.entries.is_multiple_of(ROWS) {
                    progress(report.entries, entries);
                }
            }
            replay.finish(&lots.remove(&account.id).unwrap_or_default())?;
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
    check_contras(db, &sums, report.points).await?;
    check_lots(db).await?;
    check_allocations(db).await?;
    check_idempotency(db).await?;
    check_identities(db).await?;
    chain::check_journal(db).await?;
    freezes::check_freezes(db).await?;
    seals::check_seals(db, &[]).await?;
    Ok(report)
}

fn broken(account: impl Into<String>, why: impl Into<String>) -> AuditError {
    AuditError::Broken {
        account: account.into(),
        why: why.into(),
    }
}

/// Reads the entries of the accounts `ids.0 ..= ids.1` in order, a chunk at a time.
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

    /// The next entry, if it belongs to this account.
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

/// Compares each contra account with the sum of its entries, and all of them with what members hold.
async fn check_contras(
    db: &DatabaseTransaction,
    sums: &BTreeMap<(String, Contra), i128>,
    members: i128,
) -> Result<(), AuditError> {
    let mut balances: BTreeMap<(String, String), i128> = BTreeMap::new();
    for row in contra::Entity::find().all(db).await? {
        *balances.entry((row.asset, row.name)).or_default() += i128::from(row.balance);
    }
    for ((asset, name), balance) in &balances {
        let key = Contra::from_name(name).map(|name| (asset.clone(), name));
        let sum = key.and_then(|key| sums.get(&key).copied()).unwrap_or(0);
        if *balance != sum {
            return Err(broken(
                format!("{asset} {name}"),
                format!("the balance is {balance}, but its entries sum to {sum}"),
            ));
        }
    }
    if balances.len() < sums.len() {
        return Err(broken(
            "contra",
            format!(
                "{} contra accounts have entries, but {} exist",
                sums.len(),
                balances.len()
            ),
        ));
    }
    match members + balances.values().sum::<i128>() {
        0 => Ok(()),
        off => Err(broken(
            "all accounts",
            format!("members and contra accounts sum to {off} instead of 0"),
        )),
    }
}

#[derive(FromQueryResult)]
struct Inconsistent {
    account_id: i64,
    seq: i64,
}

/// Every lot has an account.
async fn check_lots(db: &DatabaseTransaction) -> Result<(), AuditError> {
    find_inconsistent(
        db,
        "has a lot, but no account",
        "SELECT l.account_id, l.account_id * 0 AS seq FROM lot l LEFT JOIN account a ON a.id = l.account_id \
         WHERE a.id IS NULL ORDER BY l.account_id LIMIT 1",
    )
    .await
}

/// The allocations of each spend sum to it, and what was returned to an account's lots sums to its returns.
async fn check_allocations(db: &DatabaseTransaction) -> Result<(), AuditError> {
    find_inconsistent(
        db,
        "its allocations do not sum to what it spent",
        "SELECT d.account_id, d.spend_seq AS seq FROM \
         (SELECT account_id, spend_seq, SUM(drawn) AS drawn FROM allocation GROUP BY account_id, spend_seq) d \
         LEFT JOIN entry e ON e.account_id = d.account_id AND e.seq = d.spend_seq \
         WHERE e.seq IS NULL OR e.amount <> -d.drawn ORDER BY d.account_id, d.spend_seq LIMIT 1",
    )
    .await?;
    find_inconsistent(
        db,
        "its allocations do not sum to what was returned",
        "SELECT d.account_id, d.account_id * 0 AS seq FROM \
         (SELECT account_id, SUM(returned) AS returned FROM allocation GROUP BY account_id) d \
         WHERE d.returned <> (SELECT COALESCE(SUM(e.amount), 0) FROM entry e \
         WHERE e.account_id = d.account_id AND e.contra = 'redeemed' AND e.amount > 0) \
         ORDER BY d.account_id LIMIT 1",
    )
    .await
}

/// Every idempotency record has a balance that its entry came to.
async fn check_idempotency(db: &DatabaseTransaction) -> Result<(), AuditError> {
    // What expires in the same transaction stands after the entry, and the answer includes it.
    find_inconsistent(
        db,
        "a retry would be answered with a balance that it did not come to",
        "SELECT g.account_id, g.seq FROM entry g WHERE g.idempotency_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry e \
         WHERE e.account_id = g.account_id AND e.seq >= g.seq AND e.balance_after = g.idempotency_balance \
         AND (e.seq = g.seq OR e.contra = 'lapsed')) ORDER BY g.account_id, g.seq LIMIT 1",
    )
    .await
}

/// A second name of an owner has no accounts of its own: they would be out of reach.
async fn check_identities(db: &DatabaseTransaction) -> Result<(), AuditError> {
    find_inconsistent(
        db,
        "its owner is another name of another owner",
        "SELECT a.id AS account_id, a.id * 0 AS seq FROM account a JOIN identity n ON n.name = a.owner ORDER BY a.id LIMIT 1",
    )
    .await
}

async fn find_inconsistent(
    db: &DatabaseTransaction,
    why: &str,
    sql: &str,
) -> Result<(), AuditError> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let Some(found) = Inconsistent::find_by_statement(statement).one(db).await? else {
        return Ok(());
    };
    let name = match account::Entity::find_by_id(found.account_id)
        .one(db)
        .await?
    {
        Some(account) => format!("{} of {}", account.asset, account.owner),
        None => format!("account {}", found.account_id),
    };
    let entry = if found.seq > 0 {
        format!("entry {}: ", found.seq)
    } else {
        String::new()
    };
    Err(broken(name, format!("{entry}{why}")))
}
