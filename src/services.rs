//! The services that endpoints share: the ledger, the members and coins in it, the clock, the metrics. A changed configuration
//! changes the rules of the coins; all else stays.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::keys::KeyRegister;
use crate::gateway::metrics::Metrics;
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
    /// The keys that prove callers, with the record of their use.
    pub keys: KeyRegister,
    /// What `/metrics` shows.
    pub metrics: Metrics,
}

impl Services {
    /// Builds the services over a ledger, by the configuration.
    pub fn new(ledger: Ledger, config: &Config, clock: Clock) -> Services {
        Services::counting(ledger, config, clock, Metrics::default())
    }

    fn counting(ledger: Ledger, config: &Config, clock: Clock, metrics: Metrics) -> Services {
        Services {
            members: Members::new(ledger.clone()),
            coins: Arc::new(Coins::new(ledger, config, &metrics)),
            clock,
            timeout: config.server.request_timeout,
            keys: KeyRegister::default(),
            metrics,
        }
    }

    /// The same services by the rules of another configuration.
    pub fn reconfigured(&self, config: &Config) -> Services {
        let (ledger, metrics) = (self.coins.ledger.clone(), self.metrics.clone());
        Services {
            keys: self.keys.clone(),
            ..Services::counting(ledger, config, self.clock.clone(), metrics)
        }
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
