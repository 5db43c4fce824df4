//! The message broker in a program without the feature `amqp`. The configuration rejects `amqp.url`, so no consumer ever runs.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config;
use crate::gateway::endpoint::Dispatch;
use crate::gateway::metrics::Metrics;

/// The handle of a consumer; it has no values, because none ever runs.
pub enum RunningConsumer {}

/// Starts no consumer.
pub fn start(
    _: &config::Amqp,
    _: Arc<dyn Dispatch>,
    _: Clock,
    _: &Metrics,
) -> Option<RunningConsumer> {
    None
}

impl RunningConsumer {
    /// Is never called.
    pub fn reload(&self, _: &config::Amqp, _: Arc<dyn Dispatch>) {
        match *self {}
    }

    /// Is never called.
    pub async fn stop(self) {
        match self {}
    }
}
