//! Workers: messages are worked on side by side, and those of one user one after the other.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use lapin::message::Delivery;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::backoff::Backoff;
use super::session::Session;
use super::work::{Work, parameters};
use crate::gateway::fault::CallError;
use crate::gateway::parameters::Parameters;

/// How many messages are worked on at a time.
const WORKERS: u64 = 64;
/// The longest wait between two tries of a message.
const RETRY_WITHIN: Duration = Duration::from_secs(5);
/// The parameters that name a user, the first that is there.
const USERS: [&str; 2] = ["user_key", "uid"];

/// They outlive connections, so that a message which comes again waits for what is still done about it.
pub(super) struct Workers {
    // Never fuller than what the broker sends ahead, and what lost connections left behind.
    lanes: Vec<UnboundedSender<Taken>>,
    tasks: JoinSet<()>,
}

/// A message that was taken from the broker.
struct Taken {
    delivery: Delivery,
    parameters: Option<Parameters>,
    session: Session,
}

impl Workers {
    /// Empty ones, for this work.
    pub fn start(work: Work) -> Workers {
        let work = Arc::new(work);
        let mut tasks = JoinSet::new();
        let lanes = (0..WORKERS).map(|_| {
            let (lane, taken) = unbounded_channel();
            tasks.spawn(run(taken, work.clone()));
            lane
        });
        Workers {
            lanes: lanes.collect(),
            tasks,
        }
    }

    /// Puts a message behind those of the same user.
    pub fn put(&self, delivery: Delivery, session: Session) {
        let parameters = parameters(&delivery.data);
        let mut hasher = DefaultHasher::new();
        match parameters.as_ref().and_then(user) {
            Some(user) => user.hash(&mut hasher),
            None => delivery.data.hash(&mut hasher),
        }
        let lane = usize::try_from(hasher.finish() % WORKERS).unwrap_or_default();
        // A lane ends only when this end of it is dropped.
        let _ = self.lanes[lane].send(Taken {
            delivery,
            parameters,
            session,
        });
    }

    /// Returns when all that was put in has been settled or given up.
    pub async fn finish(self) {
        let Workers { lanes, mut tasks } = self;
        drop(lanes);
        while tasks.join_next().await.is_some() {}
    }
}

fn user(parameters: &Parameters) -> Option<&str> {
    USERS.iter().find_map(|name| parameters.text(name))
}

async fn run(mut lane: UnboundedReceiver<Taken>, work: Arc<Work>) {
    while let Some(taken) = lane.recv().await {
        let session = taken.session.clone();
        let settled = settle(taken, &work).await;
        // It is left to the broker for a stop; what is behind it must not overtake it.
        if !settled && session.lasts() {
            return;
        }
    }
}

/// Calls the message's method once, under a request id of its own.
async fn call(
    work: &Work,
    delivery: &Delivery,
    parameters: Option<&Parameters>,
) -> Result<(), CallError> {
    let id = work.request_id();
    id.scope(work.call(delivery, parameters, id.clone())).await
}

/// Does what a message says, and tries until it has done so; whether it has, before that was no longer wanted.
async fn settle(taken: Taken, work: &Work) -> bool {
    let Taken {
        delivery,
        parameters,
        mut session,
    } = taken;
    let name = work.name(&delivery);
    let mut backoff = Backoff::up_to(RETRY_WITHIN);
    let mut level = log::Level::Warn;
    // After its connection is lost the message comes again; with it come those before it, which it must not overtake.
    while session.lasts() {
        let why = match call(work, &delivery, parameters.as_ref()).await {
            Ok(()) => {
                session.acknowledge(&delivery).await;
                return true;
            }
            Err(CallError::Fault(fault)) => match session.bury(&delivery, &fault).await {
                Ok(()) => {
                    log::warn!("dead-lettered method={name} code={}", fault.code);
                    session.acknowledge(&delivery).await;
                    return true;
                }
                Err(why) => format!("it cannot be dead-lettered: {why}"),
            },
            Err(CallError::Busy) => "too much is waiting".to_owned(),
            Err(CallError::Internal) => "it failed".to_owned(),
        };
        log::log!(level, "a message is tried again: method={name}: {why}");
        // Once is enough: an outage may be long, and many messages wait for its end.
        level = log::Level::Debug;
        if !session.wait(backoff.next()).await {
            break;
        }
    }
    false
}
