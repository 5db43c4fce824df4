//! A connection: from the URL to a consumer that is fed, and its end.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer, ExchangeKind};
use tokio::sync::watch;
use tokio::time::timeout;

use super::session::{Phase, Session};
use super::stopped;
use super::wire::Wire;
use super::workers::Workers;
use crate::config::{self, Secret};

/// How long it may take until messages can come.
const OPEN_WITHIN: Duration = Duration::from_secs(15);
/// How long a farewell may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// The reply code of an end without a fault.
const GOOD: u16 = 200;

/// A connection with its consumer.
pub(super) struct Connection {
    amqp: lapin::Connection,
    consumer: Consumer,
    channel: Channel,
    session: Session,
    phase: watch::Sender<Phase>,
    // Cut last.
    _wire: Wire,
}

impl Connection {
    /// Connects, declares what must be there, and consumes.
    ///
    /// # Errors
    /// The reason in words, without the URL.
    pub async fn open(config: &config::Amqp, url: &Secret) -> Result<Connection, String> {
        let opening = Connection::connect(config, url);
        match timeout(OPEN_WITHIN, opening).await {
            Ok(opened) => opened.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {OPEN_WITHIN:?}")),
        }
    }

    async fn connect(config: &config::Amqp, url: &Secret) -> lapin::Result<Connection> {
        let wire = Wire::default();
        let amqp = wire.connect(url).await?;
        let channel = amqp.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        channel
            .basic_qos(config.prefetch, BasicQosOptions::default())
            .await?;
        declare(&channel, config).await?;
        let (queue, any_tag) = (config.queue.as_str().into(), ShortString::default());
        let options = BasicConsumeOptions::default();
        let consumer = channel
            .basic_consume(queue, any_tag, options, FieldTable::default())
            .await?;
        let (phase, watched) = watch::channel(Phase::Working);
        let session = Session::new(channel.clone(), config.dead_queue().into(), watched);
        Ok(Connection {
            amqp,
            consumer,
            channel,
            session,
            phase,
            _wire: wire,
        })
    }

    /// Feeds messages into the lanes until a stop is wanted (none), or until the connection is lost, for this reason.
    pub async fn feed(
        &mut self,
        lanes: &Workers,
        stopping: &mut watch::Receiver<bool>,
    ) -> Option<String> {
        loop {
            tokio::select! {
                biased;
                () = stopped(stopping) => return None,
                next = self.consumer.next() => match next {
                    Some(Ok(delivery)) => lanes.put(delivery, self.session.clone()),
                    Some(Err(error)) => return Some(error.to_string()),
                    None => return Some("it ended the consumer".to_owned()),
                },
            }
        }
    }

    /// Takes no more messages, waits for those in the lanes, and disconnects.
    pub async fn finish(self, lanes: Workers) {
        self.phase.send_replace(Phase::Draining);
        let (tag, options) = (self.consumer.tag(), BasicCancelOptions::default());
        // What fails here ends with the connection.
        let _ = timeout(CLOSE_WITHIN, self.channel.basic_cancel(tag, options)).await;
        lanes.finish().await;
        self.close().await;
    }

    /// Disconnects; messages of this connection that are not settled yet are left to the broker.
    pub async fn close(self) {
        self.phase.send_replace(Phase::Over);
        let _ = timeout(CLOSE_WITHIN, self.amqp.close(GOOD, "OK".into())).await;
    }
}

/// Declares the exchange, the queue with its bindings, and the queue of what can never succeed.
async fn declare(channel: &Channel, config: &config::Amqp) -> lapin::Result<()> {
    let name = |name: &str| ShortString::from(name);
    let none = FieldTable::default;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    channel
        .exchange_declare(name(&config.exchange), ExchangeKind::Topic, durable, none())
        .await?;
    for queue in [&config.queue, &config.dead_queue()] {
        channel
            .queue_declare(name(queue), QueueDeclareOptions::durable(), none())
            .await?;
    }
    for binding in &config.bindings {
        channel
            .queue_bind(
                name(&config.queue),
                name(&config.exchange),
                name(binding),
                QueueBindOptions::default(),
                none(),
            )
            .await?;
    }
    Ok(())
}
