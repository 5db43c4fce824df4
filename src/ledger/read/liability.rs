//! What the ledger owes: points by asset and month of expiry, and what moved in a period by reason and origin.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, Statement};

use crate::ledger::Ledger;
use crate::ledger::book::entry::Contra;
use crate::ledger::book::transaction::NEVER;
use crate::ledger::read::pages::AccountPage;

/// Points by asset, and within it by the month of their expiry.
pub type Liability = BTreeMap<String, BTreeMap<String, i128>>;

/// What moved for one reason, by one origin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// What the points are of: `coin`.
    pub asset: String,
    /// The other side of the movements.
    pub contra: Contra,
    /// Whether members gained the points.
    pub income: bool,
    /// Why they moved.
    pub reason: i64,
    /// Who asked for it: `DIALECT/CALLER/KEY`, without what is unknown; `None` in the first format of entries.
    pub origin: Option<String>,
    /// The points that members gained, negative if they lost them.
    pub points: i128,
    /// The number of entries.
    pub entries: i64,
}

/// The ledger of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiabilityReport {
    /// What members hold. A month is as the caller names it, or `never`.
    pub held: Liability,
    /// What moved in the period.
    pub flows: Vec<Flow>,
}

impl Ledger {
    /// What members hold now by asset and month of expiry, which `month` names, and what moved from one time (ms) up to another. Both show the
    /// same moment.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn liability(
        &self,
        (from, until): (i64, i64),
        month: impl Fn(i64) -> String,
    ) -> Result<LiabilityReport, DbErr> {
        let snapshot = self.database.begin_snapshot().await?;
        Ok(LiabilityReport {
            held: held(&snapshot, month).await?,
            flows: flows(&snapshot, from, until).await?,
        })
    }
}

async fn held(db: &DatabaseTransaction, month: impl Fn(i64) -> String) -> Result<Liability, DbErr> {
    let mut held = Liability::new();
    let mut last_id = i64::MIN;
    while let Some(page) = AccountPage::after(db, last_id).await? {
        last_id = page.ids.1;
        // Every lot has an account, which the audit checks.
        let mut lots = page.lots(db).await?;
        for account in page.accounts {
            for lot in lots.remove(&account.id).unwrap_or_default() {
                let month = match lot.expires_at {
                    NEVER => "never".to_owned(),
                    at => month(at),
                };
                let of_asset = held.entry(account.asset.clone()).or_default();
                *of_asset.entry(month).or_default() += i128::from(lot.remaining);
            }
        }
    }
    Ok(held)
}

#[derive(FromQueryResult)]
struct Sum {
    asset: String,
    contra: String,
    direction: i64,
    reason: i64,
    dialect: Option<String>,
    caller: Option<String>,
    caller_key: Option<String>,
    points: String,
    entries: i64,
}

async fn flows(db: &DatabaseTransaction, from: i64, until: i64) -> Result<Vec<Flow>, DbErr> {
    // Times are numbers, which need no quotes. Each database has a type of its own for a sum, and all write it as text.
    let sql = format!(
        "SELECT a.asset, e.contra, e.direction, e.reason, o.dialect, o.caller, o.caller_key, \
         CAST(SUM(e.amount) AS CHAR(40)) AS points, COUNT(*) AS entries FROM entry e JOIN account a ON a.id = e.account_id \
         LEFT JOIN origin o ON o.id = e.origin_id WHERE e.at >= {from} AND e.at < {until} \
         GROUP BY a.asset, e.contra, e.direction, e.reason, o.dialect, o.caller, o.caller_key"
    );
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let sums = Sum::find_by_statement(statement).all(db).await?;
    let mut flows = Vec::with_capacity(sums.len());
    for sum in sums {
        let unreadable = || DbErr::Custom("a sum of entries cannot be read".to_owned());
        let parts = [sum.dialect, sum.caller, sum.caller_key];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        flows.push(Flow {
            asset: sum.asset,
            contra: Contra::from_name(&sum.contra).ok_or_else(unreadable)?,
            income: sum.direction == 1,
            reason: sum.reason,
            origin: (!parts.is_empty()).then(|| parts.join("/").trim_end_matches('/').to_owned()),
            points: sum.points.trim().parse().map_err(|_| unreadable())?,
            entries: sum.entries,
        });
    }
    flows.sort_unstable();
    Ok(flows)
}

impl Flow {
    /// Whether an origin, or a part of it from the left, asked for this: `DIALECT/CALLER` for all keys of a caller.
    pub fn is_by(&self, origin: &str) -> bool {
        let rest = self
            .origin
            .as_deref()
            .and_then(|it| it.strip_prefix(origin));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_origin_names_all_of_it() {
        let flow = |origin: Option<&str>| Flow {
            asset: "coin".to_owned(),
            contra: Contra::Issued,
            income: true,
            reason: 3,
            origin: origin.map(str::to_owned),
            points: 1,
            entries: 1,
        };
        let by = flow(Some("a/b/current"));
        for part in ["a", "a/b", "a/b/current"] {
            assert!(by.is_by(part), "{part}");
        }
        for part in ["", "a/", "a/b/", "a/bc", "b", "a/b/current/x"] {
            assert!(!by.is_by(part), "{part}");
        }
        assert!(!flow(None).is_by("a"));
    }
}
