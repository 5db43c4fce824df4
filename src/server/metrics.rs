//! `/metrics`: the metrics in the OpenMetrics text format, for the networks in `server.metrics_from`.

use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::AppState;
use super::reload::Current;
use crate::gateway::context::within;
use crate::gateway::endpoint::Answered;
use crate::gateway::metrics::Metrics;

/// Counts answered requests.
#[derive(Clone, Debug, Default)]
pub struct RequestCounter(Family<RequestLabels, Counter>);

/// The labels of a request. They never contain text from the request, so that clients cannot create series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    dialect: &'static str,
    method: &'static str,
    code: i64,
}

impl RequestCounter {
    /// Registers the counter.
    pub fn register(metrics: &Metrics) -> RequestCounter {
        let help = "Requests answered, by dialect, method and the envelope's code";
        RequestCounter(metrics.metric("pointgate_requests", help))
    }

    /// Counts one answered request.
    pub fn count(&self, dialect: &'static str, answered: &Answered) {
        let labels = RequestLabels {
            dialect,
            method: answered.method,
            code: answered.answer.code,
        };
        self.0.get_or_create(&labels).inc();
    }
}

/// Answers `/metrics`; 403 for a client outside `server.metrics_from`.
pub fn answer(state: &AppState, current: &Current, request: &HttpRequest) -> HttpResponse {
    let client = current.proxies.client_addresses(request);
    if !within(&client, &current.metrics_from) {
        return HttpResponse::Forbidden().body("not from here\n");
    }
    match state.services.metrics.text() {
        Ok(text) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(error) => {
            log::error!("cannot write the metrics: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
