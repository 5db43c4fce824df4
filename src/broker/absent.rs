//! The message broker in a program that was built without the feature `amqp`: the configuration refuses `amqp.url`, so there is
//! never a consumer to run.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config;
use crate::gateway::endpoint::Dispatch;

/// A consumer, which does not exist.
pub enum RunningConsumer {}

/// Starts nothing.
pub fn start(_: &config::Amqp, _: Arc<dyn Dispatch>, _: Clock) -> Option<RunningConsumer> {
    None
}

impl RunningConsumer {
    /// Never runs.
    pub async fn stop(self) {
        match self {}
    }
}
