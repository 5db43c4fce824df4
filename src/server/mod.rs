//! The HTTP server: serves a list of endpoints, health checks and metrics. A stop finishes the accepted requests.

mod body;
mod http;
mod listener;
mod metrics;
mod origin;
mod pages;
mod rate;
mod reload;
mod routes;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_server::ServerHandle;
use arc_swap::ArcSwap;
use tokio::task::JoinHandle;

use crate::broker;
use crate::clock::Clock;
use crate::config::Config;
use crate::endpoints::{self, Endpoints};
use crate::gateway::context::RequestIds;
use crate::gateway::metrics::Metrics;
use crate::ledger::Ledger;
use crate::services::{self, Services};
use metrics::RequestCounter;
use reload::Current;

/// The time limit for the ledger to write its queue after a stop.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The handle of a listening server.
pub struct RunningServer {
    /// The address on which it listens.
    pub address: SocketAddr,
    /// The ledger that it serves.
    pub ledger: Ledger,
    handle: ServerHandle,
    state: Arc<AppState>,
    consumer: Option<broker::RunningConsumer>,
    config: Arc<ArcSwap<Config>>,
    server: JoinHandle<std::io::Result<()>>,
}

/// The state that all requests share.
struct AppState {
    services: Services,
    /// What a reload replaces.
    current: ArcSwap<Current>,
    requests: RequestCounter,
    buffered: body::Buffered,
    connection_rate: rate::ConnectionRate,
    ids: RequestIds,
    stopping: AtomicBool,
}

/// Opens the ledger and serves all endpoints.
///
/// # Errors
/// Returns a message for the user if the configuration of an endpoint is invalid, the ledger cannot be opened, or the address is
/// unavailable.
pub async fn start(config: &Config, clock: Clock) -> Result<RunningServer, String> {
    start_with(config, clock, endpoints::all(config)?).await
}

/// Opens the ledger and serves these endpoints. The broker calls the methods of the first endpoint that offers a dispatcher.
///
/// # Errors
/// Returns a message for the user if the ledger cannot be opened or the address is unavailable.
pub async fn start_with(
    config: &Config,
    clock: Clock,
    endpoints: Endpoints,
) -> Result<RunningServer, String> {
    let ledger = open_ledger(config, clock.clone()).await?;
    let services = Services::new(ledger.clone(), config, clock);
    services.metrics.collect(services.keys.clone());
    services
        .metrics
        .collect(metrics::ClockTrust(ledger.clock_guard()));
    let current = Current::start(config, &endpoints, &services);
    let dispatcher = current.dispatcher.clone();
    let per_second = config.server.max_connections_per_second;
    let connection_rate = rate::ConnectionRate::new(per_second, &services.metrics);
    let state = Arc::new(AppState {
        requests: RequestCounter::register(&services.metrics),
        current: ArcSwap::from_pointee(current),
        buffered: body::Buffered::default(),
        connection_rate,
        ids: RequestIds::start(),
        stopping: AtomicBool::new(false),
        services,
    });
    let (address, server) = listener::listen(&config.server, &state)?;
    let handle = server.handle();
    let clock = state.services.clock.clone();
    let consumer = dispatcher
        .and_then(|methods| broker::start(&config.amqp, methods, clock, &state.services.metrics));
    Ok(RunningServer {
        address,
        ledger,
        handle,
        state,
        consumer,
        config: Arc::new(ArcSwap::from_pointee(config.clone())),
        server: tokio::spawn(server),
    })
}

/// Opens the ledger at `database.url`, and compares the clock with what it tells. A clock that is not trusted is no error.
///
/// # Errors
/// Returns a message for the user, with the URL but without its password.
pub async fn open_ledger(config: &Config, clock: Clock) -> Result<Ledger, String> {
    let settings = services::ledger_settings(config);
    let failed = |why: String| format!("{}: {why}", config.database.shown());
    let ledger = Ledger::open(config.database.url.reveal(), settings, clock).await;
    let ledger = ledger.map_err(failed)?;
    let guarded = ledger.guard_clock(config.ledger.max_clock_gap).await;
    guarded.map_err(|error| failed(error.to_string()))?;
    Ok(ledger)
}

/// Opens the ledger at `database.url` for reading alone.
///
/// # Errors
/// Returns a message for the user, with the URL but without its password, also if the ledger is of another version of this program.
pub async fn open_ledger_read_only(config: &Config, clock: Clock) -> Result<Ledger, String> {
    let settings = services::ledger_settings(config);
    Ledger::open_read_only(config.database.url.reveal(), settings, clock)
        .await
        .map_err(|why| format!("{}: {why}", config.database.shown()))
}

impl RunningServer {
    /// What `/metrics` shows, to register more.
    pub fn metrics(&self) -> &Metrics {
        &self.state.services.metrics
    }

    /// Stops accepting requests and messages, finishes the accepted ones, and closes the ledger.
    pub async fn stop(self) {
        // Every further answer closes its connection, so that a busy client does not delay the stop.
        self.state.stopping.store(true, Ordering::Relaxed);
        let stopping_consumer = async {
            if let Some(consumer) = self.consumer {
                consumer.stop().await;
            }
        };
        tokio::join!(self.handle.stop(true), stopping_consumer);
        if let Ok(Err(error)) = self.server.await {
            log::error!("the server failed during its stop: {error}");
        }
        let closing = tokio::time::timeout(CLOSE_TIMEOUT, self.ledger.close());
        if closing.await.is_err() {
            log::error!("the ledger did not close within {CLOSE_TIMEOUT:?}");
        }
    }
}
