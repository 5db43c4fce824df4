//! Where names lead, asset by asset.

/// Where a name leads for one asset, or, with none, for every asset that has no such link of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameLink {
    /// The name that a caller may use.
    pub name: String,
    /// The asset, or an empty text.
    pub asset: String,
    /// The owner under whose name the account stands.
    pub owner: String,
}

/// Where names lead once `name` is another name of `owner`, with these assets kept under `name`.
pub fn links(name: &str, owner: &str, kept: &[String]) -> Vec<NameLink> {
    let link = |name: &str, asset: &str, owner: &str| NameLink {
        name: name.to_owned(),
        asset: asset.to_owned(),
        owner: owner.to_owned(),
    };
    let of_kept = kept
        .iter()
        .flat_map(|asset| [link(owner, asset, name), link(name, asset, name)]);
    [link(name, "", owner)].into_iter().chain(of_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_lead_to_what_is_kept() {
        let all = links("n", "o", &["coin".to_owned()]);
        let all: Vec<_> = all
            .iter()
            .map(|it| (it.name.as_str(), it.asset.as_str(), it.owner.as_str()))
            .collect();
        assert_eq!(
            all,
            [("n", "", "o"), ("o", "coin", "n"), ("n", "coin", "n")]
        );
    }
}
