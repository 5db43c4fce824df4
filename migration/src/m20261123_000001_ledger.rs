//! The ledger: accounts, lots, entries, allocations (`draw`), retries (`reference`) and contra accounts (`counter`). Constraints
//! repeat the book's rules, so that no other program breaks them by mistake.

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::kept;

#[derive(DeriveIden)]
enum Account {
    Table,
    Id,
    Asset,
    Owner,
    Balance,
    LastSeq,
    IncomeSeq,
    LastAt,
    NextExpiry,
    Head,
}

#[derive(DeriveIden)]
enum Lot {
    Table,
    AccountId,
    ExpiresAt,
    Remaining,
}

#[derive(DeriveIden)]
enum Entry {
    Table,
    AccountId,
    Seq,
    At,
    Kind,
    Amount,
    BalanceAfter,
    Counter,
    Direction,
    DirectionSeq,
    Reference,
    Message,
    Operator,
    GuardKey,
    Hash,
}

#[derive(DeriveIden)]
enum Draw {
    Table,
    OrderKey,
    SpendSeq,
    ExpiresAt,
    AccountId,
    Drawn,
    Returned,
}

#[derive(DeriveIden)]
#[expect(clippy::enum_variant_names, reason = "the columns' names")]
enum Reference {
    Table,
    ReferenceKey,
    ContentKey,
    AccountId,
    Seq,
    BalanceAfter,
}

#[derive(DeriveIden)]
enum Counter {
    Table,
    Asset,
    Name,
    Balance,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let database = db.get_database_backend();
    db.execute(&kept(account(), database, true)).await?;
    for table in [lot(), entry(), draw(), reference(), counter()] {
        db.execute(&kept(table, database, false)).await?;
    }
    for index in indexes() {
        db.execute(&index).await?;
    }
    Ok(())
}

fn number(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}

fn name(name: impl IntoIden, length: u32) -> ColumnDef {
    ColumnDef::new(name)
        .string_len(length)
        .not_null()
        .to_owned()
}

fn bytes(name: impl IntoIden, length: u32) -> ColumnDef {
    ColumnDef::new(name)
        .binary_len(length)
        .not_null()
        .to_owned()
}

fn to_account(table: impl IntoIden, column: impl IntoIden) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(Account::Table, Account::Id)
        .to_owned()
}

fn account() -> TableCreateStatement {
    Table::create()
        .table(Account::Table)
        .col(
            ColumnDef::new(Account::Id)
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(name(Account::Asset, 16))
        .col(name(Account::Owner, 260))
        .col(number(Account::Balance))
        .col(number(Account::LastSeq))
        .col(number(Account::IncomeSeq))
        .col(number(Account::LastAt))
        .col(ColumnDef::new(Account::NextExpiry).big_integer().null())
        .col(bytes(Account::Head, 32))
        .check(Expr::col(Account::Balance).gte(0))
        .check(Expr::col(Account::IncomeSeq).lte(Expr::col(Account::LastSeq)))
        .to_owned()
}

fn lot() -> TableCreateStatement {
    Table::create()
        .table(Lot::Table)
        .col(number(Lot::AccountId))
        .col(number(Lot::ExpiresAt))
        .col(number(Lot::Remaining))
        .primary_key(Index::create().col(Lot::AccountId).col(Lot::ExpiresAt))
        .foreign_key(&mut to_account(Lot::Table, Lot::AccountId))
        .check(Expr::col(Lot::Remaining).gte(0))
        .to_owned()
}

fn entry() -> TableCreateStatement {
    Table::create()
        .table(Entry::Table)
        .col(number(Entry::AccountId))
        .col(number(Entry::Seq))
        .col(number(Entry::At))
        .col(number(Entry::Kind))
        .col(number(Entry::Amount))
        .col(number(Entry::BalanceAfter))
        .col(name(Entry::Counter, 16))
        .col(number(Entry::Direction))
        .col(number(Entry::DirectionSeq))
        .col(ColumnDef::new(Entry::Reference).string_len(128).null())
        .col(ColumnDef::new(Entry::Message).string_len(255).null())
        .col(ColumnDef::new(Entry::Operator).big_integer().null())
        .col(ColumnDef::new(Entry::GuardKey).binary_len(16).null())
        .col(bytes(Entry::Hash, 32))
        .primary_key(Index::create().col(Entry::AccountId).col(Entry::Seq))
        .foreign_key(&mut to_account(Entry::Table, Entry::AccountId))
        .check(Expr::col(Entry::Amount).ne(0))
        .check(Expr::col(Entry::BalanceAfter).gte(0))
        .check(Expr::col(Entry::Seq).gte(1))
        .check(Expr::col(Entry::Direction).is_in([1, 2]))
        .to_owned()
}

fn draw() -> TableCreateStatement {
    Table::create()
        .table(Draw::Table)
        .col(bytes(Draw::OrderKey, 16))
        .col(number(Draw::SpendSeq))
        .col(number(Draw::ExpiresAt))
        .col(number(Draw::AccountId))
        .col(number(Draw::Drawn))
        .col(number(Draw::Returned))
        .primary_key(
            Index::create()
                .col(Draw::OrderKey)
                .col(Draw::SpendSeq)
                .col(Draw::ExpiresAt),
        )
        .foreign_key(&mut to_account(Draw::Table, Draw::AccountId))
        .check(Expr::col(Draw::Drawn).gt(0))
        .check(Expr::col(Draw::Returned).gte(0))
        .check(Expr::col(Draw::Returned).lte(Expr::col(Draw::Drawn)))
        .to_owned()
}

fn reference() -> TableCreateStatement {
    Table::create()
        .table(Reference::Table)
        .col(bytes(Reference::ReferenceKey, 16))
        .col(bytes(Reference::ContentKey, 16))
        .col(number(Reference::AccountId))
        .col(number(Reference::Seq))
        .col(number(Reference::BalanceAfter))
        .primary_key(Index::create().col(Reference::ReferenceKey))
        .foreign_key(&mut to_account(Reference::Table, Reference::AccountId))
        .to_owned()
}

fn counter() -> TableCreateStatement {
    Table::create()
        .table(Counter::Table)
        .col(name(Counter::Asset, 16))
        .col(name(Counter::Name, 16))
        .col(number(Counter::Balance))
        .primary_key(Index::create().col(Counter::Asset).col(Counter::Name))
        .to_owned()
}

fn indexes() -> [IndexCreateStatement; 3] {
    [
        Index::create()
            .name("account_owner")
            .table(Account::Table)
            .col(Account::Owner)
            .col(Account::Asset)
            .unique()
            .to_owned(),
        // Finds the accounts to expire.
        Index::create()
            .name("account_next_expiry")
            .table(Account::Table)
            .col(Account::NextExpiry)
            .to_owned(),
        // Finds a page of income or of expenses without counting.
        Index::create()
            .name("entry_direction")
            .table(Entry::Table)
            .col(Entry::AccountId)
            .col(Entry::Direction)
            .col(Entry::DirectionSeq)
            .unique()
            .to_owned(),
    ]
}
