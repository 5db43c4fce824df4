//! The message broker in a program that was built without the feature `amqp`: the configuration refuses `amqp.url`, so there is
//! never a consumer to run.

use std::sync::Arc;
use std::time::Duration;

use crate::config;
use crate::gateway::dialect::{Dialect, Sent};
use crate::gateway::registry::Registry;

/// A consumer, which does not exist.
pub enum RunningConsumer {}

/// Starts nothing.
pub fn start(
    _: &config::Amqp,
    _: Arc<dyn Dialect<Caller = Sent>>,
    _: Arc<Registry<Sent>>,
    _: Duration,
) -> Option<RunningConsumer> {
    None
}

impl RunningConsumer {
    /// Never runs.
    pub async fn stop(self) {
        match self {}
    }
}
