//! What a correction needs to know, and debts, which are what one could not take.
//!
//! What an account owes is a balance of its own: the points that later income of `coin` pays off are those of the asset `-coin`, with
//! entries and a chain like any other. No balance is negative, and a replay gives the debt.

use crate::ledger::book::entry::Contra;
use crate::ledger::book::key::Key;
use crate::ledger::book::lots::LotChange;
use crate::ledger::book::transaction::{AccountKey, Reason};

/// Begins the name of an asset that is owed.
const OWED: char = '-';

/// The most characters of an asset's name.
const MAX_ASSET: usize = 16;

/// What a correction needs to know of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrectedEntry {
    /// The other side.
    pub contra: Contra,
    /// The effect on each lot; empty in the first format, which does not state it.
    pub lots: Vec<LotChange>,
    /// The order that it spent on.
    pub order: Option<Key>,
}

/// Why an account owes points: what the history says of the entries that pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebtCause {
    /// The reason of the correction.
    pub reason: Reason,
    /// The correction's reference.
    pub reference: Option<String>,
    /// The correction's text.
    pub message: Option<String>,
}

/// The account that holds what this one owes. `None` if it is such an account itself, or if its asset's name is too long for one.
pub fn debt_of(account: &AccountKey) -> Option<AccountKey> {
    let asset = format!("{OWED}{}", account.asset);
    let fits = !is_debt(&account.asset) && asset.chars().nth(MAX_ASSET).is_none();
    let owner = account.owner.clone();
    fits.then_some(AccountKey { owner, asset })
}

/// Whether an asset is what accounts owe.
pub fn is_debt(asset: &str) -> bool {
    owed_asset(asset).is_some()
}

/// The asset that accounts owe, if this one counts that.
pub fn owed_asset(asset: &str) -> Option<&str> {
    asset.strip_prefix(OWED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_of_another_asset() {
        let of = |asset: &str| AccountKey {
            owner: "uid:1".into(),
            asset: asset.into(),
        };
        assert_eq!(debt_of(&of("coin")), Some(of("-coin")));
        assert_eq!(
            debt_of(&of("a23456789012345")),
            Some(of("-a23456789012345"))
        );
        assert_eq!(debt_of(&of("a234567890123456")), None);
        assert_eq!(debt_of(&of("-coin")), None);
    }
}
