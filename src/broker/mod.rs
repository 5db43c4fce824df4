//! The message broker: consumes messages as calls of methods, and reconnects until the program stops.
//!
//! ```text
//! connection.rs   connects and consumes, until the connection ends
//! topology.rs     the exchange and the queues: looks for them, and declares what is missing
//! socket.rs       the socket to the broker, plain or with TLS
//! workers.rs      key-ordered workers: messages in parallel, those of one user in order
//! handler.rs      a message → a call of its method
//! session.rs      settles messages while their connection lives: acknowledges, dead-letters, waits
//! counter.rs      counts the settled messages for /metrics
//! backoff.rs      the pauses between attempts
//! ```
//!
//! The consumer acknowledges a message after its method has succeeded, or after the broker has confirmed its dead letter. Until
//! then the broker keeps the message and redelivers it in its old position after a lost connection. Idempotency keys make the
//! redelivery harmless.

mod backoff;
mod connection;
mod counter;
mod handler;
mod session;
mod socket;
mod topology;
mod workers;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::{self, Secret};
use crate::gateway::endpoint::Dispatch;
use crate::gateway::metrics::Metrics;
use backoff::Backoff;
use connection::Connection;
use counter::MessageCounter;
use handler::MessageHandler;
use workers::Workers;

/// The longest pause between two attempts to connect.
const MAX_RECONNECT_PAUSE: Duration = Duration::from_secs(10);
/// The time limit of a stop, after which the broker redelivers the unfinished messages.
const STOP_TIMEOUT: Duration = Duration::from_secs(6);

/// The handle of a consumer that runs in the background, connected or not.
pub struct RunningConsumer {
    handler: Arc<ArcSwap<MessageHandler>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Starts a consumer in the background, which calls `methods` for messages and counts them in `metrics`; `None` if no broker is
/// configured.
pub fn start(
    config: &config::Amqp,
    methods: Arc<dyn Dispatch>,
    clock: Clock,
    metrics: &Metrics,
) -> Option<RunningConsumer> {
    let url = config.url.clone()?;
    let (stop, stopping) = watch::channel(false);
    let handler = Arc::new(ArcSwap::from_pointee(MessageHandler::new(
        methods, config, clock,
    )));
    let workers = Workers::start(handler.clone(), MessageCounter::register(metrics));
    let help = "1 while messages are consumed from the broker, otherwise 0";
    let consuming = metrics.metric("pointgate_broker_consuming", help);
    let task = tokio::spawn(run(config.clone(), url, workers, consuming, stopping));
    Some(RunningConsumer {
        handler,
        stop,
        task,
    })
}

impl RunningConsumer {
    /// Calls `methods` from the next message on, by these rules. The connection, the queue and its bindings stay.
    pub fn reload(&self, config: &config::Amqp, methods: Arc<dyn Dispatch>) {
        let clock = self.handler.load().clock.clone();
        self.handler
            .store(Arc::new(MessageHandler::new(methods, config, clock)));
    }

    /// Stops consuming, finishes the received messages within `STOP_TIMEOUT`, and disconnects.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(STOP_TIMEOUT, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
            log::warn!(
                "some messages were not finished within {STOP_TIMEOUT:?}; the broker redelivers them"
            );
        }
    }
}

async fn run(
    config: config::Amqp,
    url: Secret,
    workers: Workers,
    consuming: Gauge,
    mut stopping: watch::Receiver<bool>,
) {
    let mut backoff = Backoff::up_to(MAX_RECONNECT_PAUSE);
    loop {
        let started = Instant::now();
        let opened = tokio::select! {
            biased;
            () = stopped(&mut stopping) => return,
            opened = caught(Connection::open(&config, &url)) => opened.and_then(|opened| opened),
        };
        match opened {
            Ok(mut connection) => {
                log::info!("connected to the broker: queue {}", config.queue);
                consuming.set(1);
                let fed = caught(connection.feed(&workers, &mut stopping)).await;
                consuming.set(0);
                match fed.unwrap_or_else(Some) {
                    None => return connection.finish(workers).await,
                    Some(why) => {
                        log::warn!("lost the connection to the broker: {why}");
                        connection.close().await;
                    }
                }
            }
            Err(why) => log::warn!("{why}"),
        }
        if started.elapsed() > MAX_RECONNECT_PAUSE {
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
    // An error means that the handle was dropped, which requests a stop too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
