//! Rows that the tables accept, and values that their constraints reject.

use Constraint::{Check, ForeignKey, Unique};

/// Rows, at least one in each table; `{x:ab}` is a byte sixteen times. Every database numbers the first row 1.
pub const ROWS: [&str; 23] = [
    "INSERT INTO account (asset, owner, balance, last_seq, income_seq, last_at, next_expiry, head) \
     VALUES ('coin', 'uid:1', 5, 2, 1, 0, 7, {x:00})",
    "INSERT INTO account (asset, owner, balance, last_seq, income_seq, last_at, next_expiry, head) \
     VALUES ('coin', 'uid:2', 5, 2, 1, 0, NULL, {x:ff})",
    "INSERT INTO lot (account_id, expires_at, remaining) VALUES (1, 100, 5)",
    "INSERT INTO entry (account_id, seq, at, reason, amount, balance_after, contra, direction, direction_seq, reference, \
     message, operator, hash) VALUES (1, 1, 0, 18, 5, 5, 'issued', 1, 1, 'r', 'm', 1, {x:02})",
    "INSERT INTO origin (origin_key, dialect, caller) VALUES ({x:01}, 'yoho', 'c')",
    "INSERT INTO opening (account_id, seq, lots) VALUES (1, 1, '7:5')",
    "INSERT INTO tally (name, shard, row_count, checksum) VALUES ('t', 0, 1, 1)",
    "INSERT INTO contra (asset, name, balance) VALUES ('coin', 'issued', -5)",
    "INSERT INTO nonce (at, nonce_key) VALUES (1, {x:01})",
    "INSERT INTO identity (name, owner) VALUES ('key:a', 'uid:1')",
    "INSERT INTO frozen_owner (owner, scope, since, record) VALUES ('uid:1', 1, 0, 1)",
    "INSERT INTO member (uid, user_key) VALUES (1, 'a')",
    "INSERT INTO member (uid, user_key) VALUES (9, 'z')",
    "INSERT INTO action (action_key, token, owner, name, at, scored) VALUES ({x:01}, 't', 'key:a', 'post', 0, 1)",
    "INSERT INTO daily_limit_slot (expires_at, slot_key) VALUES (1, {x:01})",
    "INSERT INTO credit_allowance (expires_at, allowance_key, used) VALUES (1, {x:01}, 5)",
    "INSERT INTO follow (member_id, account, at) VALUES (1, 'shop', 0)",
    "INSERT INTO payment (event_id, charge_id, kind, at, subject, subject_seq) VALUES ('e', 'c', 'charge.succeeded', 0, 'c', 0)",
    "INSERT INTO message (message_key, at, result) VALUES ({x:01}, 0, '')",
    "INSERT INTO key_use (use_key, since) VALUES ({x:01}, 0)",
    "INSERT INTO journal (number, at, kind, operator, request_id, details, hash) VALUES (1, 0, 'link', 'uid:0', 'r', '{}', {x:02})",
    "INSERT INTO seal (number, record, totals, note, secret) VALUES (1, '{}', '{}', 'n', {x:03})",
    "INSERT INTO sealed_account (account_id, seal, seq, state) VALUES (1, 1, 2, {x:04})",
];

/// A statement, a value that it accepts, values that it rejects, and the constraint that rejects them.
pub struct Rule(
    pub &'static str,
    pub &'static str,
    pub &'static [&'static str],
    pub Constraint,
);

/// A kind of constraint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constraint {
    /// Another row has the key.
    Unique,
    /// The referenced row is missing, or would be.
    ForeignKey,
    /// No row may have the value.
    Check,
}

pub const RULES: [Rule; 56] = [
    Rule(
        "INSERT INTO account (asset, owner, balance, last_seq, income_seq, last_at, head) \
          VALUES ($v, 0, 0, 0, 0, {x:00})",
        "'coin', 'uid:1 '",
        &["'coin', 'uid:1'", "'coin', 'uid:2'"],
        Unique,
    ),
    Rule(
        "UPDATE account SET asset = $v WHERE id = 2",
        "'Coin'",
        &[],
        Unique,
    ),
    Rule(
        "UPDATE account SET owner = $v WHERE id = 2",
        "'UID:1'",
        &["'uid:1'"],
        Unique,
    ),
    Rule(
        "UPDATE account SET balance = $v WHERE id = 1",
        "0",
        &["-1", "-9223372036854775807"],
        Check,
    ),
    Rule(
        "UPDATE account SET income_seq = $v WHERE id = 1",
        "2",
        &["3"],
        Check,
    ),
    Rule(
        "INSERT INTO lot (account_id, expires_at, remaining) VALUES ($v)",
        "1, 101, 0",
        &["1, 100, 5"],
        Unique,
    ),
    Rule(
        "INSERT INTO lot (account_id, expires_at, remaining) VALUES ($v, 100, 1)",
        "2",
        &["3", "0", "-1"],
        ForeignKey,
    ),
    Rule("UPDATE lot SET remaining = $v", "0", &["-1"], Check),
    Rule(
        "INSERT INTO entry (account_id, seq, direction_seq, at, reason, amount, balance_after, contra, direction, hash) \
          VALUES (1, $v, 0, 18, 5, 5, 'issued', 1, {x:02})",
        "2, 2",
        &["1, 2", "2, 1"],
        Unique,
    ),
    Rule("UPDATE entry SET account_id = $v", "2", &["3"], ForeignKey),
    Rule("UPDATE entry SET amount = $v", "-1", &["0"], Check),
    Rule("UPDATE entry SET balance_after = $v", "0", &["-1"], Check),
    Rule("UPDATE entry SET seq = $v", "2", &["0", "-1"], Check),
    Rule("UPDATE entry SET direction = $v", "2", &["0", "3"], Check),
    Rule(
        "INSERT INTO origin (origin_key, dialect, caller) VALUES ($v, 'yoho', 'c')",
        "{x:02}",
        &["{x:01}"],
        Unique,
    ),
    Rule(
        "INSERT INTO opening (account_id, seq, lots) VALUES ($v, 1, '')",
        "2",
        &["1"],
        Unique,
    ),
    Rule(
        "INSERT INTO tally (name, shard, row_count, checksum) VALUES ($v, 0, 0)",
        "'t', 1",
        &["'t', 0"],
        Unique,
    ),
    Rule(
        "UPDATE opening SET account_id = $v",
        "2",
        &["3"],
        ForeignKey,
    ),
    Rule("UPDATE opening SET seq = $v", "2", &["0", "-1"], Check),
    Rule(
        "UPDATE entry SET version = 2, $v",
        "recorded_at = 0, origin_id = 1, lots = '7:5'",
        &[
            "recorded_at = 0, origin_id = 1",
            "recorded_at = 0, lots = '7:5'",
            "origin_id = 1, lots = '7:5'",
        ],
        Check,
    ),
    Rule(
        "INSERT INTO entry (account_id, seq, direction_seq, at, reason, amount, balance_after, contra, direction, hash, \
          idempotency_key, fingerprint, idempotency_balance) VALUES (2, 1, 1, 0, 18, 5, 5, 'issued', 1, {x:02}, $v, {x:03}, 5)",
        "{x:01}, {x:03}, 5), (2, 2, 2, 0, 18, 5, 5, 'issued', 1, {x:02}, {x:02}",
        &["{x:01}, {x:03}, 5), (2, 2, 2, 0, 18, 5, 5, 'issued', 1, {x:02}, {x:01}"],
        Unique,
    ),
    Rule(
        "UPDATE entry SET $v",
        "idempotency_key = {x:01}, fingerprint = {x:02}, idempotency_balance = 5",
        &[
            "idempotency_key = {x:01}",
            "fingerprint = {x:02}",
            "idempotency_balance = 5",
            "idempotency_key = {x:01}, fingerprint = {x:02}",
            "fingerprint = {x:02}, idempotency_balance = 5",
        ],
        Check,
    ),
    Rule(
        "INSERT INTO contra (asset, name, balance) VALUES ($v, 0)",
        "'coin', 'lapsed'",
        &["'coin', 'issued'"],
        Unique,
    ),
    Rule(
        "INSERT INTO contra (asset, name, balance) VALUES ($v, 0)",
        "'Coin', 'issued'",
        &[],
        Unique,
    ),
    Rule(
        "INSERT INTO nonce (at, nonce_key) VALUES ($v)",
        "1, {x:02}",
        &["1, {x:01}"],
        Unique,
    ),
    Rule(
        "INSERT INTO nonce (at, nonce_key) VALUES ($v)",
        "2, {x:01}",
        &[],
        Unique,
    ),
    Rule(
        "INSERT INTO identity (name, owner) VALUES ($v, 'uid:2')",
        "'KEY:a'",
        &["'key:a'"],
        Unique,
    ),
    Rule(
        "INSERT INTO identity (name, owner) VALUES ($v, 'uid:2')",
        "'key:a '",
        &[],
        Unique,
    ),
    Rule(
        "INSERT INTO member (uid, user_key) VALUES ($v)",
        "2, 'b'",
        &["1, 'b'", "2, 'a'"],
        Unique,
    ),
    Rule(
        "INSERT INTO member (uid, user_key) VALUES ($v)",
        "2, 'á'",
        &[],
        Unique,
    ),
    Rule(
        "INSERT INTO member (uid, user_key) VALUES ($v)",
        "NULL, NULL), (NULL, NULL",
        &[],
        Unique,
    ),
    Rule(
        "UPDATE member SET uid = $v WHERE id = 1",
        "2",
        &["0", "-1"],
        Check,
    ),
    Rule(
        "INSERT INTO action (action_key, token, owner, name, at, scored) \
          VALUES ($v, 't', 'key:a', 'post', 0, 1)",
        "{x:02}",
        &["{x:01}"],
        Unique,
    ),
    Rule("UPDATE action SET scored = $v", "0", &["2", "-1"], Check),
    Rule(
        "INSERT INTO daily_limit_slot (expires_at, slot_key) VALUES ($v)",
        "1, {x:02}",
        &["1, {x:01}"],
        Unique,
    ),
    Rule(
        "INSERT INTO credit_allowance (expires_at, allowance_key, used) VALUES ($v)",
        "1, {x:02}, 0",
        &["1, {x:01}, 0"],
        Unique,
    ),
    Rule("UPDATE credit_allowance SET used = $v", "0", &["-1"], Check),
    Rule(
        "INSERT INTO key_use (use_key, since) VALUES ($v, 0)",
        "{x:02}",
        &["{x:01}"],
        Unique,
    ),
    Rule(
        "INSERT INTO journal (number, at, kind, operator, request_id, details, hash) VALUES ($v, 0, '', '', '', '', {x:02})",
        "2",
        &["1"],
        Unique,
    ),
    Rule("UPDATE journal SET number = $v", "2", &["0", "-1"], Check),
    Rule(
        "INSERT INTO seal (number, record, totals, note, secret) VALUES ($v, '', '', '', {x:03})",
        "2",
        &["1"],
        Unique,
    ),
    Rule(
        "INSERT INTO seal (number, record, totals, note, secret) VALUES ($v, '', '', '', {x:03})",
        "2",
        &["0", "-1"],
        Check,
    ),
    Rule(
        "INSERT INTO sealed_account (account_id, seal, seq, state) VALUES ($v, 1, {x:04})",
        "2, 1",
        &["1, 1"],
        Unique,
    ),
    Rule(
        "UPDATE sealed_account SET seal = $v",
        "1",
        &["2"],
        ForeignKey,
    ),
    Rule(
        "UPDATE sealed_account SET seq = $v",
        "1",
        &["0", "-1"],
        Check,
    ),
    Rule(
        "INSERT INTO follow (member_id, account, at) VALUES ($v, 0)",
        "1, 'service'",
        &["1, 'shop'"],
        Unique,
    ),
    Rule("UPDATE follow SET member_id = $v", "2", &["3"], ForeignKey),
    Rule(
        "INSERT INTO payment (event_id, charge_id, kind, at) VALUES ($v, '', 0)",
        "'f', 'd'",
        &["'e', 'd'", "'f', 'c'"],
        Unique,
    ),
    Rule(
        "INSERT INTO payment (event_id, charge_id, kind, at, subject) VALUES ($v)",
        "'f', NULL, '', 0, 'f'), ('g', NULL, '', 0, 'g'",
        &[],
        Unique,
    ),
    Rule(
        "INSERT INTO payment (event_id, charge_id, kind, at) VALUES ($v, '', 0)",
        "'E', 'C'",
        &[],
        Unique,
    ),
    Rule(
        "INSERT INTO payment (event_id, kind, at, subject, subject_seq) VALUES ('f', '', 0, $v)",
        "'c', 1",
        &["'c', 0"],
        Unique,
    ),
    Rule(
        "INSERT INTO message (message_key, at, result) VALUES ($v, 0, '')",
        "{x:02}",
        &["{x:01}"],
        Unique,
    ),
    Rule(
        "INSERT INTO frozen_owner (scope, since, record, owner) VALUES (2, 0, 1, $v)",
        "'UID:1'), (2, 0, 1, 'uid:1 '",
        &["'uid:1'"],
        Unique,
    ),
    Rule(
        "UPDATE frozen_owner SET scope = $v",
        "2",
        &["0", "3", "-1"],
        Check,
    ),
    Rule("DELETE FROM account WHERE id = $v", "2", &["1"], ForeignKey),
    Rule("DELETE FROM member WHERE id = $v", "2", &["1"], ForeignKey),
];
