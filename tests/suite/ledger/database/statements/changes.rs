//! The rows with which each statement runs, and what must come of it: the changes.

use serde_json::json;

use pointgate::ledger::database::statements::*;

use super::content::{EXPIRIES, NAMES, WITH_LOTS, keys, some_number, some_text};
use super::queries::Expected::{Changes, Mismatch};
use super::queries::{Case, MANY, TAKEN, WRONG, action_key, case, hexed, number, other_keys};

/// Accounts, new and changed.
pub fn accounts() -> Vec<Case> {
    let head = hexed(&[0x00, 0xff].repeat(16));
    let new = |i: usize, asset: &str, name: &str| {
        let next = (!i.is_multiple_of(3)).then_some(some_number(i));
        let balance = some_number(i).max(0);
        json!([asset, name, balance, 9, 4, some_number(i), next, head])
    };
    let named = NAMES.iter().enumerate();
    let named = named.map(|(i, name)| new(i, "medal", name));
    let many = (0..MANY).map(|i| new(i, "coin", &format!("new {i}")));
    let set = |i: usize, balance: i64| {
        let next = (!i.is_multiple_of(3)).then_some(some_number(i + 1));
        let at = some_number(i + 2);
        json!([number(i), balance, number(i) + 5, number(i), at, next, head])
    };
    let changed = 1..NAMES.len();
    vec![
        case!(ADD_ACCOUNTS, named.chain(many).collect(), Changes),
        case!(ADD_ACCOUNTS, vec![new(0, "coin", "uid:5")], TAKEN),
        case!(
            ADD_ACCOUNTS,
            vec![new(0, "coin", "x"), new(1, "coin", "x")],
            TAKEN
        ),
        case!(
            ADD_ACCOUNTS,
            vec![json!(["coin", "x", -1, 0, 0, 0, null, head])],
            WRONG
        ),
        case!(
            SET_ACCOUNTS,
            changed.map(|i| set(i, some_number(i).max(0))).collect(),
            Changes
        ),
        case!(SET_ACCOUNTS, vec![set(1, 5), set(2, -1)], WRONG),
        case!(SET_ACCOUNTS, vec![set(1, 5), set(9999, 5)], Mismatch),
        case!(SET_ACCOUNTS, vec![set(9999, 5)], Mismatch),
        case!(
            SET_ACCOUNTS,
            vec![set(1, 5), set(2, 5), set(1, 5)],
            Mismatch
        ),
    ]
}

/// The cases of `ADD_ENTRIES`.
pub fn entries() -> Vec<Case> {
    let (old, keys) = (hexed(&keys()[0]), other_keys());
    let hash = hexed(&[0xff, 0x00].repeat(16));
    let row = |account: i64, seq: usize, amount: i64| {
        let key = (!seq.is_multiple_of(4)).then(|| &keys[seq]);
        let fingerprint = key.map(|_| &old);
        let balance = key.map(|_| some_number(seq + 1));
        let operator = (!seq.is_multiple_of(3)).then_some(some_number(seq));
        let at = some_number(seq);
        let (reference, message) = (some_text(seq), some_text(seq + 11));
        json!([
            account,
            seq,
            at,
            22,
            amount,
            7,
            "lapsed",
            2,
            seq,
            reference,
            message,
            operator,
            hash,
            key,
            fingerprint,
            balance,
            2,
            some_number(seq + 2),
            some_number(seq + 3),
            some_text(seq + 5),
            some_text(1),
            seq.is_multiple_of(2).then_some(&keys[0])
        ])
    };
    let with_key = |seq: usize, key: &str, fingerprint: Option<&str>| {
        let mut row = row(10, seq, 5);
        row[13] = json!(key);
        row[14] = json!(fingerprint);
        row
    };
    let (new, fingerprint) = (&keys[0], Some(&*old));
    let fine = (1..=MANY).map(|seq| row(10, seq, i64::MIN + 1)).collect();
    vec![
        case!(ADD_ENTRIES, fine, Changes),
        case!(ADD_ENTRIES, vec![row(10, 1, 5), row(10, 1, 5)], TAKEN),
        case!(ADD_ENTRIES, vec![row(1, 1, 5)], TAKEN),
        case!(ADD_ENTRIES, vec![with_key(1, &old, fingerprint)], TAKEN),
        case!(
            ADD_ENTRIES,
            vec![with_key(1, new, fingerprint), with_key(2, new, fingerprint)],
            TAKEN
        ),
        case!(ADD_ENTRIES, vec![with_key(1, new, None)], WRONG),
        case!(ADD_ENTRIES, vec![row(10, 1, 5), row(10, 2, 0)], WRONG),
        case!(ADD_ENTRIES, vec![row(9999, 1, 5)], WRONG),
    ]
}

/// Lots that come, change and go.
pub fn lots() -> Vec<Case> {
    let known = (1..=number(WITH_LOTS)).flat_map(|id| EXPIRIES.map(|at| (id, at)));
    let known = known.skip(1).enumerate();
    // Different from what the lots hold.
    let set = known.map(|(i, (id, at))| json!([id, at, some_number(i).max(0) / 2 + 1000]));
    let new = (0..MANY).map(|i| json!([12, i, some_number(i).max(0)]));
    let ends = [i64::MIN + 1, i64::MAX].map(|at| json!([13, at, i64::MAX]));
    let dropped = [
        json!([1, 100]),
        json!([1, i64::MAX]),
        json!([2, i64::MIN + 1]),
    ];
    let dropped_with = |more| dropped.iter().cloned().chain([more]).collect();
    vec![
        case!(ADD_LOTS, new.chain(ends).collect(), Changes),
        case!(ADD_LOTS, vec![json!([12, 1, 1]), json!([1, 100, 5])], TAKEN),
        case!(ADD_LOTS, vec![json!([12, 1, 1]), json!([12, 2, -1])], WRONG),
        case!(ADD_LOTS, vec![json!([9999, 1, 1])], WRONG),
        case!(SET_LOTS, set.collect(), Changes),
        case!(
            SET_LOTS,
            vec![json!([1, 200, 1]), json!([1, 100, -1])],
            WRONG
        ),
        case!(
            SET_LOTS,
            vec![json!([1, 200, 1]), json!([1, 101, 1])],
            Mismatch
        ),
        case!(DROP_LOTS, dropped.to_vec(), Changes),
        case!(DROP_LOTS, dropped_with(json!([1, i64::MAX])), Mismatch),
        case!(DROP_LOTS, dropped_with(json!([3, 101])), Mismatch),
        case!(DROP_LOTS, dropped_with(json!([9999, 100])), Mismatch),
    ]
}

/// What has a key, and what contra accounts gain.
pub fn keyed() -> Vec<Case> {
    let (old, new) = (hexed(&keys()[0]), other_keys());
    let nonces = new.iter().enumerate();
    let nonces = nonces.map(|(i, key)| {
        let fingerprint = i.is_multiple_of(2).then_some(&old);
        json!([some_number(i), key, fingerprint])
    });
    let used = new.iter().enumerate();
    let used = used.map(|(i, key)| json!([some_number(i), key, some_number(i).max(0)]));
    let slots = new.iter().enumerate();
    let slots = slots.map(|(i, key)| json!([some_number(i), key]));
    let gains = [
        json!(["coin", "issued", 0, i64::MAX, 1, i64::MAX]),
        json!(["coin", "redeemed", 0, i64::MIN + 8, 2, 3]),
        json!(["coin", "lapsed", 63, 0, 0, 0]),
        json!(["Coin", "issued", 7, 5, 1, 2]),
        json!(["😀", "it's \\", 0, -5, 3, 4]),
    ];
    vec![
        case!(
            ADD_TO_TALLIES,
            vec![json!(["nonce", 0, 5, i64::MAX]), json!(["😀", 63, 0, -5])],
            Changes
        ),
        case!(
            ADD_ORIGINS,
            vec![
                json!([new[0], "yoho", "it's \\ 😀", "current", "::1", new[1], null]),
                json!([old, "yoho", "x", null, null, null, null]),
            ],
            Changes
        ),
        case!(ADD_TO_CONTRAS, gains.to_vec(), Changes),
        case!(ADD_NONCES, nonces.collect(), Changes),
        case!(ADD_NONCES, vec![json!([0, old, null])], TAKEN),
        case!(
            ADD_NONCES,
            vec![json!([1, old, null]), json!([1, old, old])],
            TAKEN
        ),
        case!(ADD_ALLOWANCES, used.collect(), Changes),
        case!(ADD_ALLOWANCES, vec![json!([1, new[0], -1])], WRONG),
        case!(
            ADD_ALLOWANCES,
            vec![json!([1, new[0], 1]), json!([1, new[0], 1])],
            TAKEN
        ),
        case!(ADD_ALLOWANCES, vec![json!([1, old, 1])], TAKEN),
        case!(SET_ALLOWANCES, vec![json!([1, old, i64::MAX])], Changes),
        case!(SET_ALLOWANCES, vec![json!([1, old, -1])], WRONG),
        case!(
            SET_ALLOWANCES,
            vec![json!([1, old, 1]), json!([2, old, 1])],
            Mismatch
        ),
        case!(ADD_LIMIT_SLOTS, slots.collect(), Changes),
        case!(
            ADD_LIMIT_SLOTS,
            vec![json!([1, old]), json!([1, old])],
            TAKEN
        ),
    ]
}

/// The cases of `ADD_ACTIONS`.
pub fn actions() -> Vec<Case> {
    let keys = other_keys();
    let row = |i: usize, key: &str, scored: i64| {
        let name = NAMES[i % NAMES.len()];
        let (other, object) = (some_text(i), NAMES.join("\n").repeat(1 + i % 3));
        let object: String = object.chars().take(255).collect();
        let at = some_number(i);
        json!([key, name, name, name, other, object, at, scored])
    };
    let new = keys.iter().enumerate();
    let new = new.map(|(i, key)| row(i, key, number(i) % 2)).collect();
    vec![
        case!(ADD_ACTIONS, new, Changes),
        case!(
            ADD_ACTIONS,
            vec![row(1, &keys[0], 1), row(1, &action_key(0), 1)],
            TAKEN
        ),
        case!(ADD_ACTIONS, vec![row(1, &keys[0], 2)], WRONG),
    ]
}
