//! Ledgers as older programs left them: entries of the first format, whose effect on lots is unknown.

use std::collections::{BTreeMap, HashMap};

use entity::{
    account, action, contra, daily_limit_slot, entry, lot, nonce, opening, payment, tally,
};
use pointgate::ledger::book::account::{Allocation, Lot};
use pointgate::ledger::book::changes::ContraGain;
use pointgate::ledger::book::entry::Hash;
use pointgate::ledger::book::lots::write_lots;
use pointgate::ledger::book::order;
use pointgate::ledger::book::tally::{Tallied, Tally};
use pointgate::ledger::book::transaction::AccountKey;
use pointgate::ledger::read::entries::from_row;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, Set,
};

/// An account with its entries in the first format, and what its orders had drawn and had back.
pub struct Older {
    pub account: account::Model,
    pub entries: Vec<entry::Model>,
    /// By the keys of orders.
    pub allocations: BTreeMap<Vec<u8>, Vec<Allocation>>,
}

/// Reads all accounts, and puts their entries into the first format, with its hashes.
pub async fn older_accounts(db: &DatabaseConnection) -> Vec<Older> {
    let mut all = Vec::new();
    for mut account in account::Entity::find().all(db).await.unwrap() {
        let key = key(&account);
        let rows = entry::Entity::find()
            .filter(entry::Column::AccountId.eq(account.id))
            .order_by_asc(entry::Column::Seq);
        let mut allocations: BTreeMap<Vec<u8>, Vec<Allocation>> = BTreeMap::new();
        let (mut entries, mut head) = (Vec::new(), Hash::default());
        for row in rows.all(db).await.unwrap() {
            if let Some(order) = &row.order_key {
                let of_order = allocations.entry(order.clone()).or_default();
                order::replay_text(of_order, row.seq, row.lots.as_deref().unwrap()).unwrap();
            }
            let older = entry::Model {
                version: 1,
                recorded_at: None,
                origin_id: None,
                request_id: None,
                lots: None,
                order_key: None,
                ..row
            };
            let entry = from_row(&key, &older, &HashMap::new()).unwrap();
            head = entry.hash_after(&head);
            entries.push(entry::Model {
                hash: head.to_vec(),
                ..older
            });
        }
        account.head = head.to_vec();
        all.push(Older {
            account,
            entries,
            allocations,
        });
    }
    all
}

/// Makes all entries of a ledger older ones, as the migration to the second format leaves them.
pub async fn age(db: &DatabaseConnection) {
    let mut gains: BTreeMap<(String, String), ContraGain> = BTreeMap::new();
    for mut older in older_accounts(db).await {
        let id = older.account.id;
        for (order, allocations) in &older.allocations {
            for it in allocations {
                let spend = older.entries.iter_mut().find(|row| row.seq == it.spend_seq);
                let spend = spend.unwrap();
                let lot = format!("{}:-{}:{}", it.expires_at, it.drawn, it.returned);
                spend.order_key = Some(order.clone());
                spend.lots = Some(match spend.lots.take() {
                    Some(lots) => format!("{lots},{lot}"),
                    None => lot,
                });
            }
        }
        for row in older.entries {
            let entry = from_row(&key(&older.account), &row, &HashMap::new()).unwrap();
            let contra = (older.account.asset.clone(), row.contra.clone());
            gains.entry(contra).or_default().add(&entry);
            row.into_active_model()
                .reset_all()
                .update(db)
                .await
                .unwrap();
        }
        let lots = lot::Entity::find()
            .filter(lot::Column::AccountId.eq(id))
            .order_by_asc(lot::Column::ExpiresAt);
        let lots = lots.all(db).await.unwrap().into_iter().map(|row| Lot {
            expires_at: row.expires_at,
            remaining: row.remaining,
        });
        let opening = opening::Model {
            account_id: id,
            seq: older.account.last_seq,
            lots: write_lots(&lots.collect::<Vec<_>>()),
        };
        let opening = opening.into_active_model();
        opening::Entity::insert(opening)
            .exec_without_returning(db)
            .await
            .unwrap();
        let account = older.account.into_active_model().reset_all();
        account.update(db).await.unwrap();
    }
    for row in contra::Entity::find().all(db).await.unwrap() {
        // The sum of a contra account's rows counts: all of it stands in the first one.
        let gain = gains.remove(&(row.asset.clone(), row.name.clone()));
        let gain = gain.unwrap_or_default();
        let mut row = row.into_active_model();
        row.entries = Set(gain.entries);
        row.checksum = Set(gain.checksum);
        row.update(db).await.unwrap();
    }
}

/// Lets the tallies count rows that a test inserted.
pub async fn recount(db: &DatabaseConnection) {
    tally::Entity::delete_many().exec(db).await.unwrap();
    recount_table::<action::Entity>(db).await;
    recount_table::<daily_limit_slot::Entity>(db).await;
    recount_table::<nonce::Entity>(db).await;
    recount_table::<payment::Entity>(db).await;
}

async fn recount_table<E>(db: &DatabaseConnection)
where
    E: EntityTrait,
    E::Model: Tallied,
{
    let Tally { rows, checksum } = Tally::of(&E::find().all(db).await.unwrap());
    let tally = tally::Model {
        name: E::Model::TABLE.to_owned(),
        shard: 0,
        row_count: rows,
        checksum,
    };
    let row = tally::Entity::insert(tally.into_active_model());
    row.exec_without_returning(db).await.unwrap();
}

fn key(account: &account::Model) -> AccountKey {
    AccountKey {
        owner: account.owner.clone(),
        asset: account.asset.clone(),
    }
}
