//! A session: settles the messages of one connection while it lives.

use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::watch;

use crate::gateway::fault::Fault;

/// The delivery mode of messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;
/// The headers of a dead letter: the fault's code and message, and the routing key of the original.
const REASON: &str = "x-reason";
const ROUTING_KEY: &str = "x-routing-key";
/// Headers by which the broker would deliver copies of the dead letter elsewhere.
const COPIES: [&str; 2] = ["CC", "BCC"];
/// The most bytes of the original's headers that a dead letter keeps, so that they fit into a frame.
const MOST_HEADERS: usize = 1 << 16;

/// The phases of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Messages arrive.
    Consuming,
    /// No more arrive; the broker redelivers those that wait for another attempt.
    Draining,
    /// The connection is closed or lost.
    Closed,
}

/// A handle for settling messages; clones belong to the same connection.
#[derive(Clone)]
pub(super) struct Session {
    channel: Channel,
    dead_queue: ShortString,
    phase: watch::Receiver<Phase>,
}

impl Session {
    /// Settles over a channel in confirm mode.
    pub fn new(
        channel: Channel,
        dead_queue: ShortString,
        phase: watch::Receiver<Phase>,
    ) -> Session {
        Session {
            channel,
            dead_queue,
            phase,
        }
    }

    /// Whether messages can still be settled.
    pub fn is_open(&self) -> bool {
        *self.phase.borrow() != Phase::Closed
    }

    /// Waits before the next attempt at a message; returns whether there is to be one.
    pub async fn wait(&mut self, time: Duration) -> bool {
        let stopping = self.phase.wait_for(|phase| *phase != Phase::Consuming);
        tokio::time::timeout(time, stopping).await.is_err()
    }

    /// Acknowledges a message; if that fails, the broker redelivers it.
    pub async fn acknowledge(&mut self, delivery: &Delivery) {
        let acknowledging = delivery.acker.ack(BasicAckOptions::default());
        match self.while_open(acknowledging).await {
            Ok(_) => {}
            Err(why) => log::debug!("cannot acknowledge a message: {why}"),
        }
    }

    /// Publishes a copy of a message, with the fault as its reason, to the dead-letter queue.
    ///
    /// # Errors
    /// Returns the reason in words unless the broker confirmed it.
    pub async fn dead_letter(&mut self, delivery: &Delivery, fault: &Fault) -> Result<(), String> {
        let (channel, queue) = (self.channel.clone(), self.dead_queue.clone());
        let publishing = async {
            // An operator may have deleted the queue since the connection began.
            let options = QueueDeclareOptions::durable();
            let arguments = FieldTable::default();
            let declared = channel.queue_declare(queue.clone(), options, arguments);
            declared.await?;
            let options = BasicPublishOptions {
                mandatory: true,
                immediate: false,
            };
            let properties = dead_letter_properties(delivery, fault);
            let default_exchange = ShortString::default();
            let body = &delivery.data;
            let published =
                channel.basic_publish(default_exchange, queue, options, body, properties);
            published.await?.await
        };
        match self.while_open(publishing).await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err("the dead-letter queue is gone".to_owned()),
            Confirmation::Nack(_) => Err("the broker refused it".to_owned()),
            Confirmation::NotRequested => Err("the channel does not confirm".to_owned()),
        }
    }

    /// Ends with the connection: the client leaves some of its futures pending when the connection breaks.
    async fn while_open<T>(
        &mut self,
        operation: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, String> {
        tokio::select! {
            done = operation => done.map_err(|error| error.to_string()),
            _ = self.phase.wait_for(|phase| *phase == Phase::Closed) => Err("the connection is lost".to_owned()),
        }
    }
}

/// The properties of a dead letter: the original's, except those that would make the broker refuse or drop it.
fn dead_letter_properties(delivery: &Delivery, fault: &Fault) -> BasicProperties {
    type With = fn(BasicProperties, ShortString) -> BasicProperties;
    let own = &delivery.properties;
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers(delivery, fault));
    let texts: [(&Option<ShortString>, With); 7] = [
        (own.content_type(), BasicProperties::with_content_type),
        (
            own.content_encoding(),
            BasicProperties::with_content_encoding,
        ),
        (own.correlation_id(), BasicProperties::with_correlation_id),
        (own.reply_to(), BasicProperties::with_reply_to),
        (own.message_id(), BasicProperties::with_message_id),
        (own.kind(), BasicProperties::with_type),
        (own.app_id(), BasicProperties::with_app_id),
    ];
    for (text, with) in texts {
        if let Some(text) = text {
            properties = with(properties, text.clone());
        }
    }
    if let Some(priority) = *own.priority() {
        properties = properties.with_priority(priority);
    }
    if let Some(timestamp) = *own.timestamp() {
        properties = properties.with_timestamp(timestamp);
    }
    properties
}

fn headers(delivery: &Delivery, fault: &Fault) -> FieldTable {
    let mut headers = FieldTable::default();
    if let Some(own) = delivery.properties.headers() {
        // Rust's debug text is longer than the headers on the wire.
        let fit = format!("{own:?}").len() <= MOST_HEADERS;
        let kept = own.inner().iter().filter(|(name, _)| {
            let name = name.as_str();
            fit && !COPIES.contains(&name)
        });
        for (name, value) in kept {
            headers.insert(name.clone(), value.clone());
        }
    }
    let reason = format!("{} {}", fault.code, fault.message);
    let routing_key = delivery.routing_key.as_str();
    headers.insert(REASON.into(), AMQPValue::LongString(reason.into()));
    headers.insert(
        ROUTING_KEY.into(),
        AMQPValue::LongString(routing_key.into()),
    );
    headers
}
