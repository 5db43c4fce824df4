//! A partner: its permissions and secrets.

use std::sync::Arc;

use super::NAME;
use super::signature::{SignedEnvelope, read_token};
use crate::config::{self, Secret, SignedFields};
use crate::gateway::keys::{CallerKeys, KeyRegister};
use crate::gateway::permissions::Permissions;
use crate::points::permissions;

/// A partner of the configuration, ready to verify Tokens.
pub struct AuthorisedPartner {
    pub open_id: String,
    pub grant_code: Secret,
    pub sign: SignedFields,
    pub permissions: Arc<Permissions>,
    secrets: CallerKeys<Secret>,
}

impl AuthorisedPartner {
    /// Takes a partner of the configuration.
    pub fn new(config: &config::Partner, register: &KeyRegister) -> AuthorisedPartner {
        let open_id = &config.open_id;
        let secrets = [&config.secret].into_iter().chain(&config.previous_secret);
        AuthorisedPartner {
            open_id: open_id.clone(),
            grant_code: config.grant_code.clone(),
            sign: config.sign,
            permissions: permissions(&config.allow, &config.limits),
            secrets: register.keys(NAME, open_id, secrets.cloned(), Secret::bytes),
        }
    }

    /// Verifies a Token. Returns the name of the secret that made it, and counts its use at `now` (ms since 1970 UTC); `None` if no
    /// secret made it.
    pub fn verify(
        &self,
        signed: &SignedEnvelope<'_>,
        token: &str,
        now: i64,
    ) -> Option<&'static str> {
        let token = read_token(token)?;
        self.secrets
            .find(now, |secret| signed.sign(secret).is(&token))
    }
}
