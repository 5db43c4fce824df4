//! The metrics of the program. Endpoints are built anew with each configuration; their metrics stay.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::{Metric, Registry};

/// The registry that `/metrics` shows. Clones share it.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Mutex<Registered>>);

#[derive(Default)]
struct Registered {
    registry: Registry,
    by_name: BTreeMap<&'static str, Box<dyn Any + Send>>,
}

impl Metrics {
    /// The metric of this name, which the first call registers. A later call with another type gets a metric that `/metrics` does not
    /// show.
    pub fn metric<M: Metric + Clone + Default>(&self, name: &'static str, help: &str) -> M {
        let mut registered = self.lock();
        match registered.by_name.get(name) {
            Some(known) => known.downcast_ref::<M>().cloned().unwrap_or_default(),
            None => {
                let metric = M::default();
                registered.registry.register(name, help, metric.clone());
                registered.by_name.insert(name, Box::new(metric.clone()));
                metric
            }
        }
    }

    /// Registers a metric that exists already.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.lock().registry.register(name, help, metric);
    }

    /// Registers a collector, which makes its metrics when `/metrics` is read.
    pub fn collect(&self, collector: impl Collector) {
        self.lock().registry.register_collector(Box::new(collector));
    }

    /// All metrics in the OpenMetrics text format.
    ///
    /// # Errors
    /// Returns an error if a metric cannot be written as text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.lock().registry)?;
        Ok(text)
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn a_metric_is_registered_once() {
        let metrics = Metrics::default();
        metrics.metric::<Counter>("calls", "Calls").inc();
        metrics.clone().metric::<Counter>("calls", "Calls").inc();
        let text = metrics.text().unwrap();
        assert_eq!(text.matches("# TYPE").count(), 1, "{text}");
        assert!(text.contains("calls_total 2"), "{text}");
    }
}
