//! What a batch changed: the rows that the writer saves in one database transaction.

use std::collections::{BTreeMap, HashMap};

use entity::payment;

use crate::ledger::book::account::{Account, Lot};
use crate::ledger::book::entry::{Contra, Entry};
use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::journal::PendingRecord;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{AccountKey, Action, Nonce};

/// Everything that a batch changed.
#[derive(Debug, Default)]
pub struct Changes {
    /// Accounts as they are now, in key order.
    pub accounts: BTreeMap<AccountKey, Account>,
    /// New entries, in the order in which they were made.
    pub entries: Vec<Entry>,
    /// New lots.
    pub opened_lots: Vec<(AccountKey, Lot)>,
    /// Lots that hold more or fewer points than before.
    pub changed_lots: Vec<(AccountKey, Lot)>,
    /// Lots without points, by their expiry (ms).
    pub emptied_lots: Vec<(AccountKey, i64)>,
    /// What contra accounts gain, by asset.
    pub contra_gains: BTreeMap<(String, Contra), ContraGain>,
    /// Nonces that are spent now.
    pub nonces: Vec<Nonce>,
    /// Daily-limit slots that actions took.
    pub limit_slots: Vec<LimitSlot>,
    /// New actions.
    pub actions: Vec<RecordedAction>,
    /// What allowances have been used, by their ends and keys.
    pub used_allowances: BTreeMap<(i64, Key), UsedAllowance>,
    /// New events of payments.
    pub payments: Vec<payment::Model>,
    /// What the journal records.
    pub pending_records: Vec<PendingRecord>,
    /// The freezes under which all of this was allowed.
    pub frozen: HashMap<String, FreezeScope>,
}

impl Changes {
    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.nonces.is_empty()
            && self.actions.is_empty()
            && self.payments.is_empty()
    }
}

/// What entries bring to a contra account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContraGain {
    /// Points: minus what the entries bring to members.
    pub points: i64,
    /// The number of the entries.
    pub entries: i64,
    /// The sum of the first four bytes of the entries' hashes, so that an entry cannot go without a trace.
    pub checksum: i64,
}

impl ContraGain {
    /// Adds an entry.
    pub fn add(&mut self, entry: &Entry) {
        let [a, b, c, d, ..] = entry.hash;
        self.points -= entry.amount;
        self.entries += 1;
        self.checksum += i64::from(u32::from_be_bytes([a, b, c, d]));
    }

    /// Adds what other entries bring.
    pub fn merge(&mut self, other: ContraGain) {
        self.points += other.points;
        self.entries += other.entries;
        self.checksum += other.checksum;
    }
}

/// How much of an allowance has been used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsedAllowance {
    /// The points that were earned by it.
    pub points: i64,
    /// Whether the database has a row for it.
    pub is_stored: bool,
}

/// An action as the database stores it.
#[derive(Clone, Debug)]
pub struct RecordedAction {
    /// The key of its row: the action's own, or its identity if another action has that one.
    pub key: Key,
    /// The action as its caller described it.
    pub action: Action,
    /// When the ledger recorded it (ms).
    pub at: i64,
    /// Whether its postings were applied, so that it counts towards its limit.
    pub scored: bool,
}

/// What a limit counts: one owner's actions of one name in a window of time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LimitKey {
    /// The owner who acts.
    pub owner: String,
    /// The kind of action.
    pub name: String,
    /// The window's start (ms), inclusive.
    pub from: i64,
    /// The window's end (ms), exclusive.
    pub until: i64,
}

impl LimitKey {
    /// What an action counts towards, and up to which number. `None` if it has no limit.
    pub fn of(action: &Action) -> Option<(LimitKey, i64)> {
        action.limit.map(|limit| {
            let key = LimitKey {
                owner: action.owner.clone(),
                name: action.name.clone(),
                from: limit.from,
                until: limit.until,
            };
            (key, limit.most)
        })
    }

    /// The slot of the `nth` action, counted from 1.
    pub(super) fn slot(&self, nth: i64) -> LimitSlot {
        let (from, nth) = (self.from.to_string(), nth.to_string());
        LimitSlot {
            expires_at: self.until,
            key: Key::of(&[&self.owner, &self.name, &from, &nth]),
        }
    }
}

/// A slot of a daily limit, which one action can take. Two writers that both count `n` actions both take slot `n + 1`: the
/// database refuses the second one, which then counts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LimitSlot {
    /// The end of the limit's window (ms); the slot can be purged after it.
    pub expires_at: i64,
    /// The key of the limit and the slot's number.
    pub key: Key,
}
