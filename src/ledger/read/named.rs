//! Which account a name leads to.

use entity::account;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use crate::ledger::book::transaction::AccountKey;
use crate::ledger::database::statements::owners;
use crate::ledger::{Ledger, ReadError};

impl Ledger {
    /// The account that a name leads to, under the name that it stands under.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn account_of(&self, named: &AccountKey) -> Result<AccountKey, ReadError> {
        let rows = [(named.asset.as_str(), named.owner.as_str())];
        let found = || owners(self.database.read(), &rows);
        let mut found = self.database.again(found).await?;
        let owner = found.remove(&0).unwrap_or_else(|| named.owner.clone());
        Ok(AccountKey {
            owner,
            asset: named.asset.clone(),
        })
    }

    /// Whether an account stands under this very name.
    ///
    /// # Errors
    /// Returns [`ReadError`] if the database fails.
    pub async fn stands(&self, account: &AccountKey) -> Result<bool, ReadError> {
        let rows = account::Entity::find()
            .filter(account::Column::Owner.eq(account.owner.as_str()))
            .filter(account::Column::Asset.eq(account.asset.as_str()));
        let count = || rows.clone().count(self.database.read());
        Ok(self.database.again(count).await? > 0)
    }
}
