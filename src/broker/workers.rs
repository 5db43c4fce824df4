//! Key-ordered workers: they handle messages in parallel, and those of one user in order.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lapin::message::Delivery;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::backoff::Backoff;
use super::session::Session;
use super::work::{Work, parameters};
use crate::gateway::context::RequestId;
use crate::gateway::fault::CallError;
use crate::gateway::parameters::Parameters;

/// How many messages are in work at a time.
const WORKERS: u64 = 64;
/// The longest pause between two attempts at a message.
const RETRY_WITHIN: Duration = Duration::from_secs(5);
/// The parameters that may name the user; the first that is present counts.
const USERS: [&str; 2] = ["user_key", "uid"];

/// The workers. They outlive connections, so that a redelivered message queues behind the attempt that is still under way.
pub(super) struct Workers {
    // Bounded by the prefetch of the live connection, and by what lost connections left behind.
    queues: Vec<UnboundedSender<Received>>,
    tasks: JoinSet<()>,
}

/// A message in a worker's queue.
struct Received {
    delivery: Delivery,
    parameters: Option<Parameters>,
    session: Session,
}

impl Workers {
    /// Starts idle workers.
    pub fn start(work: Work) -> Workers {
        let work = Arc::new(work);
        let mut tasks = JoinSet::new();
        let queues = (0..WORKERS).map(|_| {
            let (queue, messages) = unbounded_channel();
            tasks.spawn(run(messages, work.clone()));
            queue
        });
        Workers {
            queues: queues.collect(),
            tasks,
        }
    }

    /// Queues a message behind those of the same user.
    pub fn put(&self, delivery: Delivery, session: Session) {
        let parameters = parameters(&delivery.data);
        let mut hasher = DefaultHasher::new();
        match parameters.as_ref().and_then(user) {
            Some(user) => user.hash(&mut hasher),
            None => delivery.data.hash(&mut hasher),
        }
        let worker = usize::try_from(hasher.finish() % WORKERS).unwrap_or_default();
        // A worker ends only after its queue is dropped, or for a stop, when the broker keeps the message.
        let _ = self.queues[worker].send(Received {
            delivery,
            parameters,
            session,
        });
    }

    /// Returns when every queued message has been settled or left to the broker.
    pub async fn finish(self) {
        let Workers { queues, mut tasks } = self;
        drop(queues);
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                log::error!("a worker of the broker ended badly: {error}");
            }
        }
    }
}

fn user(parameters: &Parameters) -> Option<&str> {
    USERS.iter().find_map(|name| parameters.text(name))
}

async fn run(mut messages: UnboundedReceiver<Received>, work: Arc<Work>) {
    while let Some(received) = messages.recv().await {
        let session = received.session.clone();
        let settled = settle(received, &work).await;
        // A stop left this message to the broker; the messages behind it must not overtake it.
        if !settled && session.is_open() {
            return;
        }
    }
}

/// Attempts a message until it is settled; returns `false` if it was left to the broker, for a stop or a lost connection.
async fn settle(mut received: Received, work: &Work) -> bool {
    let mut backoff = Backoff::up_to(RETRY_WITHIN);
    // One warning is enough: an outage may be long, and many messages wait for its end.
    let mut level = log::Level::Warn;
    // The broker redelivers the message after a lost connection, behind those before it, which it must not overtake.
    while received.session.is_open() {
        let id = work.request_id();
        let attempt = attempt(&mut received, work, id.clone(), level);
        match AssertUnwindSafe(id.scope(attempt)).catch_unwind().await {
            Ok(true) => return true,
            Ok(false) => {}
            Err(_) => log::error!("an attempt at a message panicked: it will be retried"),
        }
        level = log::Level::Debug;
        if !received.session.wait(backoff.next()).await {
            break;
        }
    }
    false
}

/// Calls the message's method once and settles the message; returns whether it is settled.
async fn attempt(received: &mut Received, work: &Work, id: RequestId, level: log::Level) -> bool {
    let Received {
        delivery,
        parameters,
        session,
    } = received;
    let method = work.name(delivery);
    let why = match work.call(delivery, parameters.as_ref(), id).await {
        Ok(()) => {
            session.acknowledge(delivery).await;
            return true;
        }
        Err(CallError::Fault(fault)) => match session.dead_letter(delivery, &fault).await {
            Ok(()) => {
                log::warn!("dead-lettered method={method} code={}", fault.code);
                session.acknowledge(delivery).await;
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
