//! A partner: what it may do, its secrets, and which of them it uses, so that an operator knows when an old one can go.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;

use super::signature::Signed;
use crate::config::{self, Secret, Sign};
use crate::sign::{form_encode, same};

/// How often the log says again which secret is used (ms).
const SAY_AGAIN: i64 = 60_000;

/// A partner of the configuration.
pub struct Partner {
    pub open_id: String,
    pub grant_code: Secret,
    pub sign: Sign,
    pub allow: HashSet<String>,
    secrets: Vec<Key>,
}

/// One of its secrets.
struct Key {
    secret: Secret,
    which: &'static str,
    uses: Counter,
    last: Gauge,
    said: AtomicI64,
}

/// Which secret of which partner.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Which {
    partner: String,
    secret: &'static str,
}

/// The metrics of all partners' secrets.
pub struct SecretMetrics {
    uses: Family<Which, Counter>,
    last: Family<Which, Gauge>,
}

impl SecretMetrics {
    /// Adds them to the others.
    pub fn register(metrics: &mut Metrics) -> SecretMetrics {
        let (uses, last) = (Family::default(), Family::default());
        let help = "Requests that a partner signed with this secret, since the start";
        metrics.register("pointgate_partner_secret_uses", help, uses.clone());
        let help = "When a partner last signed with this secret, in seconds since 1970 UTC; 0 = not since the start";
        let name = "pointgate_partner_secret_last_used_timestamp_seconds";
        metrics.register(name, help, last.clone());
        SecretMetrics { uses, last }
    }

    fn key(&self, partner: &str, secret: &Secret, which: &'static str) -> Key {
        let labels = Which {
            partner: partner.to_owned(),
            secret: which,
        };
        Key {
            secret: secret.clone(),
            which,
            uses: self.uses.get_or_create(&labels).clone(),
            last: self.last.get_or_create(&labels).clone(),
            said: AtomicI64::new(i64::MIN),
        }
    }
}

impl Partner {
    /// As it is configured, with its secrets counted.
    pub fn new(config: &config::Partner, metrics: &SecretMetrics) -> Partner {
        let open_id = &config.open_id;
        let mut secrets = vec![metrics.key(open_id, &config.secret, "current")];
        if let Some(previous) = &config.previous_secret {
            secrets.push(metrics.key(open_id, previous, "previous"));
        }
        Partner {
            open_id: open_id.clone(),
            grant_code: config.grant_code.clone(),
            sign: config.sign,
            allow: config.allow.iter().cloned().collect(),
            secrets,
        }
    }

    /// Whether a Token is one of this partner's, with or without its last encoding; counts the secret that it was made
    /// with.
    pub fn accepts(&self, signed: &Signed<'_>, token: &str, now: i64) -> bool {
        // Each is tried, so that the time does not tell which one was right.
        let mut found = None;
        for key in &self.secrets {
            let good = signed.token(&key.secret);
            if same(&good, token) | same(&form_encode(&good), token) {
                found = found.or(Some(key));
            }
        }
        if let Some(key) = found {
            key.uses.inc();
            key.last.set(now / 1000);
            if self.secrets.len() > 1 {
                self.say(key, now);
            }
        }
        found.is_some()
    }

    /// Says in the log, now and then, which of two secrets is used.
    fn say(&self, key: &Key, now: i64) {
        let said = key.said.load(Ordering::Relaxed);
        if now < said.saturating_add(SAY_AGAIN) {
            return;
        }
        let ours = key
            .said
            .compare_exchange(said, now, Ordering::Relaxed, Ordering::Relaxed);
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
