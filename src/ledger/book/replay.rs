//! The replay of an account's entries by the rules that wrote them.

use std::collections::{HashMap, HashSet};

use super::account::{Account, Allocation};
use super::attempt::expired_at;
use super::entry::{Contra, Entry, Format};
use super::key::Key;
use super::lots::LotChange;
use super::openings::Opening;
use super::{lots, order};

/// An account as its entries so far make it.
#[derive(Debug, Default)]
pub struct Replay {
    account: Account,
    /// What the account's entries of the second format say of each order.
    orders: HashMap<Key, Vec<Allocation>>,
    /// Orders of which another account has entries, or entries of the first format.
    unknown: HashSet<Key>,
}

impl Replay {
    /// The account after the entries so far.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Orders whose entries do not all stand in this account in the second format, and which the replay has not followed.
    pub fn unknown_orders(&self) -> &HashSet<Key> {
        &self.unknown
    }

    /// Takes over what the account held after its entries of the first format.
    ///
    /// # Errors
    /// Returns what does not match these entries.
    pub fn open(&mut self, opening: &Opening) -> Result<(), String> {
        let account = &mut self.account;
        compare(
            "the opening's number of entries",
            opening.seq,
            account.last_seq,
        )?;
        let held = opening.lots.iter();
        let held = held.fold(0_i64, |sum, lot| sum.saturating_add(lot.remaining));
        compare("the sum of the opening's lots", held, account.balance)?;
        account.lots.clone_from(&opening.lots);
        Ok(())
    }

    /// Replays the next entry.
    ///
    /// # Errors
    /// Returns what the entry states and the rules do not give.
    pub fn add(&mut self, entry: &Entry) -> Result<(), String> {
        let which = |what: &str| format!("entry {}: {what}", entry.seq);
        if entry.at < self.account.last_at && self.account.last_seq > 0 {
            return Err(which("it is older than the one before it"));
        }
        let head = entry.hash_after(&self.account.head);
        if entry.format == Format::Second {
            self.check_rules(entry).map_err(|why| which(&why))?;
        }
        let step = match entry.format {
            Format::First => self.account.step_of(entry.at, entry.amount),
            Format::Second => self.account.step(entry.at, &entry.lots),
        };
        let step = step.ok_or_else(|| which("it takes more from a lot than there is"))?;
        compare("the number of an entry", entry.seq, step.seq)?;
        for (what, found, expected) in [
            ("amount", entry.amount, step.amount),
            ("balance_after", entry.balance_after, step.balance_after),
            ("direction_seq", entry.direction_seq, step.direction_seq),
        ] {
            compare(&which(what), found, expected)?;
        }
        if entry.hash != head {
            return Err(which("it does not fit the chain of hashes"));
        }
        self.account.head = head;
        Ok(())
    }

    /// Gives back what an entry states, if that is what its order would.
    fn give_back(&mut self, order: Key, entry: &Entry) {
        let amount = lots::sum(&entry.lots).unwrap_or_default();
        let allocations = self.orders.get_mut(&order);
        let back = allocations.and_then(|it| order::give_back(it, amount));
        if back.as_ref() != Some(&entry.lots) {
            // Whether it is right shows once all of the order's entries are put together.
            self.unknown.insert(order);
        }
    }

    /// Compares what an entry did to lots with what the rules would have done.
    fn check_rules(&mut self, entry: &Entry) -> Result<(), String> {
        let amount = lots::sum(&entry.lots).ok_or("its lots sum to more than 64 bits")?;
        let expected: Option<Vec<LotChange>> = match (entry.contra, amount) {
            (Contra::Issued, 1..) => Some(entry.lots.clone()).filter(|it| it.len() == 1),
            (Contra::Redeemed, ..=-1) => {
                if let Some(order) = entry.order {
                    let allocations = self.orders.entry(order).or_default();
                    order::spend(allocations, entry.seq, &entry.lots);
                }
                self.account.consume(-amount)
            }
            (Contra::Redeemed, 1..) => {
                let order = entry.order.ok_or("it gives back, but names no order")?;
                self.give_back(order, entry);
                all_of_one_sign(entry)
            }
            // An operator chooses the lots: those of the entry that is corrected.
            (Contra::Adjusted, 1..) => {
                if let Some(order) = entry.order {
                    self.give_back(order, entry);
                }
                all_of_one_sign(entry)
            }
            (Contra::Adjusted, ..=-1) if entry.order.is_none() => all_of_one_sign(entry),
            (Contra::Transferred, 1..) if entry.order.is_none() => all_of_one_sign(entry),
            (Contra::Transferred, ..=-1) if entry.order.is_none() => self.account.consume(-amount),
            (Contra::Expired, ..=-1) => {
                let recorded_at = entry.recorded_at.unwrap_or_default();
                let last_at = self.account.last_at;
                let due = self.account.next_due(i64::MAX);
                due.filter(|lot| entry.at == expired_at(lot.expires_at, recorded_at).max(last_at))
                    .map(|lot| vec![lot])
            }
            _ => None,
        };
        match expected.as_ref() == Some(&entry.lots) {
            true => Ok(()),
            false => Err("its lots are not those that the rules give".into()),
        }
    }
}

/// The effect of an entry that only gives, or only takes.
fn all_of_one_sign(entry: &Entry) -> Option<Vec<LotChange>> {
    let is_same = |change: &LotChange| change.points.signum() == entry.amount.signum();
    entry.lots.iter().all(is_same).then(|| entry.lots.clone())
}

fn compare(what: &str, found: i64, expected: i64) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what} is {found}, but should be {expected}")),
    }
}
