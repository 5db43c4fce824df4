//! The rate of new connections.

use std::num::NonZeroU32;

use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Mutex;

use crate::gateway::metrics::Metrics;

/// Lets connections in at a rate. Further ones wait in the order of their arrival; `server.max_connections` bounds how many.
pub struct ConnectionRate {
    limiter: DefaultDirectRateLimiter,
    turn: Mutex<()>,
    delayed: Counter,
}

impl ConnectionRate {
    /// Lets in so many connections a second, and as many at once, and registers the metric of those that wait.
    pub fn new(per_second: NonZeroU32, metrics: &Metrics) -> ConnectionRate {
        let help = "Connections that waited because of server.max_connections_per_second";
        ConnectionRate {
            limiter: RateLimiter::direct(Quota::per_second(per_second)),
            turn: Mutex::new(()),
            delayed: metrics.metric("pointgate_connections_delayed", help),
        }
    }

    /// Waits until a new connection may be served.
    pub async fn admit(&self) {
        let _turn = self.turn.lock().await;
        let mut is_first = true;
        while let Err(later) = self.limiter.check() {
            if is_first {
                self.delayed.inc();
            }
            is_first = false;
            let now = self.limiter.clock().now();
            tokio::time::sleep(later.wait_time_from(now)).await;
        }
    }
}
