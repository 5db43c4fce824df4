//! The audit of accounts: each is replayed from its entries, and compared with what the tables say.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::{account, entry, opening};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::old_records::old_entry;
use super::states::SealedStates;
use super::stream::Entries;
use super::{AuditError, broken};
use crate::ledger::book::account::Lot;
use crate::ledger::book::changes::ContraGain;
use crate::ledger::book::debt::is_debt;
use crate::ledger::book::entry::{Contra, Format, Hash};
use crate::ledger::book::key::Key;
use crate::ledger::book::lots::write_lots;
use crate::ledger::book::openings::{OldEntry, Opening, digest_of};
use crate::ledger::book::order;
use crate::ledger::book::replay::Replay;
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::read::entries;
use crate::ledger::read::pages::AccountPage;
use crate::ledger::read::seals::StateSum;

/// Accounts with consecutive numbers, as the tables say they are.
#[derive(Clone, Debug)]
pub struct Accounts {
    page: AccountPage,
    lots: HashMap<i64, Vec<Lot>>,
    openings: HashMap<i64, opening::Model>,
}

/// What a part of the accounts came to.
#[derive(Clone, Debug, Default)]
pub struct PartReport {
    /// The number of accounts.
    pub accounts: u64,
    /// The number of entries.
    pub entries: u64,
    /// The points that members hold, and those that they owe.
    pub points: i128,
    /// The points that they owe.
    pub owed: i128,
    /// What contra accounts gain, by asset.
    pub sums: BTreeMap<(String, Contra), ContraGain>,
    /// The digests of openings, in the order of the accounts' numbers.
    pub openings: Vec<Hash>,
    /// Orders whose entries do not all stand in one account in the second format.
    pub orders: HashSet<Key>,
    /// The sealed states, by seal.
    pub states: BTreeMap<i64, StateSum>,
}

impl Accounts {
    /// The next accounts after a number; `None` at the end.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn after(db: &impl ConnectionTrait, last_id: i64) -> Result<Option<Self>, DbErr> {
        match AccountPage::after(db, last_id).await? {
            Some(page) => Accounts::with(db, page).await.map(Some),
            None => Ok(None),
        }
    }

    /// The accounts of a page, with what the tables say of them.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn with(db: &impl ConnectionTrait, page: AccountPage) -> Result<Self, DbErr> {
        let (first, last) = page.ids;
        let lots = page.lots(db).await?;
        let openings = opening::Entity::find()
            .filter(opening::Column::AccountId.between(first, last))
            .all(db)
            .await?;
        let openings = openings.into_iter().map(|row| (row.account_id, row));
        Ok(Accounts {
            page,
            lots,
            openings: openings.collect(),
        })
    }

    /// The number of the last account.
    pub fn last_id(&self) -> i64 {
        self.page.ids.1
    }

    /// Replays all entries of the accounts, whatever their rows say, and gives the rows and lots of those that differ from what the entries
    /// come to.
    ///
    /// # Errors
    /// Returns [`AuditError`] if the entries are inconsistent, or if the database fails.
    pub async fn repair(
        mut self,
        db: &impl ConnectionTrait,
        sums: &mut BTreeMap<(String, Contra), ContraGain>,
    ) -> Result<Vec<(account::Model, Vec<Lot>)>, AuditError> {
        let mut stream = Entries::new(db, self.page.ids);
        let mut repaired = Vec::new();
        for row in self.page.accounts {
            let last_seq = i64::MAX;
            let all = account::Model {
                last_seq,
                ..row.clone()
            };
            let mut replay = AccountReplay::new(&row, self.openings.remove(&row.id))?;
            while let Some(entry) = stream.next_of(&all).await? {
                let (contra, gain) = replay.add(&entry, &stream.origins)?;
                let sum = sums.entry((row.asset.clone(), contra));
                sum.or_default().merge(gain);
            }
            let expected = replay.expected();
            let lots = self.lots.remove(&row.id).unwrap_or_default();
            if expected != (row.clone(), lots) {
                repaired.push(expected);
            }
        }
        Ok(repaired)
    }

    /// Replays the accounts' entries, which `db` reads: it may see entries that are newer than the accounts, and seals after the last one of
    /// the audited snapshot.
    ///
    /// # Errors
    /// Returns [`AuditError`] with the first inconsistency, or if the database fails.
    pub async fn replay(
        mut self,
        db: &impl ConnectionTrait,
        last_seal: i64,
    ) -> Result<PartReport, AuditError> {
        let mut report = PartReport::default();
        let ids = self.page.ids;
        let mut stream = Entries::new(db, ids);
        let mut states = SealedStates::new(db, ids, last_seal);
        for account in self.page.accounts {
            let mut replay = AccountReplay::new(&account, self.openings.remove(&account.id))?;
            while let Some(row) = stream.next_of(&account).await? {
                let gain = replay.add(&row, &stream.origins)?;
                let sum = report.sums.entry((account.asset.clone(), gain.0));
                sum.or_default().merge(gain.1);
                report.entries += 1;
                states.compare(&account, replay.replay.account()).await?;
            }
            states.finish(&account).await?;
            let lots = self.lots.remove(&account.id).unwrap_or_default();
            replay.finish(&lots)?;
            report.accounts += 1;
            report.points += i128::from(account.balance);
            if is_debt(&account.asset) {
                report.owed += i128::from(account.balance);
            }
            report.openings.extend(replay.opening_digest());
            report.orders.extend(replay.replay.unknown_orders());
        }
        report.states = states.sums;
        Ok(report)
    }
}

/// One account's entries so far, and what its row and its opening say.
struct AccountReplay<'a> {
    account: &'a account::Model,
    key: AccountKey,
    replay: Replay,
    opening: Option<Opening>,
    old_entries: Vec<OldEntry>,
}

impl<'a> AccountReplay<'a> {
    fn new(
        account: &'a account::Model,
        opening: Option<opening::Model>,
    ) -> Result<Self, AuditError> {
        let key = AccountKey {
            owner: account.owner.clone(),
            asset: account.asset.clone(),
        };
        let opening = opening.map(|row| entries::opening(&row)).transpose();
        let opening = opening.map_err(|why| broken(name(account), why))?;
        Ok(AccountReplay {
            account,
            key,
            replay: Replay::default(),
            opening,
            old_entries: Vec::new(),
        })
    }

    fn broken(&self, why: impl Into<String>) -> AuditError {
        broken(name(self.account), why)
    }

    /// Replays the next entry. Returns what it brings to which contra account.
    fn add(
        &mut self,
        row: &entry::Model,
        origins: &HashMap<i64, Hash>,
    ) -> Result<(Contra, ContraGain), AuditError> {
        let entry = entries::from_row(&self.key, row, origins);
        let entry = entry.map_err(|why| self.broken(format!("entry {} {why}", row.seq)))?;
        if row.direction != entry.direction() {
            return Err(self.broken(format!("entry {}: the direction is wrong", row.seq)));
        }
        let opens = self.opening.as_ref().map_or(0, |opening| opening.seq);
        match entry.format {
            Format::First if row.seq > opens => {
                let why = format!(
                    "entry {} is of the first format, after the opening",
                    row.seq
                );
                return Err(self.broken(why));
            }
            Format::Second if row.seq <= opens => {
                let why = format!(
                    "entry {} is of the second format, before the opening",
                    row.seq
                );
                return Err(self.broken(why));
            }
            _ => {}
        }
        if entry.format == Format::First {
            self.add_old(row)?;
        }
        let added = self.replay.add(&entry);
        added.map_err(|why| self.broken(why))?;
        if let Some(opening) = self.opening.as_ref().filter(|it| it.seq == row.seq) {
            let opened = self.replay.open(opening);
            opened.map_err(|why| self.broken(why))?;
        }
        let mut gain = ContraGain::default();
        gain.add(&entry);
        Ok((entry.contra, gain))
    }

    /// Keeps what an entry of the first format states beside its hash.
    fn add_old(&mut self, row: &entry::Model) -> Result<(), AuditError> {
        match (&row.order_key, &row.lots) {
            (None, None) => {}
            (Some(_), Some(lots)) => self.check_old_spend(row, lots)?,
            _ => return Err(self.broken(format!("entry {} states half an order", row.seq))),
        }
        let entry = old_entry(row);
        if !entry.is_empty() {
            self.old_entries.push(entry);
        }
        Ok(())
    }

    fn check_old_spend(&self, row: &entry::Model, lots: &str) -> Result<(), AuditError> {
        let mut allocations = Vec::new();
        let read = order::replay_text(&mut allocations, row.seq, lots);
        let drawn = allocations.iter();
        let drawn = drawn.fold(0_i64, |sum, it| sum.saturating_add(it.drawn));
        match read.is_some() && drawn == row.amount.saturating_neg() {
            true => Ok(()),
            false => {
                let why = format!("entry {}: its lots do not sum to what it spent", row.seq);
                Err(self.broken(why))
            }
        }
    }

    fn opening_digest(&self) -> Option<Hash> {
        let opening = self.opening.as_ref()?;
        let lots = write_lots(&opening.lots);
        Some(digest_of(&self.key, opening.seq, &lots, &self.old_entries))
    }

    /// The row and the lots that the entries come to.
    fn expected(&self) -> (account::Model, Vec<Lot>) {
        let account = self.replay.account();
        let row = account::Model {
            balance: account.balance,
            last_seq: account.last_seq,
            income_seq: account.income_seq,
            last_at: account.last_at,
            next_expiry: account.lots.first().map(|lot| lot.expires_at),
            head: account.head.to_vec(),
            ..self.account.clone()
        };
        (row, account.lots.clone())
    }

    /// Compares the replayed account with its row and its lots.
    fn finish(&self, lots: &[Lot]) -> Result<(), AuditError> {
        let (row, account) = (self.account, self.replay.account());
        for (what, found, expected) in [
            ("the balance", row.balance, account.balance),
            ("last_seq", row.last_seq, account.last_seq),
            ("income_seq", row.income_seq, account.income_seq),
            ("last_at", row.last_at, account.last_at),
        ] {
            if found != expected {
                return Err(self.broken(format!("{what} is {found}, but should be {expected}")));
            }
        }
        if row.head != account.head {
            return Err(self.broken("the head is not the hash of the last entry"));
        }
        if let Some(opening) = self.opening.as_ref().filter(|it| it.seq > row.last_seq) {
            let why = format!("its opening tells of entry {}", opening.seq);
            return Err(self.broken(why));
        }
        let mut pairs = lots.iter().zip(&account.lots);
        let differs = pairs.find(|(stored, replayed)| stored != replayed);
        if let Some((stored, replayed)) = differs {
            return Err(self.broken(format!(
                "the lot that expires at {} holds {}, but should be the one of {} with {}",
                stored.expires_at, stored.remaining, replayed.expires_at, replayed.remaining
            )));
        }
        if lots.len() != account.lots.len() {
            let (found, expected) = (lots.len(), account.lots.len());
            return Err(self.broken(format!("it has {found} lots, but should have {expected}")));
        }
        if row.next_expiry != account.lots.first().map(|lot| lot.expires_at) {
            return Err(self.broken("next_expiry is not the expiry of its first lot"));
        }
        Ok(())
    }
}

/// An account's name in a message: `coin of uid:5`.
fn name(account: &account::Model) -> String {
    format!("{} of {}", account.asset, account.owner)
}
