//! A partner: its permissions and secrets, and metrics that tell an operator when a previous secret is no longer used.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;

use super::signature::SignedEnvelope;
use crate::config::{self, Secret, SignedFields};
use crate::sign::{form_encode, same};

/// How often the log repeats which secret is in use (ms).
const LOG_AGAIN: i64 = 60_000;

/// A configured partner.
pub struct AuthorisedPartner {
    pub open_id: String,
    pub grant_code: Secret,
    pub sign: SignedFields,
    pub allow: HashSet<String>,
    secrets: Vec<CountedSecret>,
}

/// A secret with its counters.
struct CountedSecret {
    secret: Secret,
    which: &'static str,
    uses: Counter,
    last: Gauge,
    logged_at: AtomicI64,
}

/// The metrics' labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SecretLabels {
    partner: String,
    secret: &'static str,
}

/// Counts the uses of all partners' secrets.
pub struct SecretMetrics {
    uses: Family<SecretLabels, Counter>,
    last: Family<SecretLabels, Gauge>,
}

impl SecretMetrics {
    /// Registers the metrics.
    pub fn register(metrics: &mut Metrics) -> SecretMetrics {
        let (uses, last) = (Family::default(), Family::default());
        let help = "Requests that a partner signed with this secret, since the start";
        metrics.register("pointgate_partner_secret_uses", help, uses.clone());
        let help = "When a partner last signed with this secret, in seconds since 1970 UTC; 0 = not since the start";
        let name = "pointgate_partner_secret_last_used_timestamp_seconds";
        metrics.register(name, help, last.clone());
        SecretMetrics { uses, last }
    }

    fn key(&self, partner: &str, secret: &Secret, which: &'static str) -> CountedSecret {
        let labels = SecretLabels {
            partner: partner.to_owned(),
            secret: which,
        };
        CountedSecret {
            secret: secret.clone(),
            which,
            uses: self.uses.get_or_create(&labels).clone(),
            last: self.last.get_or_create(&labels).clone(),
            logged_at: AtomicI64::new(i64::MIN),
        }
    }
}

impl AuthorisedPartner {
    /// Takes a partner of the configuration.
    pub fn new(config: &config::Partner, metrics: &SecretMetrics) -> AuthorisedPartner {
        let open_id = &config.open_id;
        let mut secrets = vec![metrics.key(open_id, &config.secret, "current")];
        if let Some(previous) = &config.previous_secret {
            secrets.push(metrics.key(open_id, previous, "previous"));
        }
        AuthorisedPartner {
            open_id: open_id.clone(),
            grant_code: config.grant_code.clone(),
            sign: config.sign,
            allow: config.allow.iter().cloned().collect(),
            secrets,
        }
    }

    /// Verifies a Token, with or without its last encoding, and returns which secret it was made with: `current` or `previous`.
    /// Counts the use of that secret.
    pub fn verify(
        &self,
        signed: &SignedEnvelope<'_>,
        token: &str,
        now: i64,
    ) -> Option<&'static str> {
        // Every secret is tried, so that the time does not tell which one was right.
        let mut found = None;
        for key in &self.secrets {
            let good = signed.token(&key.secret);
            if same(&good, token) | same(&form_encode(&good), token) {
                found = found.or(Some(key));
            }
        }
        let key = found?;
        key.uses.inc();
        key.last.set(now / 1000);
        if self.secrets.len() > 1 {
            self.log_use(key, now);
        }
        Some(key.which)
    }

    /// Logs at most once a minute which of two secrets is in use.
    fn log_use(&self, key: &CountedSecret, now: i64) {
        let logged_at = key.logged_at.load(Ordering::Relaxed);
        if now < logged_at.saturating_add(LOG_AGAIN) {
            return;
        }
        let ours =
            key.logged_at
                .compare_exchange(logged_at, now, Ordering::Relaxed, Ordering::Relaxed);
        if ours.is_ok() {
            log::info!(
                "partner {} signs with its {} secret, {} requests since the start",
                self.open_id,
                key.which,
                key.uses.get()
            );
        }
    }
}
