//! Limits on the points that a caller's transactions earn.

use super::Book;
use super::attempt::Draft;
use super::changes::UsedAllowance;
use super::key::Key;
use super::transaction::{Allowance, CreditLimit, PostingKind};

/// The points that drafts earn. A retry earns none.
pub(super) fn earned(drafts: &[Draft<'_>]) -> i64 {
    let amount = |draft: &Draft<'_>| match draft.posting.kind {
        PostingKind::Earn { amount, .. } if draft.receipt.moved => amount,
        _ => 0,
    };
    drafts.iter().map(amount).fold(0, i64::saturating_add)
}

impl Book {
    /// Loads what of an allowance has been used.
    pub fn put_used_allowance(&mut self, expires_at: i64, key: Key, points: i64) {
        let is_stored = true;
        let used = UsedAllowance { points, is_stored };
        self.allowances.insert((expires_at, key), used);
    }

    /// Uses up what these points take of a limit. Returns `false`, and uses nothing, if they exceed it.
    pub(super) fn use_limit(&mut self, limit: CreditLimit, points: i64) -> bool {
        if points == 0 {
            return true;
        }
        if points > limit.most {
            return false;
        }
        let Some(Allowance {
            key,
            expires_at,
            most,
        }) = limit.allowance
        else {
            return true;
        };
        let used = self.allowances.entry((expires_at, key)).or_default();
        if points > most.saturating_sub(used.points) {
            return false;
        }
        used.points = used.points.saturating_add(points);
        let changes = &mut self.changes.used_allowances;
        changes.insert((expires_at, key), *used);
        true
    }
}
