//! `broadcast.passport.user_profile_changed`: what is told of a member is set, the rest stays.

use std::sync::Arc;

use serde::Serialize;

use super::values::{Birthday, Sex, UserKey};
use super::{NO_USER_KEY, Status, once};
use crate::gateway::dialect::Sent;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::params::{Decimal, Text};
use crate::members::{Name, ProfileChange};
use crate::params;

/// The method.
pub struct ProfileChanged(pub Arc<Status>);

params! {
    /// What it takes.
    pub struct Params {
        /// the member
        user_key: UserKey = required("user_key", NO_USER_KEY),
        /// the address of a picture
        avatar_url: Option<Text<1024>> = may("avatar_url", None),
        /// sex
        sex_type: Option<Sex> = may("sex_type", None),
        /// height (cm)
        height: Option<Decimal> = may("height", None),
        /// weight at the beginning (kg)
        begin_weight: Option<Decimal> = may("begin_weight", None),
        /// what the person is called
        user_name: Option<Text<255>> = may("user_name", None),
        /// a line about oneself
        description: Option<Text<1024>> = may("description", None),
        /// birthday
        birthday: Option<Birthday> = may("birthday", None),
        /// where they live
        location: Option<Text<255>> = may("location", None),
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
pub struct Reply {
    user_key: String,
}

impl Method for ProfileChanged {
    const NAME: &'static str = "broadcast.passport.user_profile_changed";
    const SUMMARY: &'static str = "what is told of a member is set";
    const EXAMPLE: &'static str = "user_key=bfefda8d-f63d-4d56-b1f9-d022062c290d&user_name=nice&sex_type=2&birthday=1990-01-31";
    const MESSAGE: &'static str = "ok";
    type Caller = Sent;
    type Params = Params;
    type Reply = Reply;

    async fn call(&self, params: Params, sent: Sent) -> Result<Reply, CallError> {
        let Text(user_key) = params.user_key;
        let coins = &self.0.coins;
        let change = ProfileChange {
            nickname: params.user_name.map(|Text(text)| text),
            avatar: params.avatar_url.map(|Text(text)| text),
            sex: params.sex_type.map(|Sex(sex)| sex),
            birthday: params.birthday.and_then(|birthday| match birthday {
                Birthday::At(at) => Some(at),
                Birthday::Day(day) => coins.start_of(day).map(|at| at.div_euclid(1000)),
            }),
            signature: params.description.map(|Text(text)| text),
            location: params.location.map(|Text(text)| text),
            height: params.height.map(|Decimal(number)| number),
            begin_weight: params.begin_weight.map(|Decimal(number)| number),
        };
        let name = Name::Key(user_key.clone());
        let once = once(Self::NAME, &sent);
        self.0.members.set_profile(&name, change, once).await?;
        Ok(Reply { user_key })
    }
}
