//! Balance reads, gathered: those that wait become one statement. Nothing is cached, so nothing can be stale.

use sea_orm::DbErr;
use tokio::sync::{mpsc, oneshot};

use super::connect::Store;
use super::posting::AccountKey;
use super::sql;
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
                for (one, balance) in asked.drain(..).zip(balances) {
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

/// The balances of these accounts, in their order.
async fn read(store: &Store, asked: &[Asked], now: i64) -> Result<Vec<i64>, DbErr> {
    let rows = asked
        .iter()
        .map(|Asked { account, .. }| (&account.asset, &account.owner, now));
    let mut balances = vec![0; asked.len()];
    let found =
        sql::ask::<(usize, i64)>(store.read(), sql::BALANCES, &rows.collect::<Vec<_>>()).await?;
    for (place, balance) in found {
        if let Some(of_place) = balances.get_mut(place) {
            *of_place = balance;
        }
    }
    Ok(balances)
}
