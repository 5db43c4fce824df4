//! Corrections by an operator, as transactions of the ledger.

use super::keys::KeySpace;
use crate::config::Corrections;
use crate::gateway::context::Context;
use crate::ledger::book::correction::Correction;
use crate::ledger::book::journal::{CorrectionRecord, JournalEvent, Operator, PendingRecord};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{
    AccountKey, Idempotency, Posting, PostingKind, Reason, Transaction,
};

/// What an operator wants to put right. Accounts have the names that they stand under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Points to add, or to take if negative.
    Adjust {
        /// Whose points change, and of which asset.
        account: AccountKey,
        /// Points, not 0.
        points: i64,
        /// The expiry of points to add (ms).
        expires_at: i64,
        /// Whether the account owes what it does not hold.
        claw_back: bool,
    },
    /// An entry to take back.
    Reverse {
        /// The entry's account.
        account: AccountKey,
        /// The number of the entry within the account.
        seq: i64,
        /// Whether the account owes what it does not hold any more.
        claw_back: bool,
    },
    /// Points that expired wrongly, to give back.
    Reinstate {
        /// The account of the entry that expired them.
        account: AccountKey,
        /// The number of the entry within the account.
        seq: i64,
        /// Their new expiry (ms); `None` = the old one.
        expires_at: Option<i64>,
    },
    /// Points to move to another owner's account of the same asset.
    Transfer {
        /// The account that loses them.
        account: AccountKey,
        /// The owner who gets them.
        to: String,
        /// Points, from 1.
        points: i64,
    },
}

impl Wanted {
    /// The account that is corrected, or loses points.
    pub fn account(&self) -> &AccountKey {
        match self {
            Wanted::Adjust { account, .. }
            | Wanted::Reverse { account, .. }
            | Wanted::Reinstate { account, .. }
            | Wanted::Transfer { account, .. } => account,
        }
    }

    /// The transaction that does it, once for an `id`, or once for the entry that it corrects. Its entries have the id as reference, and the
    /// journal gets the operator's reason.
    pub fn transaction(
        &self,
        id: &str,
        reason: &str,
        types: Corrections,
        context: &Context<()>,
    ) -> Transaction {
        let posting = |account: &AccountKey, kind: i64, correction, key: &[&str]| Posting {
            account: account.clone(),
            kind: PostingKind::Correct(correction),
            reason: Reason(kind),
            idempotency: Some(Idempotency {
                key: KeySpace::Correction.key(key),
                fingerprint: self.content(),
            }),
            requires: None,
            reference: Some(id.to_owned()),
            message: None,
            operator: None,
        };
        let of_entry = |kind: &str, account: &AccountKey, seq: i64| {
            [kind, &account.asset, &account.owner, &seq.to_string()].map(str::to_owned)
        };
        let postings = match self {
            Wanted::Adjust {
                account,
                points,
                expires_at,
                claw_back,
            } => {
                let correction = Correction::Adjust {
                    points: *points,
                    expires_at: *expires_at,
                    claw_back: *claw_back,
                };
                vec![posting(account, types.adjust, correction, &["adjust", id])]
            }
            Wanted::Reverse {
                account,
                seq,
                claw_back,
            } => {
                let (seq, claw_back) = (*seq, *claw_back);
                let key = of_entry("reverse", account, seq);
                let correction = Correction::Reverse { seq, claw_back };
                let key = key.each_ref().map(String::as_str);
                vec![posting(account, types.reverse, correction, &key)]
            }
            Wanted::Reinstate {
                account,
                seq,
                expires_at,
            } => {
                let (seq, expires_at) = (*seq, *expires_at);
                let key = of_entry("reinstate", account, seq);
                let correction = Correction::Reinstate { seq, expires_at };
                let key = key.each_ref().map(String::as_str);
                vec![posting(account, types.reinstate, correction, &key)]
            }
            Wanted::Transfer {
                account,
                to,
                points,
            } => {
                let out = Correction::TransferOut { points: *points };
                let target = AccountKey {
                    owner: to.clone(),
                    asset: account.asset.clone(),
                };
                let (kind, into) = (types.transfer, Correction::TransferIn);
                vec![
                    posting(account, kind, out, &["transfer", "out", id]),
                    posting(&target, kind, into, &["transfer", "in", id]),
                ]
            }
        };
        let event = JournalEvent::Corrected(self.record(id, reason));
        let operator = Operator {
            user: context.origin.caller.clone(),
            request_id: context.request_id.to_string(),
        };
        Transaction {
            postings,
            request_id: Some(context.request_id.shared()),
            origin: context.origin.clone(),
            pending_record: Some(Box::new(PendingRecord { event, operator })),
            ..Transaction::default()
        }
    }

    /// The key of the content that a retry must repeat. An entry is corrected once, whatever else is asked for the second time.
    fn content(&self) -> Key {
        match self {
            Wanted::Adjust {
                account,
                points,
                // By default it follows from the time.
                expires_at: _,
                claw_back,
            } => {
                let (points, claw_back) = (points.to_string(), claw_back.to_string());
                Key::of(&[&account.asset, &account.owner, &points, &claw_back])
            }
            Wanted::Transfer {
                account,
                to,
                points,
            } => {
                let points = points.to_string();
                Key::of(&[&account.asset, &account.owner, to, &points])
            }
            Wanted::Reverse { .. } | Wanted::Reinstate { .. } => Key::of(&[]),
        }
    }

    fn record(&self, id: &str, reason: &str) -> CorrectionRecord {
        let (kind, to, points, seq, claw_back) = match self {
            Wanted::Adjust {
                points, claw_back, ..
            } => ("adjust", None, Some(*points), None, *claw_back),
            Wanted::Reverse { seq, claw_back, .. } => {
                ("reverse", None, None, Some(*seq), *claw_back)
            }
            Wanted::Reinstate { seq, .. } => ("reinstate", None, None, Some(*seq), false),
            Wanted::Transfer { to, points, .. } => {
                ("transfer", Some(to.clone()), Some(*points), None, false)
            }
        };
        let AccountKey { owner, asset } = self.account().clone();
        CorrectionRecord {
            kind,
            owner,
            asset,
            to,
            points,
            seq,
            claw_back,
            id: id.to_owned(),
            reason: reason.to_owned(),
        }
    }
}
