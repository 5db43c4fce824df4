//! `/metrics`: the metrics in the OpenMetrics text format, for the networks in `server.metrics_from`.

use std::fmt;

use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;

use super::AppState;
use super::reload::Current;
use crate::gateway::context::within;
use crate::gateway::endpoint::Answered;
use crate::gateway::metrics::Metrics;
use crate::ledger::database::clock::ClockGuard;

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

/// Shows whether the ledger trusts the clock.
#[derive(Debug)]
pub struct ClockTrust(pub ClockGuard);

impl Collector for ClockTrust {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "1 = the clock is trusted; 0 = nothing is written and nothing expires";
        let gauge =
            encoder.encode_descriptor("pointgate_clock_trusted", help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::from(self.0.gap().is_none())).encode(gauge)
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
