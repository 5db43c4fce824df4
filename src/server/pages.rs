//! The pages of the server itself: health checks, metrics and the last checkpoint.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse};

use super::reload::Current;
use super::routes::ServerPage;
use super::{AppState, metrics};

/// The time limit for the database's answer to a page.
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
        ServerPage::Ready if state.services.coins.ledger.clock_gap().is_some() => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the clock is not trusted\n",
        ),
        ServerPage::Ready => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        ServerPage::Metrics => metrics::answer(state, current, request),
        ServerPage::Checkpoint => checkpoint(state).await,
    }
}

fn text(status: StatusCode, text: &'static str) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.content_type(ContentType::plaintext()).body(text)
}

/// The last checkpoint as it was signed.
async fn checkpoint(state: &AppState) -> HttpResponse {
    let ledger = &state.services.coins.ledger;
    // Boxed, and with a limit, as below.
    let read = Box::pin(ledger.checkpoint());
    match tokio::time::timeout(READY_TIMEOUT, read).await {
        Ok(Ok(Some(note))) => HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body(note),
        Ok(Ok(None)) => text(StatusCode::NOT_FOUND, "nothing is sealed\n"),
        _ => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

async fn is_ready(state: &AppState) -> bool {
    let ledger = &state.services.coins.ledger;
    // Boxed, since the future of every request would hold room for its queries, which actix-web copies several times.
    let ready = Box::pin(ledger.ready());
    let ready = tokio::time::timeout(READY_TIMEOUT, ready).await;
    ready == Ok(true) && !state.stopping.load(Ordering::Relaxed)
}
