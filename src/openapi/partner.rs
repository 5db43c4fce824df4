//! A partner: its permissions and secrets, and metrics that show when a partner no longer uses its previous secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;

use super::signature::{SignedEnvelope, read_token};
use crate::config::{self, Secret, SignedFields};
use crate::gateway::permissions::Permissions;
use crate::points::permissions;

/// The shortest time between two log lines about the secret in use (ms).
const LOG_INTERVAL: i64 = 60_000;

/// A partner of the configuration, ready to verify Tokens.
pub struct AuthorisedPartner {
    pub open_id: String,
    pub grant_code: Secret,
    pub sign: SignedFields,
    pub permissions: Arc<Permissions>,
    secrets: Vec<CountedSecret>,
}

/// A secret with its metrics.
struct CountedSecret {
    secret: Secret,
    /// `current` or `previous`.
    name: &'static str,
    uses: Counter,
    last_used: Gauge,
    logged_at: AtomicI64,
}

/// The labels of both metrics.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SecretLabels {
    partner: String,
    secret: &'static str,
}

/// The metrics of all partners' secrets.
pub struct SecretMetrics {
    uses: Family<SecretLabels, Counter>,
    last_used: Family<SecretLabels, Gauge>,
}

impl SecretMetrics {
    /// Registers the metrics.
    pub fn register(metrics: &mut Metrics) -> SecretMetrics {
        let (uses, last_used) = (Family::default(), Family::default());
        let help = "Requests that a partner signed with this secret, since the start";
        metrics.register("pointgate_partner_secret_uses", help, uses.clone());
        let help = "When a partner last signed with this secret, in seconds since 1970 UTC; 0 = not since the start";
        let name = "pointgate_partner_secret_last_used_timestamp_seconds";
        metrics.register(name, help, last_used.clone());
        SecretMetrics { uses, last_used }
    }

    fn counted(&self, partner: &str, secret: &Secret, name: &'static str) -> CountedSecret {
        let labels = SecretLabels {
            partner: partner.to_owned(),
            secret: name,
        };
        CountedSecret {
            secret: secret.clone(),
            name,
            uses: self.uses.get_or_create(&labels).clone(),
            last_used: self.last_used.get_or_create(&labels).clone(),
            logged_at: AtomicI64::new(i64::MIN),
        }
    }
}

impl AuthorisedPartner {
    /// Takes a partner of the configuration.
    pub fn new(config: &config::Partner, metrics: &SecretMetrics) -> AuthorisedPartner {
        let open_id = &config.open_id;
        let mut secrets = vec![metrics.counted(open_id, &config.secret, "current")];
        if let Some(previous) = &config.previous_secret {
            secrets.push(metrics.counted(open_id, previous, "previous"));
        }
        AuthorisedPartner {
            open_id: open_id.clone(),
            grant_code: config.grant_code.clone(),
            sign: config.sign,
            permissions: permissions(&config.allow, &config.limits),
            secrets,
        }
    }

    /// Verifies a Token. Returns the name of the secret that made it, `current` or `previous`,
    /// and counts its use; `None` if no secret made it.
    pub fn verify(
        &self,
        signed: &SignedEnvelope<'_>,
        token: &str,
        now: i64,
    ) -> Option<&'static str> {
        let token = read_token(token)?;
        // Try every secret, so that the time does not reveal which one matched.
        let mut found = None;
        for candidate in &self.secrets {
            if signed.sign(&candidate.secret).is(&token) {
                found = found.or(Some(candidate));
            }
        }
        let used = found?;
        used.uses.inc();
        used.last_used.set(now / 1000);
        if self.secrets.len() > 1 {
            self.log_use(used, now);
        }
        Some(used.name)
    }

    /// Logs the secret in use of a partner that has two, at most once a minute.
    fn log_use(&self, used: &CountedSecret, now: i64) {
        let logged_at = used.logged_at.load(Ordering::Relaxed);
        if now < logged_at.saturating_add(LOG_INTERVAL) {
            return;
        }
        let ours =
            used.logged_at
                .compare_exchange(logged_at, now, Ordering::Relaxed, Ordering::Relaxed);
        if ours.is_ok() {
            log::info!(
                "partner {} signs with its {} secret, {} requests since the start",
                self.open_id,
                used.name,
                used.uses.get()
            );
        }
    }
}
