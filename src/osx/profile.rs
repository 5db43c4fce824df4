//! The profile of a member for the platform: the document's `userInfo` without the scores.

use serde::Serialize;

use crate::members::Member;

/// A member's profile. The platform overwrites its own fields with these, so unknown fields are left out.
#[derive(Debug, Default, Serialize)]
pub struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    real_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sex: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthday: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qq: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

impl From<Member> for Profile {
    fn from(member: Member) -> Profile {
        let Member {
            id: _,
            uid: _,
            user_key: _,
            nickname,
            phone,
            avatar,
            real_name,
            sex,
            birthday,
            qq,
            signature,
            location: _,
            height: _,
            begin_weight: _,
            light_until: _,
        } = member;
        Profile {
            nickname,
            phone,
            avatar,
            real_name,
            sex,
            birthday,
            qq,
            signature,
        }
    }
}
