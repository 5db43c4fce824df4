//! A member: the names of a person and what is known of them beside points.

use sea_orm::entity::prelude::*;

/// A person. What is not known is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "member")]
pub struct Model {
    /// Given by the database.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The shop's number.
    pub uid: Option<i64>,
    /// The community's and the health platform's name.
    pub user_key: Option<String>,
    /// What the person is called.
    pub nickname: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// The address of a picture.
    pub avatar: Option<String>,
    /// The name by birth.
    pub real_name: Option<String>,
    /// 0 not told, 1 male, 2 female.
    pub sex: Option<i64>,
    /// Seconds since 1970 UTC.
    pub birthday: Option<i64>,
    /// QQ number.
    pub qq: Option<String>,
    /// A line about oneself.
    pub signature: Option<String>,
    /// Where they live.
    pub location: Option<String>,
    /// Height (cm), as it was told.
    pub height: Option<String>,
    /// Weight at the beginning (kg), as it was told.
    pub begin_weight: Option<String>,
    /// Until when the avatar is lit (ms).
    pub light_until: Option<i64>,
}

/// Nothing is joined through the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
