//! The replay of one account's entries, and its comparison with what the account claims.

use entity::{account, entry, lot};

use super::{AuditError, broken};
use crate::ledger::book::entry::{Contra, Hash};
use crate::ledger::book::transaction::AccountKey;
use crate::ledger::read::entries;

/// An account as its entries so far make it.
pub struct AccountReplay<'a> {
    account: &'a account::Model,
    key: AccountKey,
    balance: i64,
    seq: i64,
    income: i64,
    at: i64,
    head: Hash,
}

impl<'a> AccountReplay<'a> {
    /// The account before its first entry.
    pub fn new(account: &'a account::Model) -> Self {
        let key = AccountKey {
            owner: account.owner.clone(),
            asset: account.asset.clone(),
        };
        AccountReplay {
            account,
            key,
            balance: 0,
            seq: 0,
            income: 0,
            at: i64::MIN,
            head: Hash::default(),
        }
    }

    fn broken(&self, why: impl Into<String>) -> AuditError {
        broken(format!("{} of {}", self.key.asset, self.key.owner), why)
    }

    fn compare(&self, what: &str, found: i64, expected: i64) -> Result<(), AuditError> {
        match found == expected {
            true => Ok(()),
            false => Err(self.broken(format!("{what} is {found}, but should be {expected}"))),
        }
    }

    /// Replays the next entry. Returns its contra account and its points.
    ///
    /// # Errors
    /// Returns [`AuditError::Broken`] if the entry is inconsistent.
    pub fn add(&mut self, row: &entry::Model) -> Result<(Contra, i64), AuditError> {
        self.seq += 1;
        self.income += i64::from(row.amount > 0);
        self.balance = self.balance.saturating_add(row.amount);
        let which = format!("entry {}", row.seq);
        self.compare("the number of an entry", row.seq, self.seq)?;
        self.compare(
            &format!("{which}: balance_after"),
            row.balance_after,
            self.balance,
        )?;
        let direction_seq = if row.amount > 0 {
            self.income
        } else {
            self.seq - self.income
        };
        self.compare(
            &format!("{which}: direction_seq"),
            row.direction_seq,
            direction_seq,
        )?;
        self.compare(
            &format!("{which}: direction"),
            row.direction,
            if row.amount > 0 { 1 } else { 2 },
        )?;
        if row.at < self.at {
            return Err(self.broken(format!("{which} is older than the one before it")));
        }
        self.at = row.at;
        let Some(entry) = entries::from_row(&self.key, row) else {
            return Err(self.broken(format!(
                "{which} has no known contra account or no whole hash"
            )));
        };
        self.head = entry.hash_after(&self.head);
        if entry.hash != self.head {
            return Err(self.broken(format!("{which} does not fit the chain of hashes")));
        }
        Ok((entry.contra, row.amount))
    }

    /// Compares the replayed entries with the account and its lots.
    ///
    /// # Errors
    /// Returns [`AuditError::Broken`] if they differ.
    pub fn finish(&self, lots: &[lot::Model]) -> Result<(), AuditError> {
        let account = self.account;
        self.compare("the balance", account.balance, self.balance)?;
        self.compare("last_seq", account.last_seq, self.seq)?;
        self.compare("income_seq", account.income_seq, self.income)?;
        if self.seq > 0 {
            self.compare("last_at", account.last_at, self.at)?;
        }
        if account.head != self.head {
            return Err(self.broken("the head is not the hash of the last entry"));
        }
        if let Some(lot) = lots.iter().find(|lot| lot.remaining <= 0) {
            return Err(self.broken(format!(
                "the lot that expires at {} holds {}",
                lot.expires_at, lot.remaining
            )));
        }
        let held = lots
            .iter()
            .fold(0_i64, |sum, lot| sum.saturating_add(lot.remaining));
        self.compare("the sum of its lots", held, self.balance)?;
        if account.next_expiry != lots.iter().map(|lot| lot.expires_at).min() {
            return Err(self.broken("next_expiry is not the expiry of its first lot"));
        }
        Ok(())
    }
}
