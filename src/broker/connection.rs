//! One connection to the broker, from connecting to disconnecting.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};
use tokio::sync::watch;
use tokio::time::timeout;

use super::session::{Phase, Session};
use super::socket::BrokerSocket;
use super::stopped;
use super::topology::{NORMAL_CLOSE, prepare};
use super::workers::Workers;
use crate::config::{self, Secret};

/// The time limit for connecting, declaring and starting to consume.
const OPEN_TIMEOUT: Duration = Duration::from_secs(15);
/// The time limit for disconnecting.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

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
    /// Connects, declares what is missing of exchange and queues, and starts to consume.
    ///
    /// # Errors
    /// Returns a message for the log, without the URL, which contains a password.
    pub async fn open(config: &config::Amqp, url: &Secret) -> Result<Connection, String> {
        let opening = async {
            let socket = BrokerSocket::default();
            let connected = socket.connect(url).await;
            let amqp = connected.map_err(|error| format!("cannot reach the broker: {error}"))?;
            let prepared = prepare(&amqp, config).await;
            prepared.map_err(|why| format!("cannot consume from the broker: {why}"))?;
            let consuming = Connection::consume(config, amqp, socket).await;
            let queue = &config.queue;
            consuming.map_err(|error| {
                format!("cannot consume from the broker: cannot read the queue {queue}: {error}")
            })
        };
        let opened = timeout(OPEN_TIMEOUT, opening).await;
        opened.unwrap_or_else(|_| {
            let limit = OPEN_TIMEOUT;
            Err(format!(
                "cannot reach the broker: no answer within {limit:?}"
            ))
        })
    }

    async fn consume(
        config: &config::Amqp,
        amqp: lapin::Connection,
        socket: BrokerSocket,
    ) -> lapin::Result<Connection> {
        let spare = amqp.create_channel().await?;
        let channel = amqp.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        channel
            .basic_qos(config.prefetch, BasicQosOptions::default())
            .await?;
        let (queue, generated_tag) = (config.queue.as_str().into(), ShortString::default());
        let options = BasicConsumeOptions::default();
        let consumer = channel
            .basic_consume(queue, generated_tag, options, FieldTable::default())
            .await?;
        let (phase, watched) = watch::channel(Phase::Consuming);
        let session = Session::new(channel.clone(), spare, config.dead_queue(), watched);
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
