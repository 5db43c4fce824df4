//! Which accounts stay where they are when two names become those of one person.

use std::collections::BTreeSet;

use super::debt::{debt_of, owed_asset};
use super::transaction::AccountKey;

/// The assets whose accounts stay under a second name, sorted: those that the first name has none of, or an empty one. `accounts` are those
/// of both names, with their balances. What an account owes goes with it.
///
/// # Errors
/// Returns the assets of which both names hold or owe something.
pub fn kept_under(name: &str, accounts: &[(AccountKey, i64)]) -> Result<Vec<String>, Vec<String>> {
    let assets = accounts.iter().map(|(account, _)| {
        let asset = account.asset.as_str();
        owed_asset(asset).unwrap_or(asset)
    });
    let (mut kept, mut held_twice) = (Vec::new(), Vec::new());
    for asset in assets.collect::<BTreeSet<&str>>() {
        let of_name = Holding::of(asset, accounts, |owner| owner == name);
        let of_other = Holding::of(asset, accounts, |owner| owner != name);
        match (of_name, of_other) {
            // What is empty is left behind.
            (Holding::None, _) | (Holding::Empty, Holding::Empty | Holding::Some) => {}
            (_, Holding::None) | (Holding::Some, Holding::Empty) => {
                let owner = name.to_owned();
                let asset = asset.to_owned();
                let debt = debt_of(&AccountKey {
                    owner,
                    asset: asset.clone(),
                });
                kept.push(asset);
                kept.extend(debt.map(|debt| debt.asset));
            }
            (Holding::Some, Holding::Some) => held_twice.push(asset.to_owned()),
        }
    }
    kept.sort_unstable();
    match held_twice.is_empty() {
        true => Ok(kept),
        false => Err(held_twice),
    }
}

/// What a name has of an asset, and of what is owed of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holding {
    /// No account.
    None,
    /// Nothing but a history.
    Empty,
    /// Points, or a debt.
    Some,
}

impl Holding {
    fn of(asset: &str, accounts: &[(AccountKey, i64)], is_name: impl Fn(&str) -> bool) -> Holding {
        let mut holding = Holding::None;
        for (account, balance) in accounts {
            let is_asset = account.asset == asset || owed_asset(&account.asset) == Some(asset);
            match is_asset && is_name(&account.owner) {
                true if *balance != 0 => return Holding::Some,
                true => holding = Holding::Empty,
                false => {}
            }
        }
        holding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(accounts: &[(&str, &str, i64)]) -> Result<Vec<String>, Vec<String>> {
        let key = |&(owner, asset, balance): &(&str, &str, i64)| {
            let (owner, asset) = (owner.to_owned(), asset.to_owned());
            (AccountKey { owner, asset }, balance)
        };
        kept_under("n", &accounts.iter().map(key).collect::<Vec<_>>())
    }

    #[test]
    fn an_account_stays_where_it_is_unless_the_other_one_is_better() {
        for (accounts, expected) in [
            (&[][..], &[][..]),
            (&[("o", "coin", 5)], &[]),
            (&[("n", "coin", 5)], &["-coin", "coin"]),
            (&[("n", "coin", 0)], &["-coin", "coin"]),
            (&[("n", "coin", 0), ("o", "coin", 5)], &[]),
            (&[("n", "coin", 0), ("o", "coin", 0)], &[]),
            (&[("n", "coin", 5), ("o", "coin", 0)], &["-coin", "coin"]),
            (
                &[("n", "b", 1), ("o", "c", 2), ("n", "a", 3)],
                &["-a", "-b", "a", "b"],
            ),
        ] {
            assert_eq!(kept(accounts).unwrap(), expected, "{accounts:?}");
        }
    }

    /// Nobody gets rid of a debt by a link.
    #[test]
    fn a_debt_stays_with_its_account() {
        let owes = ("n", "-coin", 5);
        for (other, expected) in [
            (&[][..], Ok(&["-coin", "coin"][..])),
            (&[("o", "coin", 0)], Ok(&["-coin", "coin"])),
            (&[("o", "coin", 7)], Err(["coin"])),
            (&[("o", "coin", 0), ("o", "-coin", 1)], Err(["coin"])),
        ] {
            let accounts = [&[("n", "coin", 0), owes], other].concat();
            let expected = expected
                .map(|kept| kept.iter().map(ToString::to_string).collect())
                .map_err(|twice| twice.map(str::to_owned).to_vec());
            assert_eq!(kept(&accounts), expected, "{accounts:?}");
        }
        let other_owes = [("n", "coin", 7), ("o", "coin", 0), ("o", "-coin", 1)];
        assert_eq!(kept(&other_owes), Err(vec!["coin".to_owned()]));
    }
}
