//! Counts settled messages, for `/metrics`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::gateway::metrics::Metrics;

/// The code of a message whose method has succeeded.
const SUCCEEDED: i64 = 200;

/// Counts the messages that have been acknowledged, also those that became dead letters.
#[derive(Clone, Debug, Default)]
pub(super) struct MessageCounter {
    settled: Family<MessageLabels, Counter>,
    skipped: Family<SkippedLabels, Counter>,
}

/// The labels of a message. They never contain text from it, so that publishers cannot create series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MessageLabels {
    method: &'static str,
    code: i64,
}

/// The labels of a parameter that was skipped: names that the program declares.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SkippedLabels {
    method: &'static str,
    parameter: &'static str,
}

impl MessageCounter {
    /// Registers the counters.
    pub fn register(metrics: &Metrics) -> MessageCounter {
        let settled =
            "Messages settled, by method and code; 200 = applied, any other code = dead letter";
        let skipped = "Optional parameters of messages that could not be read and were skipped";
        MessageCounter {
            settled: metrics.metric("pointgate_messages", settled),
            skipped: metrics.metric("pointgate_message_fields_skipped", skipped),
        }
    }

    /// Counts a message whose method, `-` for an unknown one, has succeeded.
    pub fn succeeded(&self, method: &'static str) {
        self.count(method, SUCCEEDED);
    }

    /// Counts a dead letter with this code.
    pub fn dead_lettered(&self, method: &'static str, code: i64) {
        self.count(method, code);
    }

    /// Counts a parameter of a message that was applied without it.
    pub fn skipped(&self, method: &'static str, parameter: &'static str) {
        let labels = SkippedLabels { method, parameter };
        self.skipped.get_or_create(&labels).inc();
    }

    fn count(&self, method: &'static str, code: i64) {
        let labels = MessageLabels { method, code };
        self.settled.get_or_create(&labels).inc();
    }
}
