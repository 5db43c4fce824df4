//! Answers requests over HTTP: chooses the request id, finds the route, reads the body, calls the handler, logs and counts the answer.

use std::sync::atomic::Ordering;
use std::time::Instant;

use actix_web::body::None as NoBody;
use actix_web::http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};

use super::origin::{self, X_REQUEST_ID};
use super::reload::Current;
use super::routes::{ServedRoute, Target};
use super::{AppState, body, pages, wire};
use crate::gateway::context::RequestId;
use crate::gateway::dialect::{Answer, Headers, Request, RequestError};
use crate::gateway::endpoint::Answered;

/// Stands for the dialect and the method in the log and the metrics if a request reached none.
const NONE: &str = "-";

/// The headers of actix-web as [`Headers`].
struct HttpHeaders<'a>(&'a HeaderMap);

impl Headers for HttpHeaders<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }
}

/// Answers any request.
pub async fn answer(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let offers_upgrade = request.head().upgrade();
    let mut response = respond(state, request, payload).await;
    // actix-http answers Java's offer of HTTP/2 with `connection: upgrade`, and closes the connection that its client then keeps.
    if offers_upgrade {
        let head = response.head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    response
}

async fn respond(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let started = Instant::now();
    // A request is served by one configuration to its end.
    let current = state.current.load_full();
    let route = current.routes.find(request.path());
    if let Some(route) = route
        && let Target::Page(page) = route.target
        && route.serves(request.method())
    {
        return pages::answer(page, &state, &current, &request).await;
    }
    let id = current.proxies.request_id(&request);
    let id = id.unwrap_or_else(|| state.ids.next());
    let (answered, is_read) = id
        .scope(handle(&state, &current, route, &id, &request, payload))
        .await;
    log_access(&answered, &id, started);
    let dialect = match route.map(|route| &route.target) {
        Some(Target::Endpoint(dialect, _)) => dialect,
        Some(Target::Page(_)) | None => NONE,
    };
    state.requests.count(dialect, &answered);
    let Answered { answer, .. } = answered;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    response.insert_header((CONTENT_TYPE, json));
    response.insert_header((X_REQUEST_ID, id.as_str()));
    if let Some(route) = route.filter(|_| status == StatusCode::METHOD_NOT_ALLOWED) {
        response.insert_header((ALLOW, route.allow()));
    }
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        response.insert_header((ACCEPT_ENCODING, "gzip"));
    }
    // The rest of an unread body would fill the connection's buffers.
    if state.stopping.load(Ordering::Relaxed) || !is_read {
        response.force_close();
    }
    match *request.method() {
        // The length of what GET would answer is not known.
        Method::HEAD if status == StatusCode::OK => response
            .finish()
            .set_body(NoBody::new())
            .map_into_boxed_body(),
        _ => response.body(answer.body),
    }
}

/// Handles a request. Returns the answer, and whether the body was read.
async fn handle(
    state: &AppState,
    current: &Current,
    route: Option<&ServedRoute>,
    id: &RequestId,
    request: &HttpRequest,
    payload: web::Payload,
) -> (Answered, bool) {
    let unread = |answered| (answered, !body::is_announced(request));
    let refuse = |error: RequestError| match route.map(|route| &route.target) {
        Some(Target::Endpoint(_, handler)) => handler.refuse_request(error),
        Some(Target::Page(_)) | None => bare(error.status(), error.message()),
    };
    if let Some(error) = wire::error_of(request) {
        return unread(refuse(error));
    }
    let Some(route) = route else {
        return unread(bare(404, "路径不存在"));
    };
    if current.has_samples && origin::is_forwarded(request) {
        return unread(refuse(RequestError::Forwarded));
    }
    let (Target::Endpoint(_, handler), true) = (&route.target, route.serves(request.method()))
    else {
        return unread(refuse(RequestError::Method));
    };
    // HEAD changes nothing, so it calls no method.
    if request.method() == Method::HEAD {
        return unread(bare(200, ""));
    }
    let max = handler.max_body(request.query_string());
    let body = match body::read(request, payload, max, &state.buffered).await {
        Ok(body) => body,
        Err(RequestError::TooLarge) => return (refuse(RequestError::TooLarge), true),
        Err(error) => return (refuse(error), false),
    };
    let request = Request {
        id,
        now: state.services.clock.now(),
        path: route.route.path,
        query: request.query_string(),
        headers: &HttpHeaders(request.headers()),
        body: body.bytes(),
        addresses: &current.proxies.client_addresses(request),
    };
    (handler.answer(request).await, true)
}

/// The answer to a request that belongs to no dialect.
fn bare(status: u16, message: &str) -> Answered {
    let code = i64::from(status);
    Answered {
        answer: Answer {
            status,
            code,
            body: format!(r#"{{"code":{code},"message":"{message}"}}"#),
        },
        method: NONE,
    }
}

fn log_access(answered: &Answered, id: &RequestId, started: Instant) {
    let micros = started.elapsed().as_micros();
    log::info!(
        target: "pointgate::access",
        "method={} code={} ms={}.{} id={id}",
        answered.method,
        answered.answer.code,
        micros / 1000,
        micros / 100 % 10
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// actix-web copies the future of each request into a box.
    #[test]
    fn the_future_of_a_request_is_small() {
        let size = size_of_future(answer);
        assert!(size <= 2 << 10, "{size} bytes");
    }
}
