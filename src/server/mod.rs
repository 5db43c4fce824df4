//! The server: configuration → running HTTP server. One route a dialect, limits, health, and a stop that finishes what
//! was taken.

mod body;
mod ids;
mod metrics;
mod origin;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Route, web};
use tokio::task::JoinHandle;

use crate::broker;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::dialect::{Dialect, Request, Sent};
use crate::gateway::registry::Registry;
use crate::gateway::{Served, serve};
use crate::ledger::{Ledger, Limits};
use crate::members::Members;
use crate::openapi::{self, Openapi};
use crate::osx::{self, Community, Osx};
use crate::points::Coins;
use crate::status::{self, Status};
use crate::yoho::{self, Yoho};
use body::BodyError;
use ids::RequestIds;
use metrics::Metrics;

/// How long requests under way may take to end after a stop; the ledger's queue is written after that.
const STOP_WITHIN: Duration = Duration::from_secs(7);
/// How long the ledger may take to write what waits after a stop.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// How long the database may take to show that it is there.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// How long a client may take to send a request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection stays open for a next request.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Names a request in the answer as in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Ping++'s signature of a body.
const PINGPP_SIGNATURE: HeaderName = HeaderName::from_static("x-pingplusplus-signature");

/// A server that listens.
pub struct RunningServer {
    /// Where.
    pub address: SocketAddr,
    /// The ledger behind it.
    pub ledger: Ledger,
    handle: ServerHandle,
    state: Arc<AppState>,
    broker: Option<broker::RunningConsumer>,
    server: JoinHandle<std::io::Result<()>>,
}

/// What all requests share.
struct AppState {
    ledger: Ledger,
    yoho: Arc<Yoho>,
    yoho_methods: Arc<Registry<Sent>>,
    openapi: Openapi,
    openapi_methods: Registry<openapi::Caller>,
    osx: Osx,
    osx_methods: Registry<()>,
    metrics: Metrics,
    origin: origin::Proxies,
    within: Duration,
    stopping: AtomicBool,
    ids: RequestIds,
}

/// Opens the ledger and listens.
///
/// # Errors
/// The reason in words, where the ledger cannot be opened or the address not be had.
pub async fn start(config: &Config, clock: Clock) -> Result<RunningServer, String> {
    let ledger = open_ledger(config, clock.clone()).await?;
    let mut metrics = Metrics::new(config.server.metrics_from.clone());
    let state = Arc::new(AppState {
        yoho_methods: Arc::new(yoho_methods(config, &ledger)?),
        openapi: Openapi::new(&config.openapi, clock.clone(), &mut metrics.registry),
        openapi_methods: openapi_methods(config, &ledger)?,
        osx: Osx::new(&config.osx, clock),
        osx_methods: osx_methods(config, &ledger)?,
        metrics,
        ledger: ledger.clone(),
        yoho: Arc::new(yoho(config)),
        origin: origin::Proxies::new(config.server.trusted_proxies.clone()),
        within: config.server.request_timeout,
        stopping: AtomicBool::new(false),
        ids: RequestIds::new(),
    });
    let shared = web::Data::from(state.clone());
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .route("/gateway", Route::new().guard(get_or_post()).to(gateway))
            // Whatever the HTTP method, so that a wrong one is answered in the envelope.
            .route("/api/v2", web::route().to(partners))
            .route("/userActionNotify", web::get().to(community))
            .route("/getUserInfo", web::get().to(community))
            .route("/metrics", web::get().to(metrics::show))
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
    })
    .disable_signals()
    .client_request_timeout(HEAD_WITHIN)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(STOP_WITHIN.as_secs());
    if config.server.workers > 0 {
        server = server.workers(config.server.workers);
    }
    let listen = config.server.listen;
    let server = server
        .bind(listen)
        .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    let server = server.run();
    let handle = server.handle();
    let (dialect, methods) = (state.yoho.clone(), state.yoho_methods.clone());
    let broker = broker::start(&config.amqp, dialect, methods, state.within);
    Ok(RunningServer {
        address,
        ledger,
        handle,
        state,
        broker,
        server: tokio::spawn(server),
    })
}

/// The ledger that the configuration names.
///
/// # Errors
/// The reason in words, where it cannot be opened.
pub async fn open_ledger(config: &Config, clock: Clock) -> Result<Ledger, String> {
    let limits = Limits {
        queue: config.ledger.queue,
        batch: config.ledger.batch,
        writers: config.ledger.writers,
    };
    Ledger::open(&config.database.url, limits, clock)
        .await
        .map_err(|why| format!("{}: {why}", config.database.shown()))
}

/// YOHO's dialect, in whose envelope member status speaks too.
pub fn yoho(config: &Config) -> Yoho {
    Yoho::new(&config.yoho).signed_otherwise(status::SIGNED_OTHERWISE)
}

/// YOHO's methods and those of member status, beside each other.
///
/// # Errors
/// A name that two of them want, or a key that is none.
pub fn yoho_methods(config: &Config, ledger: &Ledger) -> Result<Registry<Sent>, String> {
    let coins = Arc::new(Coins::new(ledger.clone(), config));
    let mut registry = Registry::default();
    yoho::register(&mut registry, &coins).map_err(|taken| taken.to_string())?;
    let members = Members::new(ledger.clone());
    let status = Arc::new(Status::new(config, coins, members)?);
    status::register(&mut registry, &status).map_err(|taken| taken.to_string())?;
    Ok(registry)
}

/// The open platform's Actions.
///
/// # Errors
/// A name that two of them want, or a partner that may call one that does not exist.
pub fn openapi_methods(
    config: &Config,
    ledger: &Ledger,
) -> Result<Registry<openapi::Caller>, String> {
    let coins = Arc::new(Coins::new(ledger.clone(), config));
    let mut registry = Registry::default();
    openapi::register(&mut registry, &coins).map_err(|taken| taken.to_string())?;
    for partner in &config.openapi.partners {
        if let Some(unknown) = partner
            .allow
            .iter()
            .find(|name| registry.find(name).is_none())
        {
            return Err(format!(
                "openapi.partners: {} may call {unknown}, but there is no such Action; `pointgate methods` lists them",
                partner.open_id
            ));
        }
    }
    Ok(registry)
}

/// The community's two.
///
/// # Errors
/// A name that both want.
pub fn osx_methods(config: &Config, ledger: &Ledger) -> Result<Registry<()>, String> {
    let coins = Arc::new(Coins::new(ledger.clone(), config));
    let members = Members::new(ledger.clone());
    let community = Arc::new(Community::new(&config.osx, coins, members));
    let mut registry = Registry::default();
    osx::register(&mut registry, &community).map_err(|taken| taken.to_string())?;
    Ok(registry)
}

impl RunningServer {
    /// Stops accepting, finishes what was taken, and closes the ledger.
    pub async fn stop(self) {
        // From now on every answer closes its connection, so that a busy client does not hold up the end.
        self.state.stopping.store(true, Ordering::Relaxed);
        let messages = async {
            if let Some(broker) = self.broker {
                broker.stop().await;
            }
        };
        tokio::join!(self.handle.stop(true), messages);
        if let Ok(Err(error)) = self.server.await {
            log::error!("the server ended badly: {error}");
        }
        if tokio::time::timeout(CLOSE_WITHIN, self.ledger.close())
            .await
            .is_err()
        {
            log::error!("the ledger did not close within {CLOSE_WITHIN:?}");
        }
    }
}

fn get_or_post() -> impl actix_web::guard::Guard {
    use actix_web::guard::{Any, Get, Post};
    Any(Get()).or(Post())
}

async fn gateway(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let (dialect, methods) = (&*state.yoho, &*state.yoho_methods);
    answer(&state, dialect, methods, request, payload).await
}

async fn partners(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let (dialect, methods) = (&state.openapi, &state.openapi_methods);
    answer(&state, dialect, methods, request, payload).await
}

async fn community(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    answer(&state, &state.osx, &state.osx_methods, request, payload).await
}

/// Answers a request in its dialect, and logs it.
async fn answer<D: Dialect>(
    state: &AppState,
    dialect: &D,
    methods: &Registry<D::Caller>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let begun = Instant::now();
    let Served { sealed, method } = match body::read(&request, payload).await {
        Ok(body) => {
            let from = state.origin.of(&request);
            let content_type = request
                .headers()
                .get(CONTENT_TYPE)
                .and_then(|kind| kind.to_str().ok());
            let signature = request.headers().get(PINGPP_SIGNATURE);
            let signature = signature.and_then(|text| text.to_str().ok());
            let request = Request {
                signature,
                path: request.path(),
                query: request.query_string(),
                content_type,
                body: &body,
                from: &from,
            };
            serve(dialect, methods, request, state.within).await
        }
        Err(error) => Served {
            sealed: match error {
                BodyError::TooLarge => dialect.too_large(),
                BodyError::Broken => dialect.unreadable(),
            },
            method: "-",
        },
    };
    let id = state.ids.next();
    let micros = begun.elapsed().as_micros();
    log::info!(
        target: "pointgate::access",
        "method={method} code={} ms={}.{} id={id}",
        sealed.code,
        micros / 1000,
        micros / 100 % 10
    );
    let status = StatusCode::from_u16(sealed.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response
        .insert_header((
            CONTENT_TYPE,
            HeaderValue::from_static("application/json;charset=UTF-8"),
        ))
        .insert_header((REQUEST_ID, id));
    if state.stopping.load(Ordering::Relaxed) {
        response.force_close();
    }
    response.body(sealed.body)
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(state: web::Data<AppState>) -> HttpResponse {
    match tokio::time::timeout(READY_WITHIN, state.ledger.ready()).await {
        Ok(true) if !state.stopping.load(Ordering::Relaxed) => HttpResponse::Ok().body("ready\n"),
        _ => HttpResponse::ServiceUnavailable().body("not ready\n"),
    }
}
