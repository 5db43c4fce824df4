//! One connection to the broker, from connecting to disconnecting.

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
use super::socket::BrokerSocket;
use super::stopped;
use super::workers::Workers;
use crate::config::{self, Secret};

/// The time limit for connecting, declaring and starting to consume.
const OPEN_TIMEOUT: Duration = Duration::from_secs(15);
/// The time limit for disconnecting.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The AMQP reply code of a normal close.
const NORMAL_CLOSE: u16 = 200;

/// A connection with its consumer.
pub(super) struct Connection {
    amqp: lapin::Connection,
    consumer: Consumer,
    channel: Channel,
    session: Session,
    phase: watch::Sender<Phase>,
    // The last field, so that it is dropped last: its drop shuts the socket down.
    _socket: BrokerSocket,
}

impl Connection {
    /// Connects, declares exchange and queues, and starts to consume.
    ///
    /// # Errors
    /// Returns a message for the log, without the URL, which contains a password.
    pub async fn open(config: &config::Amqp, url: &Secret) -> Result<Connection, String> {
        let opening = Connection::connect(config, url);
        match timeout(OPEN_TIMEOUT, opening).await {
            Ok(opened) => opened.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {OPEN_TIMEOUT:?}")),
        }
    }

    async fn connect(config: &config::Amqp, url: &Secret) -> lapin::Result<Connection> {
        let socket = BrokerSocket::default();
        let amqp = socket.connect(url).await?;
        let channel = amqp.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        channel
            .basic_qos(config.prefetch, BasicQosOptions::default())
            .await?;
        declare(&channel, config).await?;
        let (queue, generated_tag) = (config.queue.as_str().into(), ShortString::default());
        let options = BasicConsumeOptions::default();
        let consumer = channel
            .basic_consume(queue, generated_tag, options, FieldTable::default())
            .await?;
        let (phase, watched) = watch::channel(Phase::Consuming);
        let session = Session::new(channel.clone(), config.dead_queue().into(), watched);
        Ok(Connection {
            amqp,
            consumer,
            channel,
            session,
            phase,
            _socket: socket,
        })
    }

    /// Queues messages for the workers. Returns `None` when a stop is requested, and the reason when the connection is lost.
    pub async fn feed(
        &mut self,
        workers: &Workers,
        stopping: &mut watch::Receiver<bool>,
    ) -> Option<String> {
        loop {
            tokio::select! {
                biased;
                () = stopped(stopping) => return None,
                next = self.consumer.next() => match next {
                    Some(Ok(delivery)) => workers.queue(delivery, self.session.clone()),
                    Some(Err(error)) => return Some(error.to_string()),
                    None => return Some("the broker cancelled the consumer".to_owned()),
                },
            }
        }
    }

    /// Stops consuming, waits until the workers have settled the received messages, and disconnects.
    pub async fn finish(self, workers: Workers) {
        self.phase.send_replace(Phase::Draining);
        let (tag, options) = (self.consumer.tag(), BasicCancelOptions::default());
        // The connection is closed next, so a failure here has no effect.
        let _ = timeout(CLOSE_TIMEOUT, self.channel.basic_cancel(tag, options)).await;
        workers.finish().await;
        self.close().await;
    }

    /// Disconnects; the broker redelivers the unsettled messages of this connection.
    pub async fn close(self) {
        self.phase.send_replace(Phase::Closed);
        let _ = timeout(CLOSE_TIMEOUT, self.amqp.close(NORMAL_CLOSE, "OK".into())).await;
    }
}

/// Declares the exchange, the queue with its bindings, and the dead-letter queue.
async fn declare(channel: &Channel, config: &config::Amqp) -> lapin::Result<()> {
    let name = |name: &str| ShortString::from(name);
    let no_arguments = FieldTable::default;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..Default::default()
    };
    channel
        .exchange_declare(
            name(&config.exchange),
            ExchangeKind::Topic,
            durable,
            no_arguments(),
        )
        .await?;
    for queue in [&config.queue, &config.dead_queue()] {
        channel
            .queue_declare(name(queue), QueueDeclareOptions::durable(), no_arguments())
            .await?;
    }
    for binding in &config.bindings {
        channel
            .queue_bind(
                name(&config.queue),
                name(&config.exchange),
                name(binding),
                QueueBindOptions::default(),
                no_arguments(),
            )
            .await?;
    }
    Ok(())
}
