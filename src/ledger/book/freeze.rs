//! Freezes: what an operator forbids an owner's accounts.

/// What a freeze forbids. Points that are due expire all the same, and balances can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FreezeScope {
    /// The owner can spend nothing. Points still come in, and what a caller takes down to zero is taken.
    Spending,
    /// No caller moves points.
    All,
}

const ALL: [FreezeScope; 2] = [FreezeScope::Spending, FreezeScope::All];

impl FreezeScope {
    /// The number in the database.
    pub fn number(self) -> i64 {
        match self {
            FreezeScope::Spending => 1,
            FreezeScope::All => 2,
        }
    }

    /// Reads a number from the database. Returns `None` for any other number.
    pub fn from_number(number: i64) -> Option<FreezeScope> {
        ALL.into_iter().find(|scope| scope.number() == number)
    }

    /// The name in the journal. Its records never change, so the name never does.
    pub fn name(self) -> &'static str {
        match self {
            FreezeScope::Spending => "spending",
            FreezeScope::All => "all",
        }
    }

    /// Reads a name from the journal. Returns `None` for any other text.
    pub fn from_name(name: &str) -> Option<FreezeScope> {
        ALL.into_iter().find(|scope| scope.name() == name)
    }
}
