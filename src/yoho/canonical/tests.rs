//! One signed text has one reading.

use proptest::prelude::*;

use super::*;

const KNOWN: [&str; 3] = ["uid", "num", "referenceId"];

fn canonical(sent: &[(String, String)], trim: Trim) -> Option<Canonical<'_>> {
    let pairs = sent.iter();
    let pairs = pairs.map(|(name, value)| (name.into(), value.into()));
    Canonical::of(pairs.collect(), trim, &BTreeSet::from(KNOWN))
}

/// What a method reads: the known names alone.
fn reading(canonical: &Canonical<'_>) -> Vec<Option<String>> {
    let read = |name: &&str| canonical.get(name).map(str::to_owned);
    KNOWN.iter().map(read).collect()
}

fn of(pairs: &[(&str, &str)], trim: Trim) -> Option<String> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let pairs: Vec<_> = pairs.iter().map(owned).collect();
    canonical(&pairs, trim).map(|canonical| canonical.text("K"))
}

#[test]
fn each_pair_is_trimmed_and_each_name_stands_once() {
    let text = Some("private_key=K&uid=5&x= 1 2".to_owned());
    assert_eq!(
        of(
            &[("uid", "5\n"), ("\tx", " 1 2 "), ("uid", "6")],
            Trim::Java
        ),
        text
    );
    // U+3000 is white space for Unicode alone.
    let wide = [("\u{a0}uid", "5\u{3000}")];
    assert_eq!(
        of(&wide, Trim::Unicode),
        Some("private_key=K&uid=5".to_owned())
    );
    assert_eq!(
        of(&wide, Trim::Java),
        Some("private_key=K&\u{a0}uid=5\u{3000}".to_owned())
    );
}

#[test]
fn ambiguous_requests_are_refused() {
    for pairs in [
        &[("a&uid", "5")][..],
        &[("a=1&uid", "5")],
        &[("uid", "5"), (" uid", "6")],
        &[("\tuid", "5"), (" uid", "5")],
        &[("message", "hello&uid=6")],
        &[("message", "&referenceId=")],
    ] {
        assert_eq!(of(pairs, Trim::Java), None, "{pairs:?}");
    }
    // The names differ for Java, so both are signed; they are one for Unicode.
    let two = [("uid", "5"), ("\u{a0}uid", "6")];
    assert!(of(&two, Trim::Java).is_some());
    assert_eq!(of(&two, Trim::Unicode), None);
    // A parameter that is read must not swallow the one behind it, nor lose a part to it.
    assert_eq!(of(&[("referenceId", "r1&udid=x")], Trim::Java), None);
    // `q` is not in the text, so it does not bound what could stand there behind `num`.
    let hidden = [("debug_data", "1"), ("num", "5&o=x"), ("q", "1")];
    assert_eq!(of(&hidden, Trim::Java), None);
    assert_eq!(of(&[("num", "5&r=x"), ("q", "1")], Trim::Java), None);
    // `b` would stand before `message`, and nobody reads either.
    assert!(of(&[("message", "a&b=c")], Trim::Java).is_some());
    assert!(of(&[("x", "a&y=c")], Trim::Java).is_some());
}

/// Names, values and white space from which requests are made that may be mistaken for one another.
fn pieces() -> impl Strategy<Value = String> {
    let words = [
        "uid",
        "num",
        "referenceId",
        "message",
        "a",
        "1",
        "2",
        "&",
        "=",
        "&uid=",
        "&num=",
        " ",
        "\t",
        "\n",
        "\u{a0}",
        "\u{3000}",
        "\u{feff}",
        "\u{0}",
        "",
        "private_key",
        "q",
        "client_secret",
        "debug_data",
        "/api",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..4).prop_map(|it| it.concat())
}

/// Another request with the same signed text: the text itself, split at some of its `&`, with white space around the pairs.
fn resplit(text: &str, cuts: &[bool], space: &str) -> Vec<(String, String)> {
    let mut pairs = vec![String::new()];
    for (part, cut) in text.split('&').zip(cuts.iter().cycle()) {
        match pairs.last_mut() {
            Some(last) if !last.is_empty() && !cut => last.push_str(&format!("&{part}")),
            _ => pairs.push(part.to_owned()),
        }
    }
    let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| *name != PRIVATE_KEY)
        .map(|(name, value)| (format!("{space}{name}"), format!("{value}{space}")))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_same_text_gives_the_same_reading(
        sent in prop::collection::vec((pieces(), pieces()), 1..5),
        cuts in prop::collection::vec(any::<bool>(), 1..8),
        space in prop::sample::select(vec!["", " ", "\t", "\u{a0}", "\u{3000}", "\u{feff}"]),
        more in prop::collection::vec((pieces(), pieces()), 0..2),
    ) {
        for trim in [Trim::Java, Trim::Unicode] {
            let Some(first) = canonical(&sent, trim) else { continue };
            let text = first.text("K");
            let mut other = resplit(&text, &cuts, space);
            other.extend(more.iter().cloned());
            for other_trim in [Trim::Java, Trim::Unicode] {
                if let Some(second) = canonical(&other, other_trim)
                    && second.text("K") == text
                {
                    prop_assert_eq!(reading(&first), reading(&second), "{:?} {:?}", sent, other);
                }
            }
        }
    }
}
