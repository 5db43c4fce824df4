//! Key-ordered workers: they handle messages in parallel, but the messages of one user in order.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use lapin::message::Delivery;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::backoff::Backoff;
use super::counter::MessageCounter;
use super::handler::{MessageHandler, parameters};
use super::session::Session;
use crate::gateway::context::RequestId;
use crate::gateway::fault::CallError;
use crate::gateway::parameters::Parameters;

/// The number of workers, which is the number of messages that are handled in parallel.
const WORKERS: u64 = 64;
/// The longest pause between two attempts at a message.
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(5);
/// The parameters that may name the user, whose messages stay in order; the first present one counts.
const USER_PARAMETERS: [&str; 2] = ["user_key", "uid"];

/// The workers. They outlive connections, so that a redelivered message queues behind a running attempt at the same message.
pub(super) struct Workers {
    // The prefetch of each connection bounds what it queues; lost connections leave their messages behind.
    queues: Vec<UnboundedSender<Received>>,
    tasks: JoinSet<()>,
}

/// A message in a worker's queue.
struct Received {
    delivery: Delivery,
    parameters: Option<Parameters<'static>>,
    session: Session,
}

impl Workers {
    /// Starts idle workers.
    pub fn start(handler: Arc<ArcSwap<MessageHandler>>, counter: MessageCounter) -> Workers {
        let mut tasks = JoinSet::new();
        let queues = (0..WORKERS).map(|_| {
            let (queue, messages) = unbounded_channel();
            tasks.spawn(run(messages, handler.clone(), counter.clone()));
            queue
        });
        Workers {
            queues: queues.collect(),
            tasks,
        }
    }

    /// Queues a message behind the earlier ones of the same user.
    pub fn queue(&self, delivery: Delivery, session: Session) {
        let parameters = parameters(&delivery.data);
        let mut hasher = DefaultHasher::new();
        match parameters.as_ref().and_then(user) {
            Some(user) => user.hash(&mut hasher),
            None => delivery.data.hash(&mut hasher),
        }
        let worker = usize::try_from(hasher.finish() % WORKERS).unwrap_or_default();
        // Sending fails only if a stop ended the worker; then the broker keeps the message.
        let _ = self.queues[worker].send(Received {
            delivery,
            parameters,
            session,
        });
    }

    /// Waits until every queued message is settled or left to the broker.
    pub async fn finish(self) {
        let Workers { queues, mut tasks } = self;
        drop(queues);
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                log::error!("a worker of the broker failed: {error}");
            }
        }
    }
}

fn user<'a>(parameters: &'a Parameters<'_>) -> Option<Cow<'a, str>> {
    USER_PARAMETERS
        .iter()
        .find_map(|name| parameters.text(name))
}

async fn run(
    mut messages: UnboundedReceiver<Received>,
    handler: Arc<ArcSwap<MessageHandler>>,
    counter: MessageCounter,
) {
    while let Some(received) = messages.recv().await {
        let session = received.session.clone();
        let settled = settle(received, &handler, &counter).await;
        // A stop left this message to the broker. End, so that the messages behind it do not overtake it.
        if !settled && session.is_open() {
            return;
        }
    }
}

/// Retries a message until it is settled. Returns `false` if a stop or a lost connection leaves it to the broker.
async fn settle(
    mut received: Received,
    handler: &ArcSwap<MessageHandler>,
    counter: &MessageCounter,
) -> bool {
    let mut backoff = Backoff::up_to(MAX_RETRY_PAUSE);
    // Warn once per message; further attempts are logged at debug level, because an outage may be long.
    let mut level = log::Level::Warn;
    // After a lost connection the broker redelivers the message in its order, so stop trying it here.
    while received.session.is_open() {
        // An attempt after a reload follows the new rules.
        let handler = handler.load_full();
        let id = handler.request_id();
        let attempt = attempt(&mut received, &handler, counter, id.clone(), level);
        match AssertUnwindSafe(id.scope(attempt)).catch_unwind().await {
            Ok(true) => return true,
            Ok(false) => {}
            Err(_) => log::error!("an attempt at a message panicked and will be retried"),
        }
        level = log::Level::Debug;
        if !received.session.wait(backoff.next()).await {
            break;
        }
    }
    false
}

/// Calls the method of a message once. Returns whether the message is settled: acknowledged, or dead-lettered after a fault.
async fn attempt(
    received: &mut Received,
    handler: &MessageHandler,
    counter: &MessageCounter,
    id: RequestId,
    level: log::Level,
) -> bool {
    let Received {
        delivery,
        parameters,
        session,
    } = received;
    let method = handler.method(delivery);
    let why = match handler.call(delivery, parameters.as_ref(), id).await {
        Ok(skipped) => {
            session.acknowledge(delivery).await;
            counter.succeeded(method);
            for parameter in skipped {
                log::warn!(
                    "skipped a parameter that cannot be read: method={method} parameter={parameter}"
                );
                counter.skipped(method, parameter);
            }
            return true;
        }
        Err(CallError::Fault(fault)) => match session.dead_letter(delivery, &fault).await {
            Ok(()) => {
                log::warn!("dead-lettered method={method} code={}", fault.code);
                session.acknowledge(delivery).await;
                counter.dead_lettered(method, fault.code);
                return true;
            }
            Err(why) => format!("cannot dead-letter it: {why}"),
        },
        Err(CallError::Busy) => "the queue is full".to_owned(),
        Err(CallError::Internal) => "the call failed".to_owned(),
    };
    log::log!(level, "a message will be retried: method={method}: {why}");
    false
}
