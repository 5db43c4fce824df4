//! Corrections: how an operator puts right what went wrong, by new entries.

/// What a correction does to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Adds points, or takes them if there are fewer than none: down to zero, those that expire soonest first.
    Adjust {
        /// Points to add, negative to take; not 0.
        points: i64,
        /// The expiry of points to add (ms).
        expires_at: i64,
        /// Whether the account owes what it does not hold.
        claw_back: bool,
    },
    /// Takes an entry's effect on lots back: of one that earned points, or what has not come back of one that spent them.
    Reverse {
        /// The entry's number.
        seq: i64,
        /// Whether other lots pay what is spent of earned points, and the account owes what they do not hold.
        claw_back: bool,
    },
    /// Gives back the points of an entry that expired them.
    Reinstate {
        /// The entry's number.
        seq: i64,
        /// Their new expiry (ms); `None` = the old one.
        expires_at: Option<i64>,
    },
    /// Takes points that the next posting brings to another account of the asset.
    TransferOut {
        /// Points to take.
        points: i64,
    },
    /// Adds what the posting before took, lot by lot.
    TransferIn,
}
