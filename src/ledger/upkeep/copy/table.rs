//! What a copy does with a table, whatever the table's columns are.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::pin::pin;

use entity::{
    account, action, contra, credit_allowance, daily_limit_slot, entry, follow, frozen_owner,
    identity, journal, key_use, lot, member, message, nonce, opening, origin, payment, seal,
    sealed_account, tally,
};
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt, TryStreamExt};
use sea_orm::{
    ConnectionTrait, EntityTrait, IdenStatic, IntoActiveModel, Iterable, PaginatorTrait,
    PrimaryKeyToColumn, PrimaryKeyTrait, QueryOrder,
};
use sha2::{Digest, Sha256};

use super::{CopyError, CopySide};
use crate::ledger::database::backend::Backend;

/// The rows of one insert. It stays within the parameters that a statement can have and, with a long text in each row, within
/// MySQL's packet.
const ROWS: usize = 200;

/// All tables; a table comes after those that its foreign keys reference.
pub static TABLES: [&(dyn CopyTable + Sync); 21] = [
    &Of::<account::Entity>::TABLE,
    &Of::<lot::Entity>::TABLE,
    &Of::<entry::Entity>::TABLE,
    &Of::<origin::Entity>::TABLE,
    &Of::<opening::Entity>::TABLE,
    &Of::<tally::Entity>::TABLE,
    &Of::<contra::Entity>::TABLE,
    &Of::<nonce::Entity>::TABLE,
    &Of::<daily_limit_slot::Entity>::TABLE,
    &Of::<credit_allowance::Entity>::TABLE,
    &Of::<identity::Entity>::TABLE,
    &Of::<frozen_owner::Entity>::TABLE,
    &Of::<member::Entity>::TABLE,
    &Of::<action::Entity>::TABLE,
    &Of::<follow::Entity>::TABLE,
    &Of::<payment::Entity>::TABLE,
    &Of::<message::Entity>::TABLE,
    &Of::<key_use::Entity>::TABLE,
    &Of::<journal::Entity>::TABLE,
    &Of::<seal::Entity>::TABLE,
    &Of::<sealed_account::Entity>::TABLE,
];

/// The checksum of a table's rows, which does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum {
    /// The number of rows.
    pub rows: u64,
    /// The sum of the rows' digests.
    sum: u128,
}

impl Checksum {
    fn add(&mut self, row: &impl Debug) {
        let digest = Sha256::digest(format!("{row:?}"));
        let digest = digest.iter().take(16);
        let digest = digest.fold(0, |digest, &byte| digest << 8 | u128::from(byte));
        self.rows += 1;
        self.sum = self.sum.wrapping_add(digest);
    }
}

/// A table on either side.
pub trait CopyTable {
    /// The table's name.
    fn name(&self) -> &'static str;

    /// Counts its rows.
    fn count<'a>(&self, copy_side: &'a CopySide) -> LocalBoxFuture<'a, Result<u64, CopyError>>;

    /// Reads all rows `from` one side, and writes them `into` the other one if it is given. Calls `seen` with the rows of each
    /// chunk.
    fn read<'a>(
        &self,
        from: &'a CopySide,
        into: Option<&'a CopySide>,
        seen: &'a mut dyn FnMut(u64),
    ) -> LocalBoxFuture<'a, Result<Checksum, CopyError>>;
}

/// The table of an entity.
struct Of<E>(PhantomData<E>);

impl<E> Of<E> {
    const TABLE: Of<E> = Of(PhantomData);
}

impl<E: EntityTrait> CopyTable for Of<E>
where
    E::Model: IntoActiveModel<E::ActiveModel> + Sync,
{
    fn name(&self) -> &'static str {
        E::default().table_name()
    }

    fn count<'a>(&self, copy_side: &'a CopySide) -> LocalBoxFuture<'a, Result<u64, CopyError>> {
        Box::pin(async { copy_side.side(E::find().count(&*copy_side.db).await) })
    }

    fn read<'a>(
        &self,
        from: &'a CopySide,
        into: Option<&'a CopySide>,
        seen: &'a mut dyn FnMut(u64),
    ) -> LocalBoxFuture<'a, Result<Checksum, CopyError>> {
        Box::pin(read::<E>(from, into, seen))
    }
}

async fn read<E: EntityTrait>(
    from: &CopySide,
    into: Option<&CopySide>,
    seen: &mut dyn FnMut(u64),
) -> Result<Checksum, CopyError>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut find = E::find();
    if into.is_some() {
        // In key order, the target's tree only grows at its end.
        for key in E::PrimaryKey::iter() {
            find = find.order_by_asc(key.into_column());
        }
    }
    let rows = from.side(find.stream(&*from.db).await)?;
    let mut chunks = pin!(rows.try_chunks(ROWS));
    let mut checksum = Checksum::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = from.side(chunk.map_err(|error| error.1))?;
        chunk.iter().for_each(|row| checksum.add(row));
        seen(chunk.len() as u64);
        if let Some(into) = into {
            let rows = chunk.into_iter().map(IntoActiveModel::into_active_model);
            into.side(E::insert_many(rows).exec_without_returning(&*into.db).await)?;
        }
    }
    if let Some(into) = into {
        finish::<E>(into).await?;
    }
    Ok(checksum)
}

/// Runs the statements that this database needs after a copy into a table.
async fn finish<E: EntityTrait>(into: &CopySide) -> Result<(), CopyError> {
    let table = E::default().table_name();
    let key = E::PrimaryKey::iter().next();
    let number = key.filter(|_| E::PrimaryKey::auto_increment());
    let number = number.as_ref().map(IdenStatic::as_str);
    for statement in (Backend::of(&into.db).after_copy)(table, number) {
        into.side(into.db.execute_unprepared(&statement).await)?;
    }
    Ok(())
}
