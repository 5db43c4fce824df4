//! Callers on all paths at once, who check that whatever comes back is what their protocol says.

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

/// Whose coins and scores these are; the load leaves them alone.
const UID: &str = "50039999";
/// How long a caller rests after each call.
const REST: Duration = Duration::from_millis(20);

/// What is called.
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
    /// Whether its requests spend a nonce, so that what is not known of one of them cannot be found out by trying again.
    pub fn spends_a_nonce(self) -> bool {
        matches!(self, Operation::Records | Operation::Add)
    }

    /// Calls it with what has not been sent before; whether that was a success. Anything but a success, or the protocol's own
    /// word for a gateway that is broken or busy, is a failure of the test.
    pub async fn call(self, client: &Client) -> bool {
        let once = next_nonce();
        let seconds = Timestamp::now().as_second();
        let act = |name, params| {
            let envelope = ENVELOPE_SIGNER.envelope(seconds, &once, name, &params);
            let post = client.http.post(format!("{}/api/v2", client.base));
            post.body(envelope.to_string())
        };
        let get = |path: String| client.http.get(format!("{}{path}", client.base));
        let coins = |method, more: &[(&str, &str)]| {
            let parameters = [&[("method", method), ("uid", UID)], more].concat();
            get(format!("/gateway?{}", sign_query(&parameters)))
        };
        let earn = [("num", "1"), ("type", "18"), ("referenceId", &once)];
        let request = match self {
            Operation::Total => coins("app.yohocoin.total", &[]),
            Operation::Overview => coins("app.yoho.yohocoin", &[]),
            Operation::Lists => coins("app.yohocoin.lists", &[]),
            Operation::Earn => coins("app.yohocoin.get", &earn),
            Operation::Records => act("user.user-points-records", json!({"user_id": UID})),
            Operation::Add => act(
                "user.points-add",
                json!({
                    "customerId": UID, "balance": 1, "bizId": once, "reason": "", "sourceType": 1, "pointsChannel": 1,
                }),
            ),
            Operation::Info => {
                let end = seconds + 600;
                let query = format!("user_token={UID}&appKey=testappkey&endtimestamp={end}");
                get(format!("/getUserInfo?{}", sign_community_query(&query)))
            }
            Operation::Notify => {
                let query = sign_action(&format!("{UID} 1 post {once}"), seconds + 600);
                get(format!("/userActionNotify?{query}"))
            }
        };
        let answer = Client::send(request).await;
        let answer = answer.unwrap_or_else(|error| panic!("{self:?} is not answered: {error}"));
        let good = match self {
            Operation::Records | Operation::Add => r#"{"status":true,"code":0,"#,
            Operation::Info | Operation::Notify => r#"{"code":200,"msg":"ok","#,
            _ => r#""code":200,"#,
        };
        if answer.status == 200 && answer.text.contains(good) {
            return true;
        }
        let broken: &[_] = match self {
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
        let told = (answer.status, &*answer.text);
        assert!(broken.contains(&told), "{self:?}: {told:?}");
        false
    }
}

/// Calls each path so many times in a row, and then all of them at once; all must succeed.
pub async fn all_succeed(client: &Client, times: usize) {
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

/// One caller for each path, who calls until stopped.
pub struct Callers {
    callers: Vec<Caller>,
    stopped: Arc<AtomicBool>,
}

struct Caller {
    path: Operation,
    good: Arc<AtomicUsize>,
    broken: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Callers {
    /// Who call from now on.
    pub async fn start(client: &Client) -> Callers {
        // Of somebody who never had any points there are no records.
        assert!(Operation::Earn.call(client).await, "nothing is wrong yet");
        let stopped = Arc::new(AtomicBool::new(false));
        let caller = |path: Operation| {
            let (good, broken) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
            let counts = [good.clone(), broken.clone()];
            let (client, stopped) = (client.clone(), stopped.clone());
            let task = tokio::spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    let broken = usize::from(!path.call(&client).await);
                    counts[broken].fetch_add(1, Ordering::Relaxed);
                    sleep(REST).await;
                }
            });
            Caller {
                path,
                good,
                broken,
                task,
            }
        };
        let callers = ALL.map(caller).into();
        Callers { callers, stopped }
    }

    /// Waits until each has had one more success.
    pub async fn all_succeed(&self) {
        self.more(|caller| &caller.good).await;
    }

    /// Waits until each has been told once more that the gateway is broken or busy.
    pub async fn all_fail(&self) {
        self.more(|caller| &caller.broken).await;
    }

    async fn more(&self, count: impl Fn(&Caller) -> &AtomicUsize) {
        let counts = || -> Vec<usize> {
            let counts = self.callers.iter();
            counts.map(|it| count(it).load(Ordering::Relaxed)).collect()
        };
        let (before, deadline) = (counts(), Instant::now() + PATIENCE);
        loop {
            let now = counts();
            let waits = |&i: &usize| now[i] <= before[i];
            let Some(i) = (0..now.len()).find(waits) else {
                return;
            };
            let caller = &self.callers[i];
            assert!(!caller.task.is_finished(), "{:?} has ended", caller.path);
            assert!(Instant::now() < deadline, "{:?} waits", caller.path);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets each finish its call, and gives the paths of those who were told at least once that the gateway is broken.
    pub async fn stop(self) -> Vec<Operation> {
        self.stopped.store(true, Ordering::Relaxed);
        let mut broken = Vec::new();
        for caller in self.callers {
            caller.task.await.unwrap();
            if caller.broken.load(Ordering::Relaxed) > 0 {
                broken.push(caller.path);
            }
        }
        broken
    }
}
