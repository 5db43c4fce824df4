//! A member: the names of a person, and what is known of them beside points.

use sea_orm::entity::prelude::*;

/// A person; unknown values are null.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "member")]
pub struct Model {
    /// The database gives it.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The shop's number.
    pub uid: Option<i64>,
    /// The name in the community and on the health platform.
    pub user_key: Option<String>,
    /// The displayed name.
    pub nickname: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// The address of a picture.
    pub avatar: Option<String>,
    /// The legal name.
    pub real_name: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    pub sex: Option<i64>,
    /// Seconds since 1970 UTC.
    pub birthday: Option<i64>,
    /// QQ number.
    pub qq: Option<String>,
    /// A line about oneself.
    pub signature: Option<String>,
    /// The place of residence.
    pub location: Option<String>,
    /// Height (cm), as received.
    pub height: Option<String>,
    /// Weight at the beginning (kg), as received.
    pub begin_weight: Option<String>,
    /// The time until which the avatar is lit (ms).
    pub light_until: Option<i64>,
}

/// The ORM joins nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
