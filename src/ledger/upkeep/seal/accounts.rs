//! The accounts of a snapshot: their tree, the states that are new since the last seal, and the totals.

use std::collections::{BTreeMap, HashMap};

use entity::{account, contra, entry, sealed_account};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, PaginatorTrait,
    Statement,
};
use serde_json::{Map, Value, json};

use super::SealError;
use crate::ledger::book::account::Lot;
use crate::ledger::book::entry::Hash;
use crate::ledger::book::lots::write_lots;
use crate::ledger::book::transaction::{AccountKey, NEVER};
use crate::ledger::proof::state::{AccountState, key_of, leaf_of, salt_of};
use crate::ledger::proof::tree::Leaf;
use crate::ledger::read::pages::AccountPage;
use crate::ledger::read::seals::{StateSum, last_number};
use crate::ledger::upkeep::audit::AuditError;

/// What a seal takes from a snapshot.
pub struct Sealable {
    /// One for each account that has entries.
    pub leaves: Vec<Leaf>,
    /// The states that differ from those of the last seal.
    pub changed: Vec<sealed_account::Model>,
    /// The sums over all accounts.
    pub totals: Totals,
}

/// The sums of a seal.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    accounts: u64,
    entries: u64,
    changed: StateSum,
    assets: BTreeMap<String, AssetTotals>,
}

#[derive(Clone, Debug, Default)]
struct AssetTotals {
    points: i128,
    contra: BTreeMap<String, i128>,
    liability: BTreeMap<String, i128>,
}

impl Totals {
    /// Canonical JSON; sums are decimal texts, since they may exceed what JSON's readers take for a number.
    pub fn text(totals: Totals, salt: &Hash) -> String {
        let sums = |sums: BTreeMap<String, i128>| -> Value {
            let sums = sums.into_iter();
            sums.map(|(name, sum)| (name, Value::String(sum.to_string())))
                .collect::<Map<String, Value>>()
                .into()
        };
        let asset = |totals: AssetTotals| {
            json!({
                "contra": sums(totals.contra),
                "liability": sums(totals.liability),
                "points": totals.points.to_string(),
            })
        };
        let assets = totals.assets.into_iter();
        let assets: Map<String, Value> = assets.map(|(name, it)| (name, asset(it))).collect();
        let whole = json!({
            "accounts": totals.accounts,
            "assets": assets,
            "changed": totals.changed.rows,
            "checksum": totals.changed.checksum(),
            "entries": totals.entries,
            "salt": hex::encode(salt),
        });
        whole.to_string()
    }

    fn asset(&mut self, name: &str) -> &mut AssetTotals {
        if !self.assets.contains_key(name) {
            self.assets.insert(name.to_owned(), AssetTotals::default());
        }
        self.assets.entry(name.to_owned()).or_default()
    }
}

/// Reads all accounts of a snapshot that the audit has found right. `secret` salts their leaves, `month` names the month of a time.
pub async fn collect(
    db: &DatabaseTransaction,
    secret: &Hash,
    month: &(dyn Fn(i64) -> String + Sync),
) -> Result<Sealable, SealError> {
    let seal = last_number(db).await?.saturating_add(1);
    let mut totals = Totals {
        entries: entry::Entity::find().count(db).await?,
        ..Totals::default()
    };
    let (mut leaves, mut changed): (Vec<Leaf>, Vec<_>) = (Vec::new(), Vec::new());
    let mut last_id = i64::MIN;
    while let Some(page) = AccountPage::after(db, last_id).await? {
        last_id = page.ids.1;
        let (mut lots, sealed) = (page.lots(db).await?, sealed_before(db, page.ids).await?);
        for account in page.accounts.into_iter().filter(|it| it.last_seq > 0) {
            let lots = lots.remove(&account.id).unwrap_or_default();
            let of_asset = totals.asset(&account.asset);
            of_asset.points += i128::from(account.balance);
            for lot in &lots {
                let month = match lot.expires_at {
                    NEVER => "never".to_owned(),
                    at => month(at),
                };
                *of_asset.liability.entry(month).or_default() += i128::from(lot.remaining);
            }
            totals.accounts += 1;
            let (key, state) = state_of(&account, &lots);
            leaves.push(leaf_of(key, &salt_of(secret, &key), &state));
            if let Some(row) = new_state(&account, state, seal, sealed.get(&account.id))? {
                totals.changed.add(&row);
                changed.push(row);
            }
        }
    }
    for row in contra::Entity::find().all(db).await? {
        let of_asset = totals.asset(&row.asset);
        *of_asset.contra.entry(row.name).or_default() += i128::from(row.balance);
    }
    Ok(Sealable {
        leaves,
        changed,
        totals,
    })
}

fn state_of(account: &account::Model, lots: &[Lot]) -> (Hash, Hash) {
    let state = AccountState {
        seq: account.last_seq,
        balance: account.balance,
        head: account.head.as_slice().try_into().unwrap_or_default(),
        lots: write_lots(lots),
    };
    let key = key_of(&AccountKey {
        owner: account.owner.clone(),
        asset: account.asset.clone(),
    });
    (key, state.hash())
}

/// The row of an account that has changed since its last seal.
fn new_state(
    account: &account::Model,
    state: Hash,
    seal: i64,
    sealed: Option<&SealedBefore>,
) -> Result<Option<sealed_account::Model>, SealError> {
    if let Some(sealed) = sealed {
        let same = sealed.state == state;
        if sealed.seq > account.last_seq || (sealed.seq == account.last_seq && !same) {
            return Err(SealError::Audit(AuditError::Broken {
                account: format!("{} of {}", account.asset, account.owner),
                why: format!("is not what the seal {} says", sealed.seal),
            }));
        }
        if same {
            return Ok(None);
        }
    }
    Ok(Some(sealed_account::Model {
        account_id: account.id,
        seal,
        seq: account.last_seq,
        state: state.to_vec(),
    }))
}

#[derive(FromQueryResult)]
struct SealedBefore {
    account_id: i64,
    seal: i64,
    seq: i64,
    state: Vec<u8>,
}

/// The last sealed state of each account with a number in a range.
async fn sealed_before(
    db: &DatabaseTransaction,
    ids: (i64, i64),
) -> Result<HashMap<i64, SealedBefore>, DbErr> {
    let (first, last) = ids;
    let sql = format!(
        "SELECT s.account_id, s.seal, s.seq, s.state FROM sealed_account s JOIN (SELECT account_id, MAX(seal) AS seal \
         FROM sealed_account WHERE account_id BETWEEN {first} AND {last} GROUP BY account_id) l \
         ON l.account_id = s.account_id AND l.seal = s.seal"
    );
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let found = SealedBefore::find_by_statement(statement).all(db).await?;
    Ok(found.into_iter().map(|it| (it.account_id, it)).collect())
}
