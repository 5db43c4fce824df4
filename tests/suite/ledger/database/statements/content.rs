//! What the tables hold before a statement runs: the same rows on each database, inserted without any of the statements.

use entity::{
    account, action, credit_allowance, entry, frozen_owner, identity, lot, nonce, origin,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel};

/// Names that some database or other could take for one another, or for its own words.
pub const NAMES: [&str; 26] = [
    "",
    "uid:5",
    "UID:5",
    "uid:5 ",
    " uid:5",
    "uid:5\t",
    "é",
    "e\u{301}",
    "e",
    "ß",
    "ss",
    "I",
    "ı",
    "i",
    "key:😀",
    "key:😁",
    "it's \"quoted\"",
    "back\\slash \\n \\u0041",
    "two\r\nlines",
    "\u{1}\u{1f}\u{7f}",
    "\u{2028}\u{feff}",
    "null",
    "007",
    "[1,{\"a\":2}]",
    "{k} {hex:a} ?1 $1 %s :x",
    "名字，很长",
];

/// How many of the names have an account of diamonds too.
pub const DIAMONDS: usize = 5;
/// How many accounts have lots, and how many each.
pub const WITH_LOTS: usize = 8;
pub const EXPIRIES: [i64; 4] = [i64::MIN + 1, 100, 200, i64::MAX];
/// How many accounts have entries, and how many each: five of income and four of expenses.
pub const WITH_ENTRIES: usize = 4;
pub const ENTRIES: i64 = 9;
/// How many actions there are.
pub const ACTIONS: usize = 60;

/// Keys with every byte that could be cut off, taken for an end, or read as a letter.
pub fn keys() -> Vec<[u8; 16]> {
    let mut keys = vec![[0; 16], [0xff; 16], [b' '; 16], [b'\''; 16], [b'\\'; 16]];
    keys.extend((0..16).map(|at| {
        let mut key = [b'a'; 16];
        key[at] = 0;
        key
    }));
    keys.push(std::array::from_fn(|at| [0x00, 0xff, 0x80, 0x0a][at % 4]));
    keys
}

/// A second name of the owner of the `i`-th account.
pub fn second_name(i: usize) -> String {
    format!("{}~", NAMES[i])
}

/// A text or none, by turns.
pub fn some_text(i: usize) -> Option<String> {
    (!i.is_multiple_of(5)).then(|| NAMES[i % NAMES.len()].to_owned())
}

/// The numbers at the ends of what fits, by turns.
pub fn some_number(i: usize) -> i64 {
    [0, i64::MAX, i64::MIN + 1, -1, 1][i % 5]
}

async fn put<M, A>(db: &impl ConnectionTrait, rows: Vec<M>)
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    <A::Entity as EntityTrait>::insert_many(rows)
        .exec_without_returning(db)
        .await
        .unwrap();
}

/// Fills the tables; accounts are numbered from 1 in the order of the names, then come those of diamonds.
pub async fn fill(db: &impl ConnectionTrait) {
    let coins = NAMES.iter().map(|name| ("coin", name));
    let diamonds = NAMES[..DIAMONDS].iter().map(|name| ("diamond", name));
    for (i, (asset, owner)) in coins.chain(diamonds).enumerate() {
        let mut row = account(i, asset, owner).into_active_model();
        row.id = sea_orm::NotSet;
        account::Entity::insert(row)
            .exec_without_returning(db)
            .await
            .unwrap();
    }
    put(db, lots()).await;
    put(db, (0..WITH_ENTRIES).flat_map(entries).collect()).await;
    let identities = (0..NAMES.len()).map(|i| identity::Model {
        name: second_name(i),
        asset: String::new(),
        owner: NAMES[i].to_owned(),
    });
    put(db, identities.collect()).await;
    let frozen = (0..NAMES.len()).map(|i| frozen_owner::Model {
        owner: NAMES[i].to_owned(),
        scope: if i.is_multiple_of(2) { 1 } else { 2 },
        since: some_number(i),
        record: 1,
    });
    put(db, frozen.collect()).await;
    let nonces = keys().into_iter().enumerate().map(|(i, key)| nonce::Model {
        at: some_number(i),
        nonce_key: key.to_vec(),
        fingerprint: i.is_multiple_of(2).then(|| key.to_vec()),
    });
    put(db, nonces.collect()).await;
    let used = credit_allowance::ActiveModel {
        id: sea_orm::NotSet,
        expires_at: Set(1),
        allowance_key: Set(keys()[0].to_vec()),
        used: Set(5),
    };
    credit_allowance::Entity::insert(used)
        .exec_without_returning(db)
        .await
        .unwrap();
    for i in 0..ACTIONS {
        let mut row = action(i).into_active_model();
        row.id = sea_orm::NotSet;
        action::Entity::insert(row)
            .exec_without_returning(db)
            .await
            .unwrap();
    }
    let origin = origin::ActiveModel {
        id: sea_orm::NotSet,
        origin_key: Set(keys()[0].to_vec()),
        dialect: Set("yoho".to_owned()),
        caller: Set(NAMES[14].to_owned()),
        caller_key: Set(None),
        address: Set(None),
        address_salt: Set(None),
        address_hash: Set(Some([0xff, 0x00].repeat(16))),
    };
    origin::Entity::insert(origin)
        .exec_without_returning(db)
        .await
        .unwrap();
    for name in ["issued", "redeemed"] {
        let row =
            format!("INSERT INTO contra (asset, name, balance) VALUES ('coin', '{name}', -7)");
        db.execute_unprepared(&row).await.unwrap();
    }
}

fn account(i: usize, asset: &str, owner: &str) -> account::Model {
    let has_entries = i < WITH_ENTRIES;
    let mut head = [0x00, 0xff].repeat(16);
    head[31] = u8::try_from(i).unwrap();
    account::Model {
        id: 0,
        asset: asset.to_owned(),
        owner: owner.to_owned(),
        balance: some_number(i).max(0),
        last_seq: if has_entries { ENTRIES } else { 0 },
        income_seq: if has_entries { 5 } else { 0 },
        last_at: some_number(i + 1),
        next_expiry: [None, Some(100), Some(i64::MIN + 1), Some(i64::MAX)][i % 4],
        head,
    }
}

fn lots() -> Vec<lot::Model> {
    let accounts = 1..=i64::try_from(WITH_LOTS).unwrap();
    let of = |account_id: i64| {
        EXPIRIES.map(|expires_at| lot::Model {
            account_id,
            expires_at,
            remaining: match expires_at {
                i64::MAX => i64::MAX - account_id,
                200 => 0,
                _ => account_id,
            },
        })
    };
    accounts.flat_map(of).collect()
}

fn entries(i: usize) -> Vec<entry::Model> {
    let of = |seq: i64| {
        let nth = usize::try_from(seq).unwrap();
        let turn = i + nth;
        // The first entries have an idempotency key each, as many as there are keys.
        let keys = keys();
        let nth = i * usize::try_from(ENTRIES).unwrap() + nth - 1;
        let has_key = nth < keys.len();
        entry::Model {
            account_id: i64::try_from(i).unwrap() + 1,
            seq,
            at: some_number(turn),
            reason: 18,
            amount: if seq % 2 == 1 { i64::MAX } else { i64::MIN + 1 },
            balance_after: some_number(turn).max(0),
            contra: "issued".to_owned(),
            direction: if seq % 2 == 1 { 1 } else { 2 },
            direction_seq: (seq + 1) / 2,
            reference: some_text(turn),
            message: some_text(turn + 7),
            operator: (seq % 3 == 0).then_some(some_number(turn)),
            idempotency_key: has_key.then(|| keys[nth].to_vec()),
            fingerprint: has_key.then(|| keys[keys.len() - 1 - nth].to_vec()),
            idempotency_balance: has_key.then(|| some_number(nth)),
            version: 2,
            recorded_at: Some(some_number(turn)),
            origin_id: Some(some_number(turn)),
            request_id: some_text(turn + 9),
            lots: Some(NAMES[turn % NAMES.len()].to_owned()),
            // Two entries of each order.
            order_key: keys.get(nth / 2).map(|key| key.to_vec()),
            hash: [0xff, 0x00].repeat(16),
        }
    };
    (1..=ENTRIES).map(of).collect()
}

fn action(i: usize) -> action::Model {
    let mut key = [0xff; 16];
    key[0] = u8::try_from(i).unwrap();
    action::Model {
        id: 0,
        action_key: key.to_vec(),
        identity_key: i.is_multiple_of(5).then(|| key.to_vec()),
        token: NAMES[i % NAMES.len()].to_owned(),
        owner: NAMES[i % 6].to_owned(),
        name: ["post", "Post", "post "][i % 3].to_owned(),
        other: some_text(i),
        object: some_text(i + 3),
        at: i64::try_from(i).unwrap() * 10,
        scored: i64::from(!i.is_multiple_of(4)),
    }
}
