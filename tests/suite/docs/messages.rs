//! The messages in the documentation, published to a real broker and consumed by the real program.

use std::collections::BTreeMap;

use super::page::{Kind, Page};
use crate::broker::test_broker::{TestBroker, wait_for_metric};
use crate::program::{Program, ProgramDir};

/// The pages that show messages.
pub const EXECUTED: [&str; 2] = ["docs/status-and-broker.md", "docs/zh/status-and-broker.md"];

/// The messages of a page, as routing key and body.
fn messages(page: &Page) -> Vec<(String, serde_json::Value)> {
    let steps = page.steps();
    let pairs = steps.iter().zip(steps.iter().skip(1));
    let messages = pairs.filter_map(|(directive, block)| {
        let key = directive.text.strip_prefix("message ")?;
        let body = serde_json::from_str(&block.text).unwrap();
        (directive.kind == Kind::Directive).then(|| (key.to_owned(), body))
    });
    messages.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn the_documented_messages_are_consumed() {
    let broker = TestBroker::declared().await;
    let mut program = Program::start(&ProgramDir::with_config(&broker.config()), &[]).await;
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for path in EXECUTED {
        let messages = messages(&Page::read(path));
        assert!(!messages.is_empty(), "{path}");
        for (key, body) in messages {
            broker.publish(&key, &body, path).await;
            *sent.entry(key).or_default() += 1;
        }
    }
    for (key, count) in sent {
        let line = format!(r#"pointgate_messages_total{{method="{key}",code="200"}} {count}"#);
        wait_for_metric(&program.client(), &line).await;
    }
    // A refused message would be in the dead-letter queue.
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}
