//! Balance reads, gathered: those that wait become one statement. Nothing is cached, so nothing can be stale.

use std::collections::{BTreeSet, HashMap};

use entity::{account, lot};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::{mpsc, oneshot};

use super::connect::Store;
use super::posting::AccountKey;
use super::store::in_chunks;
use crate::clock::Clock;

/// A balance that somebody waits for; it is dropped unanswered where the database fails.
pub struct Asked {
    /// Whose.
    pub account: AccountKey,
    /// Where the points go to.
    pub reply: oneshot::Sender<i64>,
}

/// Answers until every sender is gone. At most `batch` reads share a statement.
pub async fn run(store: Store, clock: Clock, mut queue: mpsc::Receiver<Asked>, batch: usize) {
    let mut asked = Vec::with_capacity(batch);
    while queue.recv_many(&mut asked, batch).await > 0 {
        match read(&store, &asked, clock.now()).await {
            Ok(balances) => {
                for one in asked.drain(..) {
                    let balance = balances.get(&one.account).copied().unwrap_or(0);
                    let _ = one.reply.send(balance);
                }
            }
            Err(error) => {
                log::error!("balances could not be read: {error}");
                asked.clear();
            }
        }
    }
}

async fn read(store: &Store, asked: &[Asked], now: i64) -> Result<HashMap<AccountKey, i64>, DbErr> {
    let keys: BTreeSet<&AccountKey> = asked.iter().map(|one| &one.account).collect();
    let mut by_asset: HashMap<&str, Vec<&str>> = HashMap::new();
    for key in keys {
        by_asset.entry(&key.asset).or_default().push(&key.owner);
    }
    let mut balances = HashMap::with_capacity(asked.len());
    let mut due = HashMap::new();
    for (asset, owners) in by_asset {
        for owners in in_chunks(owners) {
            let rows: Vec<(i64, String, i64, Option<i64>)> = account::Entity::find()
                .select_only()
                .columns([
                    account::Column::Id,
                    account::Column::Owner,
                    account::Column::Balance,
                    account::Column::NextExpiry,
                ])
                .filter(account::Column::Owner.is_in(owners))
                .filter(account::Column::Asset.eq(asset))
                .into_tuple()
                .all(store.read())
                .await?;
            for (id, owner, balance, next_expiry) in rows {
                let key = AccountKey {
                    owner,
                    asset: asset.to_owned(),
                };
                if next_expiry.is_some_and(|at| at <= now) {
                    due.insert(id, key.clone());
                }
                balances.insert(key, balance);
            }
        }
    }
    subtract_due(store, &due, &mut balances, now).await?;
    Ok(balances)
}

/// A balance never counts a lot that is due, whether or not it has been lapsed yet.
async fn subtract_due(
    store: &Store,
    due: &HashMap<i64, AccountKey>,
    balances: &mut HashMap<AccountKey, i64>,
    now: i64,
) -> Result<(), DbErr> {
    for ids in in_chunks(due.keys().copied()) {
        let lots = lot::Entity::find()
            .filter(lot::Column::AccountId.is_in(ids))
            .filter(lot::Column::ExpiresAt.lte(now))
            .all(store.read())
            .await?;
        for lot in lots {
            if let Some(balance) = due
                .get(&lot.account_id)
                .and_then(|key| balances.get_mut(key))
            {
                *balance -= lot.remaining;
            }
        }
    }
    Ok(())
}
