//! Counts settled messages, for `/metrics`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The code of a message whose method has succeeded.
const SUCCEEDED: i64 = 200;

/// Counts the messages that have been acknowledged, also those that became dead letters.
#[derive(Clone, Debug, Default)]
pub(super) struct MessageCounter(Family<MessageLabels, Counter>);

/// The labels of a message. They never contain text from it, so that publishers cannot create series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MessageLabels {
    method: &'static str,
    code: i64,
}

impl MessageCounter {
    /// Registers the counter.
    pub fn register(metrics: &mut Registry) -> MessageCounter {
        let counter = MessageCounter::default();
        let help =
            "Messages settled, by method and code; 200 = applied, any other code = dead letter";
        metrics.register("pointgate_messages", help, counter.0.clone());
        counter
    }

    /// Counts a message whose method, `-` for an unknown one, has succeeded.
    pub fn succeeded(&self, method: &'static str) {
        self.count(method, SUCCEEDED);
    }

    /// Counts a dead letter with this code.
    pub fn dead_lettered(&self, method: &'static str, code: i64) {
        self.count(method, code);
    }

    fn count(&self, method: &'static str, code: i64) {
        self.0.get_or_create(&MessageLabels { method, code }).inc();
    }
}
