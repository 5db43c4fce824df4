//! `/metrics`: what is counted, in OpenMetrics' text form, for the networks that may see it.

use actix_web::{HttpRequest, HttpResponse, web};
use ipnet::IpNet;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::AppState;
use crate::gateway::dialect::within;

/// What is counted, and who may see it.
pub struct Metrics {
    /// What is counted.
    pub registry: Registry,
    shown_to: Vec<IpNet>,
}

impl Metrics {
    /// Nothing yet, for these networks.
    pub fn new(shown_to: Vec<IpNet>) -> Metrics {
        Metrics {
            registry: Registry::default(),
            shown_to,
        }
    }
}

/// Shows it.
pub async fn show(state: web::Data<AppState>, request: HttpRequest) -> HttpResponse {
    let Metrics { registry, shown_to } = &state.metrics;
    if !within(&state.origin.of(&request), shown_to) {
        return HttpResponse::Forbidden().body("not from here\n");
    }
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(error) => {
            log::error!("the metrics cannot be written: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
