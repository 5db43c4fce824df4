//! Members: their names, profiles and actions, and the second names of owners (`alias`).

use sea_orm::sea_query::*;
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbErr, DeriveIden};

use crate::{kept, required, text};

#[derive(DeriveIden)]
enum Alias {
    Table,
    Name,
    Owner,
}

#[derive(DeriveIden)]
enum Member {
    Table,
    Id,
    Uid,
    UserKey,
    Nickname,
    Phone,
    Avatar,
    RealName,
    Sex,
    Birthday,
    Qq,
    Signature,
}

#[derive(DeriveIden)]
#[expect(clippy::enum_variant_names, reason = "the columns' names")]
enum Action {
    Table,
    Id,
    ActionKey,
    Token,
    Owner,
    Name,
    Other,
    Object,
    At,
    Scored,
    Answer,
}

pub(crate) async fn up(db: &DatabaseExecutor<'_>) -> Result<(), DbErr> {
    let database = db.get_database_backend();
    db.execute(&kept(alias(), database, false)).await?;
    db.execute(&kept(member(), database, true)).await?;
    db.execute(&kept(action(), database, true)).await?;
    for index in indexes() {
        db.execute(&index).await?;
    }
    Ok(())
}

fn id(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name)
        .big_integer()
        .not_null()
        .auto_increment()
        .primary_key()
        .to_owned()
}

fn alias() -> TableCreateStatement {
    Table::create()
        .table(Alias::Table)
        .col(required(Alias::Name, 260).primary_key())
        .col(required(Alias::Owner, 260))
        .to_owned()
}

fn member() -> TableCreateStatement {
    Table::create()
        .table(Member::Table)
        .col(id(Member::Id))
        .col(ColumnDef::new(Member::Uid).big_integer().null())
        .col(text(Member::UserKey, 255))
        .col(text(Member::Nickname, 255))
        .col(text(Member::Phone, 255))
        .col(text(Member::Avatar, 1024))
        .col(text(Member::RealName, 255))
        .col(ColumnDef::new(Member::Sex).big_integer().null())
        .col(ColumnDef::new(Member::Birthday).big_integer().null())
        .col(text(Member::Qq, 255))
        .col(text(Member::Signature, 1024))
        .check(Expr::col(Member::Uid).gt(0))
        .to_owned()
}

fn action() -> TableCreateStatement {
    Table::create()
        .table(Action::Table)
        .col(id(Action::Id))
        .col(ColumnDef::new(Action::ActionKey).binary_len(16).not_null())
        .col(required(Action::Token, 255))
        .col(required(Action::Owner, 260))
        .col(required(Action::Name, 255))
        .col(text(Action::Other, 260))
        .col(text(Action::Object, 255))
        .col(ColumnDef::new(Action::At).big_integer().not_null())
        .col(ColumnDef::new(Action::Scored).big_integer().not_null())
        .col(ColumnDef::new(Action::Answer).text().not_null())
        .check(Expr::col(Action::Scored).is_in([0, 1]))
        .to_owned()
}

fn indexes() -> [IndexCreateStatement; 4] {
    [
        Index::create()
            .name("member_uid")
            .table(Member::Table)
            .col(Member::Uid)
            .unique()
            .to_owned(),
        Index::create()
            .name("member_user_key")
            .table(Member::Table)
            .col(Member::UserKey)
            .unique()
            .to_owned(),
        // Records an action once.
        Index::create()
            .name("action_key")
            .table(Action::Table)
            .col(Action::ActionKey)
            .unique()
            .to_owned(),
        // Counts a member's actions of a day.
        Index::create()
            .name("action_owner")
            .table(Action::Table)
            .col(Action::Owner)
            .col(Action::Name)
            .col(Action::At)
            .to_owned(),
    ]
}
