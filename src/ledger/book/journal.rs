//! The journal: what changed beside points, in records that are each linked to the one before it by its hash.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::ledger::book::freeze::FreezeScope;
use crate::ledger::book::hash::{Hash, update_text};
use crate::ledger::book::names::{NameLink, links};

/// The version of the hash. No other hash of the ledger begins with this byte.
const VERSION: u8 = 1;

/// A change that the journal records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalEvent {
    /// A name became another name of an owner.
    Linked {
        /// The new name: `key:abc`.
        name: String,
        /// The owner whose accounts it leads to: `uid:5`.
        owner: String,
        /// The assets whose accounts stay under `name`, to which both names lead; sorted.
        kept: Vec<String>,
    },
    /// The ledger took up the second format of entries.
    FormatTaken {
        /// The digest of what older versions left without a hash, in hexadecimal: see
        /// [`OldRecords`](crate::ledger::book::openings::OldRecords).
        digest: String,
        /// The number of accounts with entries of the first format.
        openings: u64,
        /// The number of names that were linked before the journal began.
        identities: u64,
    },
    /// The profile of an owner was erased.
    Forgotten {
        /// The owner, by the name that the operator gave.
        owner: String,
        /// What was erased, sorted; never the values.
        erased: Vec<&'static str>,
    },
    /// The accounts of an owner were frozen, or their freeze was changed.
    Frozen {
        /// The owner, by the name that the accounts stand under.
        owner: String,
        /// What is forbidden from now on.
        scope: FreezeScope,
        /// The operator's reason.
        reason: String,
    },
    /// An operator put right what went wrong.
    Corrected(CorrectionRecord),
    /// A freeze was lifted.
    Unfrozen {
        /// The owner, by the name that the accounts stand under.
        owner: String,
        /// The operator's reason.
        reason: String,
    },
    /// The ledger was sealed.
    Sealed {
        /// The number of the seal.
        number: i64,
        /// The hash of its record in the log of seals, in hexadecimal.
        leaf: String,
    },
    /// What follows from entries was made anew where it differed.
    Rebuilt {
        /// The number of accounts.
        accounts: usize,
        /// The number of contra accounts.
        contras: usize,
    },
    /// An operator took the clock as right. All times are in ms.
    ClockConfirmed {
        /// The time of the clock.
        now: i64,
        /// The time that the ledger had seen last; `None` = none.
        seen_at: Option<i64>,
        /// How far the database's clock was ahead.
        database_ahead: i64,
    },
}

impl JournalEvent {
    /// The kind in the database. It is part of a record's hash, so it never changes.
    pub fn kind(&self) -> &'static str {
        match self {
            JournalEvent::Linked { .. } => "link",
            JournalEvent::FormatTaken { .. } => "format",
            JournalEvent::Forgotten { .. } => "forget",
            JournalEvent::Frozen { .. } => "freeze",
            JournalEvent::Unfrozen { .. } => "unfreeze",
            JournalEvent::Sealed { .. } => "seal",
            JournalEvent::Rebuilt { .. } => "rebuild",
            JournalEvent::ClockConfirmed { .. } => "clock",
            JournalEvent::Corrected(correction) => correction.kind,
        }
    }

    /// A JSON object with sorted keys.
    pub fn details(&self) -> String {
        let details = match self {
            JournalEvent::Linked { name, owner, kept } if kept.is_empty() => {
                json!({"name": name, "owner": owner})
            }
            JournalEvent::Linked { name, owner, kept } => {
                json!({"kept": kept, "name": name, "owner": owner})
            }
            JournalEvent::FormatTaken {
                digest,
                openings,
                identities,
            } => json!({"digest": digest, "identities": identities, "openings": openings}),
            JournalEvent::Forgotten { owner, erased } => json!({"erased": erased, "owner": owner}),
            JournalEvent::Frozen {
                owner,
                scope,
                reason,
            } => json!({"owner": owner, "reason": reason, "scope": scope.name()}),
            JournalEvent::Corrected(correction) => correction.details(),
            JournalEvent::Unfrozen { owner, reason } => json!({"owner": owner, "reason": reason}),
            JournalEvent::Rebuilt { accounts, contras } => {
                json!({"accounts": accounts, "contras": contras})
            }
            JournalEvent::Sealed { number, leaf } => json!({"leaf": leaf, "number": number}),
            JournalEvent::ClockConfirmed {
                now,
                seen_at,
                database_ahead,
            } => json!({"database_ahead": database_ahead, "now": now, "seen_at": seen_at}),
        };
        details.to_string()
    }
}

/// A correction, as the journal records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrectionRecord {
    /// `adjust`, `reverse`, `reinstate` or `transfer`. It is part of a record's hash, so it never changes.
    pub kind: &'static str,
    /// The owner of the corrected account.
    pub owner: String,
    /// The account's asset.
    pub asset: String,
    /// The owner who got what was transferred.
    pub to: Option<String>,
    /// The points that the operator named.
    pub points: Option<i64>,
    /// The number of the entry that was corrected.
    pub seq: Option<i64>,
    /// Whether the account owes what it did not hold.
    pub claw_back: bool,
    /// The correction's id, which is the reference of its entries.
    pub id: String,
    /// The operator's reason.
    pub reason: String,
}

impl CorrectionRecord {
    /// A JSON object with sorted keys, without what the correction does not have.
    fn details(&self) -> serde_json::Value {
        let mut details = json!({
            "asset": self.asset,
            "id": self.id,
            "owner": self.owner,
            "reason": self.reason,
        });
        if self.claw_back {
            details["claw_back"] = true.into();
        }
        if let Some(points) = self.points {
            details["points"] = points.into();
        }
        if let Some(seq) = self.seq {
            details["seq"] = seq.into();
        }
        if let Some(to) = &self.to {
            details["to"] = to.as_str().into();
        }
        details
    }
}

/// What a transaction has the journal record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRecord {
    /// What the record tells of.
    pub event: JournalEvent,
    /// Who did it, and in which request.
    pub operator: Operator,
}

/// Who makes a change, and in which request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The operating-system user: `uid:1000`.
    pub user: String,
    /// The request id, which the log has too.
    pub request_id: String,
}

/// One change beside points. A record never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRecord {
    /// 1, 2, 3, … without a gap.
    pub number: i64,
    /// When it happened (ms since 1970 UTC).
    pub at: i64,
    /// What happened: `link`, `forget`, `freeze`, `unfreeze`, `format`, `seal`, `clock`, `adjust`, ….
    pub kind: String,
    /// Who did it, and in which request.
    pub operator: Operator,
    /// A JSON object with sorted keys.
    pub details: String,
    /// The result of [`JournalRecord::hash_after`] for the record before it, which of the first is all zero.
    pub hash: Hash,
}

impl JournalRecord {
    /// The record of an event that follows another record, or begins the journal.
    pub fn of(
        event: &JournalEvent,
        at: i64,
        operator: Operator,
        last: Option<&JournalRecord>,
    ) -> JournalRecord {
        let mut record = JournalRecord {
            number: last.map_or(1, |last| last.number.saturating_add(1)),
            at,
            kind: event.kind().to_owned(),
            operator,
            details: event.details(),
            hash: Hash::default(),
        };
        record.hash = record.hash_after(&last.map_or(Hash::default(), |last| last.hash));
        record
    }

    /// The hash over the hash of the record before and this record's content, each text after its length.
    pub fn hash_after(&self, before: &Hash) -> Hash {
        let mut hash = Sha256::new();
        hash.update([VERSION]);
        hash.update(before);
        for number in [self.number, self.at] {
            hash.update(number.to_be_bytes());
        }
        for text in [
            &self.kind,
            &self.operator.user,
            &self.operator.request_id,
            &self.details,
        ] {
            update_text(&mut hash, Some(text));
        }
        hash.finalize().into()
    }

    /// A text in the details; `None` if they have no such field.
    pub fn detail(&self, field: &str) -> Option<String> {
        let details: serde_json::Value = serde_json::from_str(&self.details).ok()?;
        details[field].as_str().map(str::to_owned)
    }

    /// Where names lead since this record; nothing if it records no link.
    pub fn linked(&self) -> Vec<NameLink> {
        let (name, owner) = (self.detail("name"), self.detail("owner"));
        match (name, owner) {
            (Some(name), Some(owner)) if self.kind == "link" => links(&name, &owner, &self.kept()),
            _ => Vec::new(),
        }
    }

    /// The assets whose accounts stay under the name that this record links to another owner.
    pub fn kept(&self) -> Vec<String> {
        let details: Option<serde_json::Value> = serde_json::from_str(&self.details).ok();
        let kept = details.and_then(|mut details| details.get_mut("kept").map(|it| it.take()));
        kept.and_then(|kept| serde_json::from_value(kept).ok())
            .unwrap_or_default()
    }

    /// Whether this record says that the profile of an owner was erased.
    pub fn is_forgotten(&self, owner: &str) -> bool {
        self.kind == "forget" && self.detail("owner").is_some_and(|it| it == owner)
    }
}

#[cfg(test)]
mod tests;
