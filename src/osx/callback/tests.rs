//! One signature has one reading.

use proptest::prelude::*;

use super::*;
use crate::osx::{notify, user_info};

fn pairs<'a>(sent: &'a [(String, String)]) -> Vec<Pair<'a>> {
    let pairs = sent.iter();
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// What the method reads: the platform's own parameters.
fn reading(path: &str, sent: &[(String, String)]) -> Option<Vec<(String, String)>> {
    let (_, names) = PARAMETERS.iter().find(|(known, _)| *known == path)?;
    let parameters = Callback::of(path, &pairs(sent), &[])
        .into_parameters()
        .ok()?;
    let read = |name: &&str| Some((name.to_string(), parameters.text(name)?.into_owned()));
    Some(names.iter().filter_map(read).collect())
}

fn values() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "", "1", "11", "2", "12", "a", "1a", "&", "=", " ", "\u{a0}", "\n",
    ])
    .prop_map(str::to_owned)
}

fn names() -> impl Strategy<Value = String> {
    let names = [
        "user_token",
        "to_user_token",
        "to_id",
        "action",
        "action_token",
        "token",
        "extra",
        " to_id",
        "sign",
    ];
    prop::sample::select(names.to_vec()).prop_map(str::to_owned)
}

fn requests() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((names(), values()), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The signature alone does not tell two requests apart, so what the ledger keeps of it must: requests that may share one
    /// signature give the method the same parameters.
    #[test]
    fn the_same_nonce_gives_the_same_reading(
        first in requests(),
        second in requests(),
        paths in prop::sample::select(vec![
            (notify::PATH, notify::PATH),
            (notify::PATH, user_info::PATH),
            (user_info::PATH, user_info::PATH),
        ]),
    ) {
        let signed = |path: &'static str, sent: &[(String, String)]| {
            let mut sent = sent.to_vec();
            sent.insert(0, ("sign".to_owned(), "s".to_owned()));
            let nonce = Callback::of(path, &pairs(&sent), &[]).nonce(0);
            reading(path, &sent).map(|reading| (nonce, path, reading))
        };
        let readings = (signed(paths.0, &first), signed(paths.1, &second));
        if let (Some((a, a_path, a_reading)), Some((b, b_path, b_reading))) = readings {
            prop_assert_eq!(a.key, b.key);
            let same = (a_path, a_reading) == (b_path, b_reading);
            prop_assert_eq!(a.may_repeat(b.fingerprint), same, "{:?} {:?}", first, second);
        }
    }

    /// The text covers what is read: one that verifies does so with any unsigned parameters beside it.
    #[test]
    fn unknown_parameters_change_nothing(sent in requests(), more in values()) {
        let secret = Secret::new("testsecret");
        let known = Callback::of(notify::PATH, &pairs(&sent), &[]);
        let signature = sign(known.pairs(), &secret);
        let mut with = vec![("sign".to_owned(), signature.to_uppercase())];
        with.extend(sent.iter().cloned());
        with.push(("site".to_owned(), more));
        let pairs = pairs(&with);
        let canonical = Callback::of(notify::PATH, &pairs, &[]);
        prop_assert!(canonical.is_signed(&secret));
        prop_assert_eq!(canonical.pairs().collect::<Vec<_>>(), known.pairs().collect::<Vec<_>>());
    }
}
