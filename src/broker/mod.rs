//! The message broker: messages as calls of typed methods, for as long as the program runs, whatever the broker does.
//!
//! ```text
//! connection.rs   from the URL to a consumer that is fed, and its end
//! wire.rs         the socket to the broker, plain or under TLS
//! workers.rs      messages side by side, those of one user one after the other
//! work.rs         a message → a call of its method
//! session.rs      what a lane may do with a message while its connection lasts: acknowledge, bury, wait
//! backoff.rs      how long to wait before the next try
//! ```
//!
//! A message is acknowledged once its method has succeeded, and dead-lettered once that is confirmed. Until then it stays
//! the broker's, which sends it again, in its place, when the connection is lost; the ledger's references make that harmless.

mod backoff;
mod connection;
mod session;
mod wire;
mod work;
mod workers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::{self, Secret};
use crate::gateway::endpoint::Dispatch;
use backoff::Backoff;
use connection::Connection;
use work::Work;
use workers::Workers;

/// The longest wait between two attempts to connect.
const RECONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a stop may take; then messages that are still worked on stay the broker's.
const STOP_WITHIN: Duration = Duration::from_secs(6);

/// A consumer that runs, connected or not.
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
    /// Takes no more messages, finishes and acknowledges those that were taken, as far as there is time, and disconnects.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(STOP_WITHIN, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
            log::warn!("not all messages were finished within {STOP_WITHIN:?}; they come again");
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
            opened = Connection::open(&config, &url) => opened,
        };
        match opened {
            Ok(mut connection) => {
                log::info!("connected to the broker: queue {}", config.queue);
                match connection.feed(&workers, &mut stopping).await {
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

/// Returns once a stop is wanted.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that nobody can say so any more, and nobody waits either.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
