//! The pages of the server itself: health checks and metrics.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse};

use super::reload::Current;
use super::routes::ServerPage;
use super::{AppState, metrics};

/// The time limit for the database's answer to `/readyz`.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Answers a page.
pub async fn answer(
    page: ServerPage,
    state: &AppState,
    current: &Current,
    request: &HttpRequest,
) -> HttpResponse {
    match page {
        ServerPage::Health => text(StatusCode::OK, "ok\n"),
        ServerPage::Ready if is_ready(state).await => text(StatusCode::OK, "ready\n"),
        ServerPage::Ready => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        ServerPage::Metrics => metrics::answer(state, current, request),
    }
}

fn text(status: StatusCode, text: &'static str) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.content_type(ContentType::plaintext()).body(text)
}

async fn is_ready(state: &AppState) -> bool {
    let ledger = &state.services.coins.ledger;
    // Boxed, since the future of every request would hold room for its queries, which actix-web copies several times.
    let ready = Box::pin(ledger.ready());
    let ready = tokio::time::timeout(READY_TIMEOUT, ready).await;
    ready == Ok(true) && !state.stopping.load(Ordering::Relaxed)
}
