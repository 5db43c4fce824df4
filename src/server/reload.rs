//! Takes over a changed configuration without dropping a connection. A request is served by one configuration from its beginning to
//! its end.

use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;

use super::routes::{Routes, ServedRoute, Target};
use super::{RunningServer, origin};
use crate::config::Config;
use crate::endpoints::{self, Endpoints};
use crate::gateway::endpoint::Dispatch;
use crate::gateway::keys::KeyRegister;
use crate::services::Services;

/// What the current configuration determines.
pub struct Current {
    /// The paths with the started endpoints.
    pub routes: Routes,
    /// The access of the broker to the methods: that of the first endpoint that offers it.
    pub dispatcher: Option<Arc<dyn Dispatch>>,
    /// The networks that may read `/metrics`.
    pub metrics_from: Vec<IpNet>,
    /// The trusted reverse proxies.
    pub proxies: origin::Proxies,
    /// Whether a sample secret is in use.
    pub has_samples: bool,
}

impl Current {
    /// Starts the endpoints.
    pub fn start(config: &Config, endpoints: &Endpoints, services: &Services) -> Current {
        let mut routes = Vec::new();
        let mut dispatcher = None;
        for endpoint in endpoints {
            let handler = endpoint.start(services);
            let served = endpoint.routes().into_iter().map(|route| ServedRoute {
                route,
                target: Target::Endpoint(endpoint.name(), handler.clone()),
            });
            routes.extend(served);
            dispatcher = dispatcher.or_else(|| handler.clone().dispatcher());
        }
        Current {
            routes: Routes::new(routes),
            dispatcher,
            metrics_from: config.server.metrics_from.clone(),
            proxies: origin::Proxies::new(config.server.trusted_proxies.clone()),
            has_samples: !config.samples.is_empty(),
        }
    }
}

impl RunningServer {
    /// Takes over a configuration: keys, partners, limits and rules count from the next request and the next message on. Returns the
    /// settings that differ and stay as they are until a restart.
    ///
    /// # Errors
    /// Returns a message for the user if the configuration of an endpoint is invalid, or would let other machines use sample secrets;
    /// then nothing has changed.
    pub fn reload(&mut self, config: &Config) -> Result<Vec<&'static str>, String> {
        let endpoints = endpoints::all(config)?;
        let running = self.config.load();
        let (config, fixed) = config.clone().taken_over_from(&running)?;
        let services = self.state.services.reconfigured(&config);
        services.keys.clear();
        let current = Current::start(&config, &endpoints, &services);
        let dispatcher = current.dispatcher.clone();
        self.state.current.store(Arc::new(current));
        if let (Some(consumer), Some(methods)) = (&self.consumer, dispatcher) {
            consumer.reload(&config.amqp, methods);
        }
        self.config.store(Arc::new(config));
        Ok(fixed)
    }

    /// The configuration by which it runs; a reload replaces it.
    pub fn config(&self) -> Arc<ArcSwap<Config>> {
        self.config.clone()
    }

    /// The keys that prove callers.
    pub fn keys(&self) -> KeyRegister {
        self.state.services.keys.clone()
    }
}
