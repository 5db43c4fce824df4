//! The journal's hashes, against a published vector.

use super::*;

fn operator() -> Operator {
    Operator {
        user: "uid:1000".into(),
        request_id: "5f1c-1".into(),
    }
}

fn records() -> [JournalRecord; 2] {
    let linked = JournalEvent::Linked {
        name: "key:\"五\"\n".into(),
        owner: "uid:5".into(),
        kept: Vec::new(),
    };
    let forgotten = JournalEvent::Forgotten {
        owner: "uid:5".into(),
        erased: vec!["avatar", "nickname"],
    };
    let first = JournalRecord::of(&linked, 1_779_247_832_000, operator(), None);
    let at = 1_779_247_832_001;
    let second = JournalRecord::of(&forgotten, at, operator(), Some(&first));
    [first, second]
}

/// Computed in Python from the description in docs/operations.md.
#[test]
fn the_hashes_are_those_of_the_published_vector() {
    let [first, second] = records();
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(first.details, r#"{"name":"key:\"五\"\n","owner":"uid:5"}"#);
    assert_eq!(
        second.details,
        r#"{"erased":["avatar","nickname"],"owner":"uid:5"}"#
    );
    assert_eq!(
        hex::encode(first.hash),
        "1e0224a9d71d0551904b967b5badfa062814b383c2b1f416384e38f5756038d8"
    );
    assert_eq!(
        hex::encode(second.hash),
        "3389745c3a2f227de5a8bbbbb8cd8c07670f04e1a765e52fff1e9524e738a1fb"
    );
}

#[test]
fn every_field_counts() {
    let [first, second] = records();
    let changes: [fn(&mut JournalRecord); 6] = [
        |it| it.number += 1,
        |it| it.at += 1,
        |it| it.kind.push(' '),
        |it| it.operator.user.push('0'),
        |it| it.operator.request_id.push('0'),
        |it| it.details.push(' '),
    ];
    for change in changes {
        let mut changed = second.clone();
        change(&mut changed);
        assert_ne!(changed.hash_after(&first.hash), second.hash, "{changed:?}");
    }
    assert_ne!(second.hash_after(&Hash::default()), second.hash);
    // What moves from one text to the next is another content.
    let mut moved = second.clone();
    moved.kind = "forgetu".into();
    moved.operator.user = "id:1000".into();
    assert_ne!(moved.hash_after(&first.hash), second.hash);
}

#[test]
fn the_details_of_a_freeze_are_what_an_audit_reads() {
    let owner = || "uid:5".to_owned();
    let reason = || "key \"k\" leaked, 冻结".to_owned();
    let frozen = |scope| JournalEvent::Frozen {
        owner: owner(),
        scope,
        reason: reason(),
    };
    let unfrozen = JournalEvent::Unfrozen {
        owner: owner(),
        reason: reason(),
    };
    let details = r#"{"owner":"uid:5","reason":"key \"k\" leaked, 冻结","scope":"SCOPE"}"#;
    for (event, kind, shown) in [
        (
            frozen(FreezeScope::All),
            "freeze",
            details.replace("SCOPE", "all"),
        ),
        (
            frozen(FreezeScope::Spending),
            "freeze",
            details.replace("SCOPE", "spending"),
        ),
        (
            unfrozen,
            "unfreeze",
            details.replace(r#","scope":"SCOPE""#, ""),
        ),
    ] {
        let record = JournalRecord::of(&event, 1, operator(), None);
        assert_eq!((record.kind.as_str(), &record.details), (kind, &shown));
        let scope = record.detail("scope");
        assert_eq!(scope.is_some(), kind == "freeze");
        assert!(scope.is_none_or(|scope| FreezeScope::from_name(&scope).is_some()));
        assert_eq!(record.detail("reason"), Some(reason()));
    }
}

#[test]
fn a_record_says_whom_it_forgot() {
    let [first, second] = records();
    assert!(second.is_forgotten("uid:5"));
    assert!(!second.is_forgotten("uid:50") && !first.is_forgotten("uid:5"));
    let broken = JournalRecord {
        details: "{".into(),
        ..second
    };
    assert!(!broken.is_forgotten("uid:5"));
}
