//! The community: maps its users to members, its scores to accounts, and its actions to rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex_lite::Regex;

use super::invalid;
use super::profile::Profile;
use crate::config::{self, Rule, SCORES, UserToken};
use crate::gateway::fault::{CallError, Fault};
use crate::ledger::book::transaction::AccountKey;
use crate::members::{MemberName, Members};
use crate::points::coins::Coins;

/// The community by the rules of `[osx]`.
pub struct Community {
    /// The coins, by whose rules a score counted in coins expires.
    pub coins: Arc<Coins>,
    members: Members,
    user_token: UserToken,
    user_token_pattern: Option<Regex>,
    scores: [String; SCORES],
    rules: BTreeMap<String, Rule>,
}

impl Community {
    /// Takes the rules of the configuration.
    pub fn new(config: &config::Osx, coins: Arc<Coins>, members: Members) -> Community {
        Community {
            coins,
            members,
            user_token: config.user_token,
            user_token_pattern: config.user_token_pattern.clone(),
            scores: config.scores.clone(),
            rules: config.rules.clone(),
        }
    }

    /// The member's name in a user token. Which of the two names it is, `osx.user_token` configures.
    ///
    /// # Errors
    /// Returns a fault that names `parameter` if the token does not match `osx.user_token_pattern`, or if it is not a uid although
    /// `osx.user_token` is `uid`.
    pub fn name(&self, token: &str, parameter: &str) -> Result<MemberName, Fault> {
        let pattern = self.user_token_pattern.as_ref();
        if pattern.is_some_and(|pattern| !pattern.is_match(token)) {
            return Err(invalid("参数格式不对:", parameter));
        }
        match self.user_token {
            UserToken::UserKey => Ok(MemberName::UserKey(token.to_owned())),
            UserToken::Uid => match token.parse() {
                Ok(uid) if uid > 0 => Ok(MemberName::Uid(uid)),
                _ => Err(invalid("参数格式不对:", parameter)),
            },
        }
    }

    /// The rule of an action; `None` = the action scores nothing.
    pub fn rule(&self, action: &str) -> Option<&Rule> {
        self.rules.get(action)
    }

    /// The account of a member's score, by its index from 0.
    pub fn account(&self, name: &MemberName, score: usize) -> AccountKey {
        AccountKey {
            owner: name.owner(),
            asset: self.scores[score].clone(),
        }
    }

    /// When points of a score that are earned at `now` expire (ms since 1970 UTC).
    pub fn expires_at(&self, score: usize, now: i64) -> i64 {
        self.coins.expiry_of(&self.scores[score], now)
    }

    /// A member's profile; empty for an unknown member.
    ///
    /// # Errors
    /// Returns [`CallError::Busy`] or [`CallError::Internal`] if the database does not answer.
    pub async fn profile(&self, name: &MemberName) -> Result<Profile, CallError> {
        let member = self.members.find(name).await?;
        Ok(member.map_or_else(Profile::default, Profile::from))
    }
}
