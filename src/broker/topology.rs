//! The exchange and the queues: what others have set up is taken as it is, and what is missing is declared.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};

use crate::config;

/// The AMQP reply code of a normal close.
pub(super) const NORMAL_CLOSE: u16 = 200;

/// Makes sure that the queues exist, and binds the queue to the exchange as far as this user may.
///
/// # Errors
/// Returns a message for the log if a queue is missing and cannot be declared, or if the connection is lost.
pub(super) async fn prepare(amqp: &Connection, config: &config::Amqp) -> Result<(), String> {
    for queue in [&config.queue, &config.dead_queue()] {
        find_or_declare_queue(amqp, queue).await?;
    }
    let exchange = config.exchange.as_str();
    let declare = async |passive| {
        let channel = amqp.create_channel().await?;
        declare_exchange(channel, exchange, passive).await
    };
    let found = match declare(true).await {
        Err(error) if is(&error, &AMQPSoftError::NOTFOUND) => declare(false).await,
        found => found,
    };
    if let Err(error) = found {
        return left_to_others(
            &error,
            &format!("look at or declare the exchange {exchange}"),
        );
    }
    for binding in &config.bindings {
        if let Err(error) = bind(amqp, config, binding).await {
            let what = format!("bind the queue to {exchange} by {binding}");
            left_to_others(&error, &what)?;
        }
    }
    Ok(())
}

async fn find_or_declare_queue(amqp: &Connection, queue: &str) -> Result<(), String> {
    // An operation that the broker refuses closes its channel, so that each has one of its own.
    let declare = async |passive| {
        let channel = amqp.create_channel().await?;
        declare_queue(&channel, queue, passive).await?;
        close(channel).await
    };
    match declare(true).await {
        Err(error) if is(&error, &AMQPSoftError::NOTFOUND) => {
            let declared = declare(false).await;
            declared.map_err(|error| {
                format!("the queue {queue} is missing, and this user cannot declare it: {error}")
            })
        }
        Err(error) => left_to_others(&error, &format!("look at the queue {queue}")),
        Ok(()) => Ok(()),
    }
}

/// Declares a durable queue, or looks whether there is one of this name if `passive`.
pub(super) async fn declare_queue(
    channel: &Channel,
    queue: &str,
    passive: bool,
) -> lapin::Result<()> {
    let options = QueueDeclareOptions {
        passive,
        ..QueueDeclareOptions::durable()
    };
    let declaring = channel.queue_declare(queue.into(), options, FieldTable::default());
    declaring.await.map(drop)
}

async fn declare_exchange(channel: Channel, exchange: &str, passive: bool) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions {
        passive,
        durable: true,
        ..Default::default()
    };
    let kind = ExchangeKind::Topic;
    let arguments = FieldTable::default();
    let declaring = channel.exchange_declare(exchange.into(), kind, options, arguments);
    declaring.await?;
    close(channel).await
}

async fn bind(amqp: &Connection, config: &config::Amqp, binding: &str) -> lapin::Result<()> {
    let channel = amqp.create_channel().await?;
    let binding = channel.queue_bind(
        config.queue.as_str().into(),
        config.exchange.as_str().into(),
        binding.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    binding.await?;
    close(channel).await
}

async fn close(channel: Channel) -> lapin::Result<()> {
    channel.close(NORMAL_CLOSE, "OK".into()).await
}

/// Passes over what the broker does not let this user do, which is left to those who set it up. Any other error stays one.
fn left_to_others(error: &lapin::Error, what: &str) -> Result<(), String> {
    match is(error, &AMQPSoftError::ACCESSREFUSED) {
        true => {
            log::warn!(
                "the broker does not let this user {what}, so that others have to set it up: {error}"
            );
            Ok(())
        }
        false => Err(format!("cannot {what}: {error}")),
    }
}

fn is(error: &lapin::Error, reason: &AMQPSoftError) -> bool {
    match error.kind() {
        ErrorKind::ProtocolError(error) => *error.kind() == AMQPErrorKind::Soft(reason.clone()),
        _ => false,
    }
}
