//! `broadcast.passport.user_profile_changed`: sets the present fields of a member's profile and keeps the others.

use serde::Serialize;

use super::values::{Birthday, ProfileText, Sex, UserKey, or_empty};
use super::{MemberStatus, NO_USER_KEY, message_key};
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::value::{Decimal, OrEmpty, Text};
use crate::members::{MemberName, ProfileChange};
use crate::params;

/// `broadcast.passport.user_profile_changed`.
pub struct ProfileChanged;

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the member
        user_key: UserKey = required or NO_USER_KEY,
        /// address of the avatar's image; empty clears it
        avatar_url: Option<OrEmpty<Text<1024>>> = optional(None),
        /// 0 unknown, 1 male, 2 female
        sex_type: Option<Sex> = optional(None),
        /// height (cm)
        height: Option<Decimal> = optional(None),
        /// weight at the start of training (kg)
        begin_weight: Option<Decimal> = optional(None),
        /// the displayed nickname
        user_name: Option<ProfileText<255>> = optional(None),
        /// the member's text about themselves; empty clears it
        description: Option<OrEmpty<ProfileText<1024>>> = optional(None),
        /// a date, or seconds since 1970
        birthday: Option<Birthday> = optional(None),
        /// place of residence; empty clears it
        location: Option<OrEmpty<ProfileText<255>>> = optional(None),
    }
}

/// Confirms whose profile changed.
#[derive(Debug, Serialize)]
pub struct Reply {
    user_key: String,
}

impl Method for ProfileChanged {
    const NAME: &'static str = "broadcast.passport.user_profile_changed";
    const SUMMARY: &'static str = "set the present fields of a member's profile";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&user_name=nice&sex_type=2&birthday=1990-01-31";
    const MESSAGE: &'static str = "ok";
    const SKIPS_UNREADABLE: bool = true;
    type State = MemberStatus;
    type Details = Delivery;
    type Params = Params;
    type Reply = Reply;

    async fn call(
        status: &MemberStatus,
        params: Params,
        context: Context<Delivery>,
    ) -> Result<Reply, CallError> {
        let Text(user_key) = params.user_key;
        let coins = &status.coins;
        let change = ProfileChange {
            nickname: params.user_name.map(|ProfileText(text)| text),
            avatar: params.avatar_url.map(|url| or_empty(url, |Text(url)| url)),
            sex: params.sex_type.map(|Sex(sex)| sex),
            birthday: params.birthday.and_then(|birthday| match birthday {
                Birthday::At(at) => Some(at),
                Birthday::Day(day) => coins.calendar.start_of(day).map(|at| at.div_euclid(1000)),
            }),
            signature: params
                .description
                .map(|it| or_empty(it, |ProfileText(text)| text)),
            location: params
                .location
                .map(|it| or_empty(it, |ProfileText(text)| text)),
            height: params.height.map(|Decimal(number)| number),
            begin_weight: params.begin_weight.map(|Decimal(number)| number),
        };
        let name = MemberName::UserKey(user_key.clone());
        let key = message_key(Self::NAME, &context);
        status.members.set_profile(&name, change, key).await?;
        Ok(Reply { user_key })
    }
}
