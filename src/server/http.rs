//! Serves an endpoint over HTTP: chooses the request id, reads the body, calls the handler, logs and counts the answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, guard, web};

use super::origin::{self, X_REQUEST_ID};
use super::{AppState, body};
use crate::gateway::context::RequestId;
use crate::gateway::dialect::{Headers, Request, RequestError};
use crate::gateway::endpoint::{Answered, Handler, Route};

/// The headers of actix-web as [`Headers`].
struct HttpHeaders<'a>(&'a HeaderMap);

impl Headers for HttpHeaders<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }
}

/// Builds the route of one path of an endpoint.
pub fn route(route: Route, dialect: &'static str, handler: Arc<dyn Handler>) -> actix_web::Route {
    let served = match route.methods {
        [] => web::route(),
        methods => web::route().guard(guard::fn_guard(move |context| {
            let method: &Method = &context.head().method;
            methods.contains(&method.as_str())
        })),
    };
    served.to(move |state: web::Data<AppState>, request, payload| {
        let handler = handler.clone();
        async move { answer(&state, dialect, &*handler, request, payload).await }
    })
}

async fn answer(
    state: &AppState,
    dialect: &'static str,
    handler: &dyn Handler,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let started = Instant::now();
    let id = state.proxies.request_id(&request);
    let id = id.unwrap_or_else(|| state.ids.next());
    let (answered, is_read) = id
        .scope(handle(state, handler, &id, &request, payload))
        .await;
    log_access(&answered, &id, started);
    state.requests.count(dialect, &answered);
    let Answered { answer, .. } = answered;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    response.insert_header((CONTENT_TYPE, json));
    response.insert_header((X_REQUEST_ID, id.as_str()));
    // The rest of an unread body would fill the connection's buffers.
    if state.stopping.load(Ordering::Relaxed) || !is_read {
        response.force_close();
    }
    response.body(answer.body)
}

/// Handles a request. Returns the answer, and whether the body was read.
async fn handle(
    state: &AppState,
    handler: &dyn Handler,
    id: &RequestId,
    request: &HttpRequest,
    payload: web::Payload,
) -> (Answered, bool) {
    if state.has_samples && origin::is_forwarded(request) {
        return (handler.refuse_request(RequestError::Forwarded), false);
    }
    let max = handler.max_body(request.query_string());
    let body = match body::read(request, payload, max, &state.buffered).await {
        Ok(body) => body,
        Err(error) => {
            let is_read = error == RequestError::TooLarge;
            return (handler.refuse_request(error), is_read);
        }
    };
    let request = Request {
        id,
        now: state.services.clock.now(),
        path: request.path(),
        query: request.query_string(),
        headers: &HttpHeaders(request.headers()),
        body: body.bytes(),
        addresses: &state.proxies.client_addresses(request),
    };
    (handler.answer(request).await, true)
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
