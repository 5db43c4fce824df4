//! The message broker: consumes messages as calls of typed methods, and reconnects for as long as the program runs.
//!
//! ```text
//! connection.rs   connects, declares and consumes, until the connection ends
//! socket.rs       the socket to the broker, plain or under TLS
//! workers.rs      key-ordered workers: messages in parallel, those of one user in order
//! work.rs         a message → a call of its method
//! session.rs      settles messages while their connection lives: acknowledges, dead-letters, waits
//! backoff.rs      how long to wait before the next attempt
//! ```
//!
//! The consumer acknowledges a message once its method has succeeded, or once the broker has confirmed its dead letter. Until then
//! the message stays with the broker, which redelivers it in its place when the connection is lost; idempotency keys make that
//! harmless.

mod backoff;
mod connection;
mod session;
mod socket;
mod work;
mod workers;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::{self, Secret};
use crate::gateway::endpoint::Dispatch;
use backoff::Backoff;
use connection::Connection;
use work::Work;
use workers::Workers;

/// The longest pause between two attempts to connect.
const RECONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a stop may take; the broker redelivers messages that are still in work after that.
const STOP_WITHIN: Duration = Duration::from_secs(6);

/// A consumer in the background, connected or not.
pub struct RunningConsumer {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Starts consuming in the background, and calls `methods` for messages; `None` if no broker is configured.
pub fn start(
    config: &config::Amqp,
    methods: Arc<dyn Dispatch>,
    clock: Clock,
) -> Option<RunningConsumer> {
    let url = config.url.clone()?;
    let (stop, stopping) = watch::channel(false);
    let workers = Workers::start(Work::new(methods, &config.queue, clock));
    let task = tokio::spawn(run(config.clone(), url, workers, stopping));
    Some(RunningConsumer { stop, task })
}

impl RunningConsumer {
    /// Takes no more messages, finishes those in work within `STOP_WITHIN`, and disconnects.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(STOP_WITHIN, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
            log::warn!(
                "some messages were not finished within {STOP_WITHIN:?}; the broker redelivers them"
            );
        }
    }
}

async fn run(
    config: config::Amqp,
    url: Secret,
    workers: Workers,
    mut stopping: watch::Receiver<bool>,
) {
    let mut backoff = Backoff::up_to(RECONNECT_WITHIN);
    loop {
        let begun = Instant::now();
        let opened = tokio::select! {
            biased;
            () = stopped(&mut stopping) => return,
            opened = caught(Connection::open(&config, &url)) => opened.and_then(|opened| opened),
        };
        match opened {
            Ok(mut connection) => {
                log::info!("connected to the broker: queue {}", config.queue);
                let fed = caught(connection.feed(&workers, &mut stopping)).await;
                match fed.unwrap_or_else(Some) {
                    None => return connection.finish(workers).await,
                    Some(why) => {
                        log::warn!("lost the broker: {why}");
                        connection.close().await;
                    }
                }
            }
            Err(why) => log::warn!("cannot reach the broker: {why}"),
        }
        if begun.elapsed() > RECONNECT_WITHIN {
            backoff.restart();
        }
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => return,
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}

/// Turns a panic into an error, so that the consumer connects again.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let caught = AssertUnwindSafe(future).catch_unwind().await;
    caught.map_err(|_| "the consumer panicked".to_owned())
}

/// Returns once a stop is requested.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the handle is gone, and with it whoever could wait for this.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
