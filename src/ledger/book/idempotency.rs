//! What the ledger remembers of a posting with an idempotency key.

use crate::ledger::book::key::Key;

/// Lets a retry find the first posting and its answer. The record is part of the posting's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Identifies the request.
    pub key: Key,
    /// The key of the request's content.
    pub fingerprint: Key,
    /// The balance that was answered.
    pub balance: i64,
    /// The points that the account gained by the posting, negative if it lost them.
    pub amount: i64,
}

impl IdempotencyRecord {
    /// Reads the record from the columns of an entry of `amount`. Returns `None` if one of them is null or is not 16 bytes long.
    pub fn from_columns(
        key: Option<&[u8]>,
        fingerprint: Option<&[u8]>,
        balance: Option<i64>,
        amount: i64,
    ) -> Option<IdempotencyRecord> {
        Some(IdempotencyRecord {
            key: Key::from_bytes(key?)?,
            fingerprint: Key::from_bytes(fingerprint?)?,
            balance: balance?,
            amount,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_whole_or_none() {
        let (key, fingerprint) = (Key::of(&["k"]), Key::of(&["f"]));
        let (k, f) = (key.bytes(), fingerprint.bytes());
        let read = |key, fingerprint, balance| {
            IdempotencyRecord::from_columns(key, fingerprint, balance, 3)
        };
        let whole = IdempotencyRecord {
            key,
            fingerprint,
            balance: 5,
            amount: 3,
        };
        assert_eq!(read(Some(&k), Some(&f), Some(5)), Some(whole));
        for part in [
            read(None, Some(&f), Some(5)),
            read(Some(&k), None, Some(5)),
            read(Some(&k), Some(&f), None),
            read(Some(&k[1..]), Some(&f), Some(5)),
        ] {
            assert_eq!(part, None);
        }
    }
}
