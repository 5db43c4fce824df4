//! The profile of a member for the platform: the document's `userInfo` without the scores.

use serde::Serialize;

use crate::members::Member;

/// A member's profile. The platform overwrites its own fields with these, so unknown fields are left out, and a text that the
/// member has cleared is empty. Texts are cut to the lengths of the document; what means nothing when cut, an address or a number, is
/// left out if it is longer.
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
            nickname: nickname.map(|text| cut(&text, 25)),
            phone: phone.filter(|text| fits(text, 20)),
            avatar: avatar.filter(|text| fits(text, 255)),
            real_name: real_name.map(|text| cut(&text, 25)),
            sex,
            birthday: birthday.filter(|at| at.unsigned_abs() < 100_000_000_000),
            qq: qq.filter(|text| fits(text, 25)),
            signature: signature.map(|text| cut(&text, 100)),
        }
    }
}

/// The beginning of a text, on one line as the platform shows it: each line break or tab becomes a blank.
fn cut(text: &str, most: usize) -> String {
    let line = text.replace("\r\n", " ").replace(['\r', '\n', '\t'], " ");
    line.chars().take(most).collect()
}

/// Whether a value that means nothing without its end is within the document's length.
fn fits(text: &str, most: usize) -> bool {
    text.chars().nth(most).is_none()
}
