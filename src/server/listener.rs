//! Listens, and serves each connection with actix-http behind the filter of its bytes.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::DefaultHeaders;
use actix_web::{App, web};
use tokio::net::{TcpSocket, TcpStream};

use super::wire::FilteredStream;
use super::{AppState, http};
use crate::config;

/// The time limit for running requests after a stop; the ledger is closed after that.
const STOP_TIMEOUT: Duration = Duration::from_secs(7);
/// The time limit for a client to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The time after which a connection without any byte is closed. It is longer, so that an unfinished head gets an answer first.
const SILENT_TIMEOUT: Duration = Duration::from_secs(11);
/// The time for which an idle connection stays open.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// The time for the client to take the last answer before its connection is closed.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The most threads that actix-server takes.
const MAX_WORKERS: usize = 512;
/// The most connections that wait for the program to accept them.
const BACKLOG: u32 = 1024;

/// Starts to listen. Returns the address and the server, which runs when it is polled.
///
/// # Errors
/// Returns a message for the user if the address is unavailable.
pub fn listen(
    config: &config::Server,
    state: &Arc<AppState>,
) -> Result<(SocketAddr, Server), String> {
    let listen = config.listen;
    let unavailable = |error| format!("cannot listen on {listen}: {error}");
    let listener = bind(listen).map_err(unavailable)?;
    let address = listener.local_addr().map_err(unavailable)?;
    let state = web::Data::from(state.clone());
    let workers = match config.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let workers = workers.min(MAX_WORKERS);
    let server = Server::build()
        .disable_signals()
        .shutdown_timeout(STOP_TIMEOUT.as_secs())
        .workers(workers)
        // Each worker counts its own connections.
        .max_concurrent_connections(config.max_connections.div_ceil(workers));
    let stop = server.graceful_shutdown_signal();
    let server = server.listen("http", listener, move || {
        let stop = stop.clone();
        // An answer holds balances and is true for a moment: no proxy or browser may keep it. The protocols read with GET.
        let uncached = DefaultHeaders::new().add((CACHE_CONTROL, "no-store"));
        let app = App::new()
            .app_data(state.clone())
            .wrap(uncached)
            .default_service(web::to(http::answer));
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .client_request_timeout(SILENT_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .h1(map_config(app, |_| AppConfig::default()));
        let state = state.clone();
        let open = fn_service(move |tcp: TcpStream| {
            let state = state.clone();
            async move {
                state.connection_rate.admit().await;
                let peer = tcp.peer_addr().ok();
                Ok::<_, DispatchError>((FilteredStream::new(tcp, HEAD_TIMEOUT), peer))
            }
        });
        open.and_then(http)
    });
    Ok((address, server.map_err(unavailable)?.run()))
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for the connections of the program before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
