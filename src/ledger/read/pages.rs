//! Accounts with what the tables say of them, a page at a time in the order of their numbers.

use std::collections::HashMap;

use entity::{account, lot};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::ledger::book::account::Lot;

/// The accounts of a page.
const ROWS: u64 = 2000;

/// Accounts with consecutive numbers, at least one.
#[derive(Clone, Debug)]
pub struct AccountPage {
    /// The rows, in the order of their numbers.
    pub accounts: Vec<account::Model>,
    /// The numbers of the first and the last account.
    pub ids: (i64, i64),
}

impl AccountPage {
    /// The page of these accounts, which come in the order of their numbers. `None` without accounts.
    pub fn of(accounts: Vec<account::Model>) -> Option<AccountPage> {
        let ids = (accounts.first()?.id, accounts.last()?.id);
        Some(AccountPage { accounts, ids })
    }

    /// The next accounts after a number; `None` at the end.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn after(db: &impl ConnectionTrait, last_id: i64) -> Result<Option<Self>, DbErr> {
        let accounts = account::Entity::find()
            .filter(account::Column::Id.gt(last_id))
            .order_by_asc(account::Column::Id)
            .limit(ROWS);
        Ok(AccountPage::of(accounts.all(db).await?))
    }

    /// The lots of the page by account, those that expire soonest first. Lots without an account are among them.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer.
    pub async fn lots(&self, db: &impl ConnectionTrait) -> Result<HashMap<i64, Vec<Lot>>, DbErr> {
        let found = lot::Entity::find()
            .filter(lot::Column::AccountId.between(self.ids.0, self.ids.1))
            .order_by_asc(lot::Column::AccountId)
            .order_by_asc(lot::Column::ExpiresAt);
        let mut lots: HashMap<i64, Vec<Lot>> = HashMap::new();
        for lot in found.all(db).await? {
            lots.entry(lot.account_id).or_default().push(Lot {
                expires_at: lot.expires_at,
                remaining: lot.remaining,
            });
        }
        Ok(lots)
    }
}
