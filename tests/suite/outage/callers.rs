//! Concurrent callers of every endpoint, which check that each answer is one that its protocol allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::PATIENCE;
use crate::openapi::client::{ENVELOPE_SIGNER, next_nonce};
use crate::osx::client::{sign_action, sign_query as sign_community_query};
use crate::program::{Client, sign_query};

/// The user of these calls, whom the write load does not touch.
const UID: &str = "50039999";
/// The pause of a caller after each call.
const REST: Duration = Duration::from_millis(20);

/// A method or path that a caller calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Total,
    Overview,
    Lists,
    Earn,
    Records,
    Add,
    Info,
    Notify,
}

pub const ALL: [Operation; 8] = [
    Operation::Total,
    Operation::Overview,
    Operation::Lists,
    Operation::Earn,
    Operation::Records,
    Operation::Add,
    Operation::Info,
    Operation::Notify,
];

impl Operation {
    /// Whether a request uses a nonce: if its answer is lost, a retry is refused and tells nothing about the first attempt.
    pub fn uses_a_nonce(self) -> bool {
        matches!(self, Operation::Records | Operation::Add)
    }

    /// Sends a new request and returns whether it succeeded. Panics unless the answer is a success or what the protocol defines
    /// for an internal error or a full queue.
    pub async fn call(self, client: &Client) -> bool {
        let unique = next_nonce();
        let seconds = Timestamp::now().as_second();
        let act = |name, params| {
            let envelope = ENVELOPE_SIGNER.envelope(seconds, &unique, name, &params);
            let post = client.http.post(format!("{}/api/v2", client.base));
            post.body(envelope.to_string())
        };
        let get = |path: String| client.http.get(format!("{}{path}", client.base));
        let coins = |method, more: &[(&str, &str)]| {
            let parameters = [&[("method", method), ("uid", UID)], more].concat();
            get(format!("/gateway?{}", sign_query(&parameters)))
        };
        let earn = [("num", "1"), ("type", "18"), ("referenceId", &unique)];
        let request = match self {
            Operation::Total => coins("app.yohocoin.total", &[]),
            Operation::Overview => coins("app.yoho.yohocoin", &[]),
            Operation::Lists => coins("app.yohocoin.lists", &[]),
            Operation::Earn => coins("app.yohocoin.get", &earn),
            Operation::Records => act("user.user-points-records", json!({"user_id": UID})),
            Operation::Add => act(
                "user.points-add",
                json!({
                    "customerId": UID, "balance": 1, "bizId": unique, "reason": "", "sourceType": 1, "pointsChannel": 1,
                }),
            ),
            Operation::Info => {
                let end = seconds + 600;
                let query = format!("user_token={UID}&appKey=testappkey&endtimestamp={end}");
                get(format!("/getUserInfo?{}", sign_community_query(&query)))
            }
            Operation::Notify => {
                let query = sign_action(&format!("{UID} 1 post {unique}"), seconds + 600);
                get(format!("/userActionNotify?{query}"))
            }
        };
        let answer = Client::send(request).await;
        let answer = answer.unwrap_or_else(|error| panic!("{self:?} is not answered: {error}"));
        let success = match self {
            Operation::Records | Operation::Add => r#"{"status":true,"code":0,"#,
            Operation::Info | Operation::Notify => r#"{"code":200,"msg":"ok","#,
            _ => r#""code":200,"#,
        };
        if answer.status == 200 && answer.text.contains(success) {
            return true;
        }
        let failures: &[_] = match self {
            Operation::Records | Operation::Add => &[(
                500,
                r#"{"status":false,"code":500000,"message":"系统错误"}"#,
            )],
            Operation::Info | Operation::Notify => {
                &[(500, r#"{"code":500,"msg":"error","data":"系统错误"}"#)]
            }
            _ => &[
                (500, r#"{"code":500,"message":"系统错误"}"#),
                (503, r#"{"code":503,"message":"系统繁忙"}"#),
            ],
        };
        let answered = (answer.status, &*answer.text);
        assert!(failures.contains(&answered), "{self:?}: {answered:?}");
        false
    }
}

/// Calls each operation `times` times in sequence and then all of them concurrently. All calls must succeed.
pub async fn assert_all_succeed(client: &Client, times: usize) {
    for i in 0..times {
        for path in ALL {
            assert!(path.call(client).await, "{path:?}, call {i}");
        }
    }
    let at_once = (0..times).flat_map(|_| ALL).map(|path| async move {
        assert!(path.call(client).await, "{path:?}, among others");
    });
    futures_util::future::join_all(at_once).await;
}

/// One caller per operation, which calls until stopped.
pub struct Callers {
    callers: Vec<Caller>,
    stopped: Arc<AtomicBool>,
}

struct Caller {
    path: Operation,
    successes: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Callers {
    /// Starts the callers.
    pub async fn start(client: &Client) -> Callers {
        // `Records` fails for a user who never had points.
        assert!(Operation::Earn.call(client).await, "nothing is wrong yet");
        let stopped = Arc::new(AtomicBool::new(false));
        let caller = |path: Operation| {
            let (successes, failures) =
                (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
            let counts = [successes.clone(), failures.clone()];
            let (client, stopped) = (client.clone(), stopped.clone());
            let task = tokio::spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    let failed = usize::from(!path.call(&client).await);
                    counts[failed].fetch_add(1, Ordering::Relaxed);
                    sleep(REST).await;
                }
            });
            Caller {
                path,
                successes,
                failures,
                task,
            }
        };
        let callers = ALL.map(caller).into();
        Callers { callers, stopped }
    }

    /// Waits until each caller has had one more success.
    pub async fn all_succeed(&self) {
        self.wait_for_one_more(|caller| &caller.successes).await;
    }

    /// Waits until each caller has had one more answer that the gateway is broken or busy.
    pub async fn all_fail(&self) {
        self.wait_for_one_more(|caller| &caller.failures).await;
    }

    async fn wait_for_one_more(&self, count: impl Fn(&Caller) -> &AtomicUsize) {
        let counts = || -> Vec<usize> {
            let counts = self.callers.iter();
            counts.map(|it| count(it).load(Ordering::Relaxed)).collect()
        };
        let (before, deadline) = (counts(), Instant::now() + PATIENCE);
        loop {
            let now = counts();
            let unchanged = |&i: &usize| now[i] <= before[i];
            let Some(i) = (0..now.len()).find(unchanged) else {
                return;
            };
            let caller = &self.callers[i];
            assert!(!caller.task.is_finished(), "{:?} has ended", caller.path);
            assert!(Instant::now() < deadline, "{:?} waits", caller.path);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets each caller finish its call, and returns the operations that failed at least once.
    pub async fn stop(self) -> Vec<Operation> {
        self.stopped.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for caller in self.callers {
            caller.task.await.unwrap();
            if caller.failures.load(Ordering::Relaxed) > 0 {
                failed.push(caller.path);
            }
        }
        failed
    }
}
