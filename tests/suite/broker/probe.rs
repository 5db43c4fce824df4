//! A method that fails on request and records its calls, and a consumer of it in this process.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pointgate::broker::{self, RunningConsumer};
use pointgate::clock::Clock;
use pointgate::config::Config;
use pointgate::gateway::context::{Context, Delivery};
use pointgate::gateway::fault::{CallError, Fault};
use pointgate::gateway::keys::KeyRegister;
use pointgate::gateway::method::Method;
use pointgate::gateway::metrics::Metrics;
use pointgate::gateway::registry::Registry;
use pointgate::gateway::service::Service;
use pointgate::gateway::value::Text;
use pointgate::params;
use pointgate::yoho::Yoho;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::test_broker::{TestBroker, url};

/// The limit for every wait.
const PATIENCE: Duration = Duration::from_secs(60);
/// The call timeout of [`consume`].
const WITHIN: Duration = Duration::from_millis(500);

params! {
    /// The parameters of the probe method.
    pub struct Params {
        /// the user, whose messages are called in order
        user_key: Text<64> = required,
        /// the number of the message within the user's
        n: i64 = required,
        /// the outcomes of the attempts, the last one for all further attempts: ok, busy, broken, panic, hang, wait, no
        ends: Text<255> = required,
    }
}

/// The reply has no fields.
#[derive(Serialize)]
pub struct EmptyReply {}

/// A recorded attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCall {
    /// The user of the message.
    pub user: String,
    /// The message's number within the user's.
    pub n: i64,
    /// The attempt's outcome.
    pub end: String,
    /// The message's id.
    pub id: Option<String>,
}

/// The record of all calls.
#[derive(Default)]
pub struct CallLog {
    called: Mutex<Vec<RecordedCall>>,
    active: Mutex<BTreeMap<String, usize>>,
    /// The largest number of users with a call at the same time.
    pub max_concurrent: AtomicUsize,
    /// Resumes calls whose outcome is `wait`.
    pub resume: Notify,
}

impl CallLog {
    /// All calls that have ended, in the order of their ends.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.called.lock().unwrap().clone()
    }

    /// Waits until `many` calls have ended, and returns them.
    pub async fn wait_for_calls(&self, many: usize) -> Vec<RecordedCall> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let called = self.calls();
            if called.len() >= many {
                return called;
            }
            assert!(Instant::now() < deadline, "{called:?}");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until `many` users have had a call at the same time.
    pub async fn wait_for_concurrency(&self, many: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.max_concurrent.load(Ordering::SeqCst) < many {
            assert!(Instant::now() < deadline, "not {many} at a time");
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn begin(&self, call: &RecordedCall) {
        let mut active = self.active.lock().unwrap();
        let of_user = active.entry(call.user.clone()).or_default();
        *of_user += 1;
        if *of_user > 1 {
            // The consumer would catch a panic, so record the overlap as an outcome.
            let end = "at the same time".to_owned();
            self.called.lock().unwrap().push(RecordedCall {
                end,
                ..call.clone()
            });
        }
        self.max_concurrent
            .fetch_max(active.len(), Ordering::SeqCst);
    }

    fn end(&self, called: RecordedCall) {
        self.active.lock().unwrap().remove(&called.user);
        self.called.lock().unwrap().push(called);
    }
}

/// The method `probe.note`.
struct ProbeMethod;

impl Method for ProbeMethod {
    const NAME: &'static str = "probe.note";
    const SUMMARY: &'static str = "records its calls";
    const EXAMPLE: &'static str = "user_key=u&n=1&ends=ok";
    const MESSAGE: &'static str = "ok";
    type State = CallLog;
    type Details = Delivery;
    type Params = Params;
    type Reply = EmptyReply;

    async fn call(
        log: &CallLog,
        params: Params,
        context: Context<Delivery>,
    ) -> Result<EmptyReply, CallError> {
        let id = context.details.message.map(|message| message.id);
        let (Text(user), n, Text(ends)) = (params.user_key, params.n, params.ends);
        let tried = |it: &RecordedCall| it.user == user && it.n == n;
        let tries = log.calls().into_iter().filter(tried).count();
        let ends: Vec<&str> = ends.split(' ').collect();
        let end = ends[tries.min(ends.len() - 1)];
        let call = RecordedCall {
            user,
            n,
            end: end.to_owned(),
            id,
        };
        log.begin(&call);
        let held = ActiveCall(log, Some(call));
        tokio::task::yield_now().await;
        if end == "wait" {
            log.resume.notified().await;
        }
        if end == "hang" {
            pending::<()>().await;
        }
        drop(held);
        match end {
            "busy" => Err(CallError::Busy),
            "broken" => Err(CallError::Internal),
            "no" => Err(Fault::new(407, "钻石不足").into()),
            "panic" => panic!("as the message asks"),
            _ => Ok(EmptyReply {}),
        }
    }
}

/// Records the end of a call when dropped, also that of a call whose timeout expires.
struct ActiveCall<'a>(&'a CallLog, Option<RecordedCall>);

impl Drop for ActiveCall<'_> {
    fn drop(&mut self) {
        if let Some(called) = self.1.take() {
            self.0.end(called);
        }
    }
}

/// Starts a consumer whose only method is the probe.
pub fn consume(broker: &TestBroker) -> (RunningConsumer, Arc<CallLog>) {
    consume_with(broker, &url(), WITHIN)
}

/// Starts the consumer with another URL of the broker and another call timeout.
pub fn consume_with(
    broker: &TestBroker,
    url: &str,
    within: Duration,
) -> (RunningConsumer, Arc<CallLog>) {
    let section = broker.section(url);
    let section = section.replace("methods = [", "methods = ['probe.note', ");
    let config = Config::parse(&section, "gateway.toml".as_ref(), &[]).unwrap();
    let log = Arc::new(CallLog::default());
    let mut methods: Registry<Arc<CallLog>, Delivery> = Registry::default();
    methods.add::<ProbeMethod>().unwrap();
    let service = Arc::new(Service {
        name: "probe",
        dialect: Yoho::new(
            &config.yoho,
            &[],
            [],
            &KeyRegister::default(),
            &Metrics::default(),
        ),
        methods: Arc::new(methods),
        state: log.clone(),
        timeout: within,
        dispatcher: None,
    });
    let consumer = broker::start(&config.amqp, service, Clock::system(), &Metrics::default());
    (consumer.unwrap(), log)
}
