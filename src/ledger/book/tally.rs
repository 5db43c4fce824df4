//! Tallies: how many rows of a kind there are, and a checksum over them, so that none can go, come or change without a trace. They cover
//! what no entry tells of.

use entity::{action, daily_limit_slot, nonce, payment};
use sha2::{Digest, Sha256};

use super::hash::update_text;
use super::key::Key;
use super::transaction::Action;

/// A count and a checksum of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of rows.
    pub rows: i64,
    /// The sum of the first four bytes of the rows' hashes.
    pub checksum: i64,
}

impl Tally {
    /// The tally of these rows.
    pub fn of<'r, R: Tallied + 'r>(rows: impl IntoIterator<Item = &'r R>) -> Tally {
        let mut tally = Tally::default();
        rows.into_iter().for_each(|row| tally.add(row));
        tally
    }

    /// Counts a row.
    pub fn add(&mut self, row: &impl Tallied) {
        let mut hash = Sha256::new();
        hash.update(b"pointgate row 1");
        for word in row.words() {
            update_text(&mut hash, word.as_deref());
        }
        let hash: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, ..] = hash;
        self.rows += 1;
        self.checksum += i64::from(u32::from_be_bytes([a, b, c, d]));
    }
}

/// A row that a tally counts.
pub trait Tallied {
    /// The table's name.
    const TABLE: &'static str;

    /// What the row says, without what may be erased.
    fn words(&self) -> Vec<Option<String>>;
}

fn number(number: i64) -> Option<String> {
    Some(number.to_string())
}

impl Tallied for nonce::Model {
    const TABLE: &'static str = "nonce";

    fn words(&self) -> Vec<Option<String>> {
        let fingerprint = self.fingerprint.as_ref().map(hex::encode);
        vec![
            number(self.at),
            Some(hex::encode(&self.nonce_key)),
            fingerprint,
        ]
    }
}

impl Tallied for daily_limit_slot::Model {
    const TABLE: &'static str = "daily_limit_slot";

    fn words(&self) -> Vec<Option<String>> {
        vec![number(self.expires_at), Some(hex::encode(&self.slot_key))]
    }
}

impl Tallied for action::Model {
    const TABLE: &'static str = "action";

    /// The identity stands for the details, which may be erased.
    fn words(&self) -> Vec<Option<String>> {
        let identity = match &self.identity_key {
            Some(identity) => hex::encode(identity),
            None => hex::encode(identity(self).bytes()),
        };
        vec![
            Some(hex::encode(&self.action_key)),
            Some(identity),
            Some(self.owner.clone()),
            Some(self.name.clone()),
            number(self.at),
            number(self.scored),
        ]
    }
}

fn identity(row: &action::Model) -> Key {
    let (other, object) = (row.other.as_deref(), row.object.as_deref());
    Action::identity_of(&row.token, &row.owner, &row.name, other, object)
}

impl Tallied for payment::Model {
    const TABLE: &'static str = "payment";

    /// Without the payer, who may be erased.
    fn words(&self) -> Vec<Option<String>> {
        vec![
            Some(self.event_id.clone()),
            self.charge_id.clone(),
            Some(self.kind.clone()),
            self.object.clone(),
            self.order_no.clone(),
            self.amount.and_then(number),
            self.amount_settle.and_then(number),
            self.currency.clone(),
            self.channel.clone(),
            self.transaction_no.clone(),
            self.created.and_then(number),
            self.time_paid.and_then(number),
            number(self.at),
            Some(self.subject.clone()),
            number(self.subject_seq),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action() -> action::Model {
        action::Model {
            id: 1,
            action_key: vec![1; 16],
            identity_key: None,
            token: "t".into(),
            owner: "key:a".into(),
            name: "post".into(),
            other: Some("key:b".into()),
            object: None,
            at: 5,
            scored: 1,
        }
    }

    #[test]
    fn a_tally_survives_the_loss_of_details_and_nothing_else() {
        let whole = Tally::of([&action()]);
        let erased = action::Model {
            identity_key: Some(identity(&action()).bytes().to_vec()),
            token: String::new(),
            other: None,
            ..action()
        };
        assert_eq!(Tally::of([&erased]), whole);
        let changes: [fn(&mut action::Model); 7] = [
            |it| it.action_key[0] = 2,
            |it| it.token.push('x'),
            |it| it.owner.push('x'),
            |it| it.name.push('x'),
            |it| it.object = Some(String::from("x")),
            |it| it.at = 6,
            |it| it.scored = 0,
        ];
        for change in changes {
            let mut changed = action();
            change(&mut changed);
            assert_ne!(Tally::of([&changed]), whole, "{changed:?}");
        }
        assert_eq!(whole.rows, 1);
    }
}
