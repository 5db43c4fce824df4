//! A session: settles the messages of one connection while the connection lives.

use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::watch;

use super::topology::declare_queue;
use crate::gateway::fault::Fault;

/// The delivery mode of messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;
/// The header of a dead letter with the fault's code and message.
const REASON: &str = "x-reason";
/// The header of a dead letter with the routing key of the original.
const ROUTING_KEY: &str = "x-routing-key";
/// Headers that would make the broker deliver copies of the dead letter to other queues.
const COPY_HEADERS: [&str; 2] = ["CC", "BCC"];
/// The largest size of the original's headers that a dead letter keeps (bytes), so that they fit into a frame.
const MAX_HEADERS: usize = 1 << 16;

/// The phases of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Messages arrive.
    Consuming,
    /// The consumer is cancelled; the broker redelivers messages that wait for another attempt.
    Draining,
    /// The connection is closed or lost.
    Closed,
}

/// Settles the messages of one connection; clones belong to the same connection.
#[derive(Clone)]
pub(super) struct Session {
    channel: Channel,
    /// Declares the dead-letter queue. If the broker refuses that, it closes this channel, and goes on delivering over the other.
    spare: Channel,
    dead_queue: String,
    phase: watch::Receiver<Phase>,
}

impl Session {
    /// Settles messages over `channel`, which must be in confirm mode; `spare` is another channel of the connection.
    pub fn new(
        channel: Channel,
        spare: Channel,
        dead_queue: String,
        phase: watch::Receiver<Phase>,
    ) -> Session {
        Session {
            channel,
            spare,
            dead_queue,
            phase,
        }
    }

    /// Whether messages can still be settled.
    pub fn is_open(&self) -> bool {
        *self.phase.borrow() != Phase::Closed
    }

    /// Waits before the next attempt at a message. Returns `false` if there must be none, because of a stop or a lost connection.
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

    /// Publishes a copy of a message to the dead-letter queue, with the fault in its headers.
    ///
    /// # Errors
    /// Returns a message for the log unless the broker confirmed the copy.
    pub async fn dead_letter(&mut self, delivery: &Delivery, fault: &Fault) -> Result<(), String> {
        if let Confirmation::Ack(None) = self.publish(delivery, fault).await? {
            return Ok(());
        }
        // An operator may have deleted the queue since the connection was opened.
        let (spare, queue) = (self.spare.clone(), self.dead_queue.clone());
        let declaring = declare_queue(&spare, &queue, false);
        let declared = self.while_open(declaring).await;
        declared.map_err(|why| format!("cannot declare the dead-letter queue: {why}"))?;
        match self.publish(delivery, fault).await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err("the dead-letter queue is gone".to_owned()),
            Confirmation::Nack(_) => Err("the broker refused it".to_owned()),
            Confirmation::NotRequested => Err("the channel does not confirm".to_owned()),
        }
    }

    async fn publish(
        &mut self,
        delivery: &Delivery,
        fault: &Fault,
    ) -> Result<Confirmation, String> {
        let (channel, queue) = (self.channel.clone(), self.dead_queue.as_str().into());
        let publishing = async {
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
        self.while_open(publishing).await
    }

    /// Runs an operation until the connection ends: lapin leaves some futures pending for ever when the connection breaks.
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

/// The properties of a dead letter: the original's, without those that could make the broker reject or expire it.
fn dead_letter_properties(delivery: &Delivery, fault: &Fault) -> BasicProperties {
    type Setter = fn(BasicProperties, ShortString) -> BasicProperties;
    let original = &delivery.properties;
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers(delivery, fault));
    let texts: [(&Option<ShortString>, Setter); 7] = [
        (original.content_type(), BasicProperties::with_content_type),
        (
            original.content_encoding(),
            BasicProperties::with_content_encoding,
        ),
        (
            original.correlation_id(),
            BasicProperties::with_correlation_id,
        ),
        (original.reply_to(), BasicProperties::with_reply_to),
        (original.message_id(), BasicProperties::with_message_id),
        (original.kind(), BasicProperties::with_type),
        (original.app_id(), BasicProperties::with_app_id),
    ];
    for (text, set) in texts {
        if let Some(text) = text {
            properties = set(properties, text.clone());
        }
    }
    if let Some(priority) = *original.priority() {
        properties = properties.with_priority(priority);
    }
    if let Some(timestamp) = *original.timestamp() {
        properties = properties.with_timestamp(timestamp);
    }
    properties
}

fn headers(delivery: &Delivery, fault: &Fault) -> FieldTable {
    let mut headers = FieldTable::default();
    if let Some(original) = delivery.properties.headers() {
        // The debug text is longer than the headers on the wire.
        let fit = format!("{original:?}").len() <= MAX_HEADERS;
        let kept = original.inner().iter().filter(|(name, _)| {
            let name = name.as_str();
            fit && !COPY_HEADERS.contains(&name)
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
