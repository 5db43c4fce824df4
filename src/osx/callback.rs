//! The canonical list of a callback's parameters. `sign` is verified over it, and the method reads its parameters from it alone.
//!
//! `sign` covers values without separators, so digits can move between neighbouring values, for example from `user_token` to
//! `to_user_token`, and the signature stays valid. Therefore one `sign` has one reading: the ledger keeps the first one until the
//! `endtimestamp` has passed, in the same transaction as the action.

use super::signature::sign;
use super::{PARAMETERS, invalid};
use crate::config::Secret;
use crate::gateway::fault::Fault;
use crate::gateway::keys::CallerKeys;
use crate::gateway::parameters::{Pair, Parameters};
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::Nonce;
use crate::points::keys::KeySpace;
use crate::sign::same;

/// The parameters of a callback that the signature may cover, each name once: the first value counts.
pub struct Callback<'a> {
    path: &'a str,
    /// The given ones of the platform's own parameters, except `sign`, in the order of [`PARAMETERS`].
    known: Vec<(&'static str, Pair<'a>)>,
    /// The given ones of `osx.callback_parameters`.
    callback: Vec<Pair<'a>>,
    /// The signature in lower case.
    sign: String,
}

impl<'a> Callback<'a> {
    /// Takes what a signature for this path may cover out of the received parameters.
    pub fn of(path: &'a str, sent: &[Pair<'a>], callback_parameters: &[String]) -> Callback<'a> {
        let first = |name: &str| sent.iter().find(|(given, _)| given == name).cloned();
        let known = PARAMETERS.iter().find(|(known, _)| *known == path);
        let known = known.map_or(&[][..], |(_, names)| names).iter();
        let callback = callback_parameters.iter();
        let sign = first("sign").map(|(_, sign)| sign.to_ascii_lowercase());
        Callback {
            path,
            known: known
                .filter_map(|&name| Some((name, first(name)?)))
                .collect(),
            callback: callback.filter_map(|name| first(name)).collect(),
            sign: sign.unwrap_or_default(),
        }
    }

    /// The value of one of the platform's own parameters; `""` if it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.pairs()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    /// The name of the key that made `sign`, over the platform's own parameters alone or with those of `osx.callback_parameters`;
    /// `None` if neither did. Its use at `now` (ms since 1970 UTC) is counted.
    pub fn key_of(&self, secrets: &CallerKeys<Secret>, now: i64) -> Option<&'static str> {
        secrets.find(now, |secret| self.is_signed(secret))
    }

    /// Whether `sign` covers the platform's own parameters, alone or with those of `osx.callback_parameters`.
    fn is_signed(&self, secret: &Secret) -> bool {
        let covers_own = same(&sign(self.pairs(), secret), &self.sign);
        if self.callback.is_empty() {
            return covers_own;
        }
        let callback = self.callback.iter();
        let callback = callback.map(|(name, value)| (&**name, &**value));
        covers_own | same(&sign(self.pairs().chain(callback), secret), &self.sign)
    }

    /// The nonce that the signature spends. Only a request with the same path and the same values may repeat it. `expires_at` is the
    /// end of its validity (ms).
    pub fn nonce(&self, expires_at: i64) -> Nonce {
        let reading = self.pairs().flat_map(|(name, value)| [name, value]);
        Nonce {
            at: expires_at,
            key: KeySpace::CommunitySign.key(&[&self.sign]),
            fingerprint: Some(Key::of(
                &[self.path].into_iter().chain(reading).collect::<Vec<_>>(),
            )),
        }
    }

    /// The parameters that a method reads.
    ///
    /// # Errors
    /// Returns a fault for an empty value: its neighbours in the signed text could have its digits.
    pub fn into_parameters(self) -> Result<Parameters<'a>, Fault> {
        let empty = self.pairs().find(|(_, value)| value.is_empty());
        match empty {
            Some((name, _)) => Err(invalid("缺少参数", name)),
            None => Ok(self.known.into_iter().map(|(_, pair)| pair).collect()),
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.known
            .iter()
            .map(|(name, (_, value))| (*name, &**value))
    }
}

#[cfg(test)]
mod tests;
