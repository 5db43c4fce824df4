//! A session: what a lane may do with a message while its connection lasts.

use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::watch;

use crate::gateway::fault::Fault;

/// Survives the broker's restart.
const PERSISTENT: u8 = 2;
/// The headers of a dead letter: the refusal's code and message, and how the message was addressed.
const REASON: &str = "x-reason";
const ROUTING_KEY: &str = "x-routing-key";
/// Headers by which the broker would deliver the dead letter elsewhere, too.
const COPIES: [&str; 2] = ["CC", "BCC"];
/// The most that the headers of a message may take to be kept, so that a dead letter's fit into a frame.
const MOST_HEADERS: usize = 1 << 16;

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Messages come.
    Working,
    /// No more come; those that wait to be tried again are left to the broker.
    Draining,
    /// The connection is gone.
    Over,
}

/// A handle of it.
#[derive(Clone)]
pub(super) struct Session {
    channel: Channel,
    dead_queue: ShortString,
    phase: watch::Receiver<Phase>,
}

impl Session {
    /// Over a channel that confirms.
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

    /// Whether messages of this session can still be settled.
    pub fn lasts(&self) -> bool {
        *self.phase.borrow() != Phase::Over
    }

    /// Waits before a message is tried again; whether it is to be.
    pub async fn wait(&mut self, time: Duration) -> bool {
        let stopping = self.phase.wait_for(|phase| *phase != Phase::Working);
        tokio::time::timeout(time, stopping).await.is_err()
    }

    /// Takes a message from the broker for good. Where that fails, it comes again.
    pub async fn acknowledge(&mut self, delivery: &Delivery) {
        let acknowledging = delivery.acker.ack(BasicAckOptions::default());
        match self.while_it_lasts(acknowledging).await {
            Ok(_) => {}
            Err(why) => log::debug!("a message is not acknowledged: {why}"),
        }
    }

    /// Puts a copy of a message, with the reason, into the queue of what can never succeed.
    pub async fn bury(&mut self, delivery: &Delivery, fault: &Fault) -> Result<(), String> {
        let (channel, queue) = (self.channel.clone(), self.dead_queue.clone());
        let burying = async {
            // Somebody may have deleted it since the connection began.
            let options = QueueDeclareOptions::durable();
            let arguments = FieldTable::default();
            let declared = channel.queue_declare(queue.clone(), options, arguments);
            declared.await?;
            let options = BasicPublishOptions {
                mandatory: true,
                immediate: false,
            };
            let properties = dead_letter(delivery, fault);
            let everywhere = ShortString::default();
            let body = &delivery.data;
            let published = channel.basic_publish(everywhere, queue, options, body, properties);
            published.await?.await
        };
        match self.while_it_lasts(burying).await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err("there is no queue for it".to_owned()),
            Confirmation::Nack(_) => Err("the broker refuses it".to_owned()),
            Confirmation::NotRequested => Err("the broker does not confirm".to_owned()),
        }
    }

    /// The client leaves some of its promises open when its connection breaks.
    async fn while_it_lasts<T>(
        &mut self,
        doing: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, String> {
        tokio::select! {
            done = doing => done.map_err(|error| error.to_string()),
            _ = self.phase.wait_for(|phase| *phase == Phase::Over) => Err("the connection is lost".to_owned()),
        }
    }
}

/// The properties of the dead letter of a message: its own, but for those that would have the broker refuse it or drop it.
fn dead_letter(delivery: &Delivery, fault: &Fault) -> BasicProperties {
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
        // As Rust writes them they are longer than on the wire.
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
