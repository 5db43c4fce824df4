//! The parameter `sign`, by protocols.md part 3.

use std::collections::BTreeMap;

use crate::config::Secret;
use crate::sign::md5_hex;

/// Signs parameters: concatenates the values of all but `sign`, and of `appSecret`, in ascending order of their names; lower-case
/// hex MD5. A repeated name counts with its first value.
pub fn sign<'a>(
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
    secret: &'a Secret,
) -> String {
    let mut signed = BTreeMap::new();
    for (name, value) in parameters.filter(|(name, _)| *name != "sign") {
        signed.entry(name).or_insert(value);
    }
    // Replaces a parameter of this name that the sender added.
    signed.insert("appSecret", secret.reveal());
    let values: Vec<&[u8]> = signed.values().map(|value| value.as_bytes()).collect();
    md5_hex(&values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of protocols.md part 3.
    #[test]
    fn vectors() {
        let secret = Secret::new("testsecret");
        let first = [("appKey", "testappkey"), ("endtimestamp", "1405495206")];
        assert_eq!(
            sign(first.into_iter(), &secret),
            "fc89ad8645fe705f024edfc00c02aeee"
        );
        let sample = [
            ("user_token", "14359234985"),
            ("to_user_token", "14359234956"),
            ("to_id", "256"),
            ("action", "osx_thread_add"),
            ("action_token", "1520559498658924"),
            ("endtimestamp", "1520559858"),
            ("appKey", "testappKey"),
            ("sign", "284dd169610caa4305b8e255830ad9de"),
        ];
        assert_eq!(
            sign(sample.into_iter(), &secret),
            "284dd169610caa4305b8e255830ad9de"
        );
    }
}
