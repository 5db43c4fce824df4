//! The owners to whom names lead, asset by asset.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr};

use super::{IDENTITIES, query};

/// The owners of those accounts, given as `(asset, name)`, that stand under another name than the given one, by their places.
///
/// # Errors
/// Returns [`DbErr`] if the database does not answer.
pub async fn owners(
    db: &impl ConnectionTrait,
    accounts: &[(&str, &str)],
) -> Result<BTreeMap<usize, String>, DbErr> {
    let mut owners: BTreeMap<usize, (String, String)> = BTreeMap::new();
    for (place, asset, owner) in query(db, &IDENTITIES, accounts, []).await? {
        // What holds for the asset counts before what holds for those without a row of their own.
        match owners.get(&place) {
            Some((known, _)) if *known >= asset => {}
            _ => {
                owners.insert(place, (asset, owner));
            }
        }
    }
    let is_other = |place: usize, owner: &str| accounts.get(place).is_some_and(|it| it.1 != owner);
    let owners = owners.into_iter().map(|(place, (_, owner))| (place, owner));
    Ok(owners
        .filter(|(place, owner)| is_other(*place, owner))
        .collect())
}
