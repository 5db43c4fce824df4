//! The community: who its users are among the members, and in what their scores are counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::invalid;
use super::profile::Profile;
use crate::config::{self, Rule, SCORES, UserToken};
use crate::gateway::fault::{CallError, Fault};
use crate::ledger::book::transaction::AccountKey;
use crate::members::{Members, Name};
use crate::points::coins::Coins;

/// The community platform, as it is configured.
pub struct Community {
    /// The coins' rules, which hold where a score is counted in coins.
    pub coins: Arc<Coins>,
    members: Members,
    user_token: UserToken,
    scores: [String; SCORES],
    rules: BTreeMap<String, Rule>,
}

impl Community {
    /// Over these members and coins.
    pub fn new(config: &config::Osx, coins: Arc<Coins>, members: Members) -> Community {
        Community {
            coins,
            members,
            user_token: config.user_token,
            scores: config.scores.clone(),
            rules: config.rules.clone(),
        }
    }

    /// The member of a token, which came as the parameter `parameter`.
    ///
    /// # Errors
    /// Where it can be nobody's.
    pub fn name(&self, token: &str, parameter: &str) -> Result<Name, Fault> {
        match self.user_token {
            UserToken::UserKey => Ok(Name::Key(token.to_owned())),
            UserToken::Uid => match token.parse() {
                Ok(uid) if uid > 0 => Ok(Name::Uid(uid)),
                _ => Err(invalid("参数格式不对:", parameter)),
            },
        }
    }

    /// What an action brings.
    pub fn rule(&self, action: &str) -> Option<&Rule> {
        self.rules.get(action)
    }

    /// The account of somebody's score, by its index from 0.
    pub fn account(&self, name: &Name, score: usize) -> AccountKey {
        AccountKey {
            owner: name.owner(),
            asset: self.scores[score].clone(),
        }
    }

    /// When points of a score that are earned at `now` expire (ms).
    pub fn expires_at(&self, score: usize, now: i64) -> i64 {
        self.coins.expiry_of(&self.scores[score], now)
    }

    /// What is known of somebody.
    ///
    /// # Errors
    /// A database that fails.
    pub async fn profile(&self, name: &Name) -> Result<Profile, CallError> {
        let member = self.members.find(name).await?;
        Ok(member.map_or_else(Profile::default, Profile::from))
    }
}
