//! The day record: what one seal says of the ledger, as canonical JSON, which is a leaf of the log.

use serde_json::{Map, Value, json};

use crate::ledger::book::entry::Hash;
use crate::ledger::proof::{hash_from_hex, log};

/// The version of the record's form.
const VERSION: i64 = 1;
/// What the audit found before a seal: there is no seal of anything else.
const PASSED: &str = "passed";

/// What one seal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRecord {
    /// 1, 2, 3, … in the log.
    pub number: i64,
    /// The local day: `2026-05-20`. Several seals of one day are allowed.
    pub day: String,
    /// When the ledger was sealed (ms since 1970 UTC).
    pub at: i64,
    /// The root of the tree of accounts.
    pub root: Hash,
    /// The SHA-256 of the totals, which are kept apart, since every member's proof holds the record.
    pub totals: Hash,
    /// The number of the journal's last record; 0 if it has none.
    pub journal_number: i64,
    /// The hash of that record.
    pub journal_head: Hash,
    /// The program that audited and sealed: `pointgate 0.1.0`.
    pub program: String,
    /// The key that signs the checkpoint, as `NAME+ID+KEY`.
    pub key: String,
    /// The key that signs all later ones instead.
    pub next_key: Option<String>,
    /// The hash of the leaf before in the log; zeros before the first.
    pub before: Hash,
}

impl DayRecord {
    /// A JSON object without white space, whose keys are sorted and whose numbers are whole.
    pub fn text(&self) -> String {
        let record = json!({
            "at": self.at,
            "audit": PASSED,
            "before": hex::encode(self.before),
            "day": self.day,
            "journal_head": hex::encode(self.journal_head),
            "journal_number": self.journal_number,
            "key": self.key,
            "next_key": self.next_key,
            "number": self.number,
            "program": self.program,
            "root": hex::encode(self.root),
            "totals": hex::encode(self.totals),
            "version": VERSION,
        });
        record.to_string()
    }

    /// Reads a record. `None` for any text but the one that [`DayRecord::text`] writes.
    pub fn parse(text: &str) -> Option<DayRecord> {
        let fields: Map<String, Value> = serde_json::from_str(text).ok()?;
        let number = |name: &str| fields.get(name)?.as_i64();
        let string = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
        let hash = |name: &str| hash_from_hex(fields.get(name)?.as_str()?);
        let record = DayRecord {
            number: number("number")?,
            day: string("day")?,
            at: number("at")?,
            root: hash("root")?,
            totals: hash("totals")?,
            journal_number: number("journal_number")?,
            journal_head: hash("journal_head")?,
            program: string("program")?,
            key: string("key")?,
            next_key: string("next_key"),
            before: hash("before")?,
        };
        (record.text() == text).then_some(record)
    }

    /// The key that signs the checkpoint after this one.
    pub fn signs_next(&self) -> &str {
        self.next_key.as_ref().unwrap_or(&self.key)
    }

    /// Its leaf in the log.
    pub fn leaf(&self) -> Hash {
        log::leaf(self.text().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> DayRecord {
        DayRecord {
            number: 2,
            day: "2026-05-20".to_owned(),
            at: 1_779_247_832_000,
            root: [1; 32],
            totals: [2; 32],
            journal_number: 3,
            journal_head: [4; 32],
            program: "pointgate 0.1.0".to_owned(),
            key: "log+00000000+AQ==".to_owned(),
            next_key: None,
            before: [5; 32],
        }
    }

    /// The leaf was computed in Python from the description in docs/proofs.md.
    #[test]
    fn a_record_is_the_published_text() {
        let text = format!(
            r#"{{"at":1779247832000,"audit":"passed","before":"{}","day":"2026-05-20","journal_head":"{}","journal_number":3,"key":"log+00000000+AQ==","next_key":null,"number":2,"program":"pointgate 0.1.0","root":"{}","totals":"{}","version":1}}"#,
            "05".repeat(32),
            "04".repeat(32),
            "01".repeat(32),
            "02".repeat(32),
        );
        assert_eq!(record().text(), text);
        assert_eq!(
            hex::encode(record().leaf()),
            "cf8a0a250f4f5e7269af17cccd6e76c179e16970bff987191026eaaa530980bd"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(number in any::<i64>(), at in any::<i64>(), root in any::<Hash>(), key in ".*", next in any::<Option<String>>()) {
            let record = DayRecord { number, at, root, key, next_key: next, ..record() };
            prop_assert_eq!(DayRecord::parse(&record.text()), Some(record));
        }

        /// A record has one spelling: a byte more, less or another is no record, or another one.
        #[test]
        fn each_changed_byte_counts(at in any::<prop::sample::Index>(), flip in 1..=127_u8, blank in any::<bool>()) {
            let text = record().text();
            let at = at.index(text.len());
            let mut bytes = text.clone().into_bytes();
            match blank {
                true => bytes.insert(at, b' '),
                false => bytes[at] ^= flip,
            }
            if let Some(read) = String::from_utf8(bytes).ok().and_then(|text| DayRecord::parse(&text)) {
                prop_assert_ne!(read.leaf(), record().leaf());
            }
        }
    }
}
