//! A table as far as copying it goes, whatever its columns are.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::pin::pin;

use entity::{
    account, action, alias, counter, daily_limit_slot, draw, entry, follow, lot, member, message,
    nonce, payment,
};
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt, TryStreamExt};
use sea_orm::{
    ConnectionTrait, EntityTrait, IdenStatic, IntoActiveModel, Iterable, PaginatorTrait,
    PrimaryKeyToColumn, PrimaryKeyTrait, QueryOrder,
};
use sha2::{Digest, Sha256};

use super::{CopyError, End};
use crate::ledger::database::backend::Backend;

/// Rows that are written by one statement: few enough for the parameters that a statement may have and, with a long text in
/// each, for the packet that MySQL takes.
const ROWS: usize = 200;

/// All tables, those that others point to before these.
pub static TABLES: [&(dyn Table + Sync); 13] = [
    &Of::<account::Entity>::TABLE,
    &Of::<lot::Entity>::TABLE,
    &Of::<entry::Entity>::TABLE,
    &Of::<draw::Entity>::TABLE,
    &Of::<counter::Entity>::TABLE,
    &Of::<nonce::Entity>::TABLE,
    &Of::<daily_limit_slot::Entity>::TABLE,
    &Of::<alias::Entity>::TABLE,
    &Of::<member::Entity>::TABLE,
    &Of::<action::Entity>::TABLE,
    &Of::<follow::Entity>::TABLE,
    &Of::<payment::Entity>::TABLE,
    &Of::<message::Entity>::TABLE,
];

/// What rows come to: those that are the same in any order have the same tally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many there are.
    pub rows: u64,
    /// The sum of their digests.
    sum: u128,
}

impl Tally {
    fn add(&mut self, row: &impl Debug) {
        let digest = Sha256::digest(format!("{row:?}"));
        let digest = digest.iter().take(16);
        let digest = digest.fold(0, |digest, &byte| digest << 8 | u128::from(byte));
        self.rows += 1;
        self.sum = self.sum.wrapping_add(digest);
    }
}

/// A table of either side.
pub trait Table {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// How many rows it has.
    fn count<'a>(&self, end: &'a End) -> LocalBoxFuture<'a, Result<u64, CopyError>>;

    /// Reads all its rows `from` one side and writes them `into` another one where that is given, and tells `seen` of more
    /// rows.
    fn read<'a>(
        &self,
        from: &'a End,
        into: Option<&'a End>,
        seen: &'a mut dyn FnMut(u64),
    ) -> LocalBoxFuture<'a, Result<Tally, CopyError>>;
}

/// The table of an entity.
struct Of<E>(PhantomData<E>);

impl<E> Of<E> {
    const TABLE: Of<E> = Of(PhantomData);
}

impl<E: EntityTrait> Table for Of<E>
where
    E::Model: IntoActiveModel<E::ActiveModel> + Sync,
{
    fn name(&self) -> &'static str {
        E::default().table_name()
    }

    fn count<'a>(&self, end: &'a End) -> LocalBoxFuture<'a, Result<u64, CopyError>> {
        Box::pin(async { end.got(E::find().count(&*end.db).await) })
    }

    fn read<'a>(
        &self,
        from: &'a End,
        into: Option<&'a End>,
        seen: &'a mut dyn FnMut(u64),
    ) -> LocalBoxFuture<'a, Result<Tally, CopyError>> {
        Box::pin(read::<E>(from, into, seen))
    }
}

async fn read<E: EntityTrait>(
    from: &End,
    into: Option<&End>,
    seen: &mut dyn FnMut(u64),
) -> Result<Tally, CopyError>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut find = E::find();
    if into.is_some() {
        // A tree of rows is filled from one end to the other.
        for key in E::PrimaryKey::iter() {
            find = find.order_by_asc(key.into_column());
        }
    }
    let rows = from.got(find.stream(&*from.db).await)?;
    let mut chunks = pin!(rows.try_chunks(ROWS));
    let mut tally = Tally::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = from.got(chunk.map_err(|error| error.1))?;
        chunk.iter().for_each(|row| tally.add(row));
        seen(chunk.len() as u64);
        if let Some(into) = into {
            let rows = chunk.into_iter().map(IntoActiveModel::into_active_model);
            into.got(E::insert_many(rows).exec_without_returning(&*into.db).await)?;
        }
    }
    if let Some(into) = into {
        finish::<E>(into).await?;
    }
    Ok(tally)
}

/// Runs the statements that this database needs after a copy into a table.
async fn finish<E: EntityTrait>(into: &End) -> Result<(), CopyError> {
    let table = E::default().table_name();
    let key = E::PrimaryKey::iter().next();
    let number = key.filter(|_| E::PrimaryKey::auto_increment());
    let number = number.as_ref().map(IdenStatic::as_str);
    for statement in (Backend::of(&into.db).after_copy)(table, number) {
        into.got(into.db.execute_unprepared(&statement).await)?;
    }
    Ok(())
}
