//! The services that endpoints share, built once: the ledger, the members and coins in it, the clock, the metrics.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::registry::Registry as Metrics;

use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::{Ledger, Settings};
use crate::members::Members;
use crate::points::EXPIRED;
use crate::points::coins::Coins;

/// The services of a running server.
pub struct Services {
    /// The shop's coins, with the ledger of all points.
    pub coins: Arc<Coins>,
    /// The members, in the ledger's database.
    pub members: Members,
    /// The source of the time, which tests control.
    pub clock: Clock,
    /// The limit on the time of one call: `server.request_timeout`.
    pub timeout: Duration,
    metrics: Mutex<Metrics>,
}

impl Services {
    /// Builds the services over a ledger, by the configuration.
    pub fn new(ledger: Ledger, config: &Config, clock: Clock) -> Services {
        Services {
            members: Members::new(ledger.clone()),
            coins: Arc::new(Coins::new(ledger, config)),
            clock,
            timeout: config.server.request_timeout,
            metrics: Mutex::default(),
        }
    }

    /// Locks the metrics registry, to register metrics or to write them out.
    pub fn metrics(&self) -> MutexGuard<'_, Metrics> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The settings of the ledger, from `[ledger]`.
pub fn ledger_settings(config: &Config) -> Settings {
    Settings {
        queue: config.ledger.queue,
        batch: config.ledger.batch,
        writers: config.ledger.writers,
        expiry_reason: EXPIRED,
    }
}
