//! Counts requests that repeat an earlier one, so that an operator who wonders why nothing moved finds out.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::gateway::metrics::Metrics;
use crate::ledger::book::transaction::Receipt;

/// Counts repeated requests by method.
#[derive(Clone, Debug)]
pub struct RepeatCounter(Family<RepeatLabels, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RepeatLabels {
    method: &'static str,
}

impl RepeatCounter {
    /// Registers the counter.
    pub fn register(metrics: &Metrics) -> RepeatCounter {
        let help = "Requests that repeated an earlier one, were answered as it was, and moved no points, by method";
        RepeatCounter(metrics.metric("pointgate_repeats", help))
    }

    /// Counts and logs a posting of a method if it is a repeat.
    pub fn count(&self, method: &'static str, receipt: &Receipt) {
        if receipt.repeated {
            self.0.get_or_create(&RepeatLabels { method }).inc();
            log::info!("{method} repeats an earlier request, and moves no points");
        }
    }
}
