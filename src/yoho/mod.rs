//! The endpoint `/gateway` in the YOHO dialect, by protocols.md part 1, and the methods of the shop's coins.

mod balance;
mod canonical;
mod client;
mod dialect;
mod get;
mod lists;
mod overview;
mod query;
mod response;
mod returns;
mod sample;
mod signature;
mod subtract;
mod total;
mod values;

use std::borrow::Borrow;
use std::sync::Arc;

use crate::config;
use crate::gateway::context::{Delivery, SelfVerifying};
use crate::gateway::description::Description;
use crate::gateway::endpoint::{Endpoint, Handler, Route, Sample, SignedRequest};
use crate::gateway::keys::KeyRegister;
use crate::gateway::method::RegisteredMethod;
use crate::gateway::metrics::Metrics;
use crate::gateway::permissions::allows;
use crate::gateway::registry::{DuplicateName, Registry};
use crate::gateway::service::Service;
use crate::points::coins::Coins;
use crate::services::Services;
pub use dialect::Yoho;
pub use signature::client_secret;

/// The name in `pointgate sign yoho` and in the metrics.
pub const NAME: &str = "yoho";

/// The paths, which the original serves alike: its own phone and mini-program clients call the root.
const PATHS: [&str; 2] = ["/gateway", "/"];

/// The endpoint `/gateway`. Its state `S` is generic, so that other families of methods share the registry with the coins'.
pub struct Gateway<S> {
    config: config::Yoho,
    methods: Arc<Registry<S, Delivery>>,
    self_verifying: &'static [SelfVerifying],
    state: Box<dyn Fn(&Services) -> S + Send + Sync>,
}

impl<S: Send + Sync + 'static> Gateway<S> {
    /// Serves these methods; `state` builds their state at the start, and `self_verifying` lists those that authenticate their
    /// sender themselves.
    ///
    /// # Errors
    /// Returns a message for the user if `allow` of a client lists an unknown method.
    pub fn new(
        config: &config::Yoho,
        methods: Registry<S, Delivery>,
        self_verifying: &'static [SelfVerifying],
        state: impl Fn(&Services) -> S + Send + Sync + 'static,
    ) -> Result<Gateway<S>, String> {
        let names = || methods.methods().iter().map(|method| method.name);
        for (client, rules) in &config.clients {
            let unknown = |pattern: &&String| !names().any(|name| allows(pattern, name));
            if let Some(unknown) = rules.allow.iter().find(unknown) {
                return Err(format!(
                    "yoho.clients: {client} may call {unknown}, but there is no such method; `pointgate methods` lists them"
                ));
            }
        }
        Ok(Gateway {
            config: config.clone(),
            methods: Arc::new(methods),
            self_verifying,
            state: Box::new(state),
        })
    }

    fn dialect(&self, keys: &KeyRegister, metrics: &Metrics) -> Yoho {
        let methods = self.methods.methods().iter();
        let parameters = methods.flat_map(RegisteredMethod::parameter_names);
        Yoho::new(&self.config, self.self_verifying, parameters, keys, metrics)
    }
}

impl<S: Send + Sync + 'static> Endpoint<Services> for Gateway<S> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn routes(&self) -> Vec<Route> {
        PATHS
            .map(|path| Route {
                path,
                methods: &["GET", "POST"],
            })
            .to_vec()
    }

    fn methods(&self) -> Vec<Description> {
        let dialect = self.dialect(&KeyRegister::default(), &Metrics::default());
        let methods = self.methods.methods().iter();
        methods
            .map(|it| it.describe(&dialect, |name, example| format!("{name} {example}")))
            .collect()
    }

    fn sign(&self, sample: Sample) -> Result<SignedRequest, String> {
        sample::sign(&self.config, sample)
    }

    fn summary(&self) -> String {
        let clients: Vec<&str> = self.config.clients.keys().map(String::as_str).collect();
        format!("knows the client types {}", clients.join(", "))
    }

    fn start(&self, services: &Services) -> Arc<dyn Handler> {
        Arc::new(Service {
            name: NAME,
            dialect: self.dialect(&services.keys, &services.metrics),
            methods: self.methods.clone(),
            state: (self.state)(services),
            timeout: services.timeout,
            dispatcher: Some(|service| service),
        })
    }
}

/// Adds the methods of the shop's coins.
///
/// # Errors
/// Returns the name that another method has already.
pub fn register<S>(registry: &mut Registry<S, Delivery>) -> Result<(), DuplicateName>
where
    S: Borrow<Coins> + Sync + 'static,
{
    registry.add::<total::Total>()?;
    registry.add::<get::Get>()?;
    registry.add::<subtract::Subtract>()?;
    registry.add::<returns::Return>()?;
    registry.add::<lists::Lists>()?;
    registry.add::<overview::Overview>()
}
