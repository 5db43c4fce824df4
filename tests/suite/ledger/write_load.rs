//! Many clients that write at once and remember what they were outcome, and the check of the ledger against their memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::program::Client;

/// Users over which a load is spread.
const UIDS: usize = 6;
/// Requests under way at a time when they are sent again.
const AT_ONCE: usize = 16;
/// A load must come to where it is waited for within this.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a client of a steady load rests after each write: there is to be a load for as long as it takes, and no more to be
/// checked afterwards than that needs.
const REST: Duration = Duration::from_millis(40);
/// What the gateway says where it is broken, or too much is waiting.
const BROKEN: [&str; 2] = [
    r#"{"code":500,"message":"系统错误"}"#,
    r#"{"code":503,"message":"系统繁忙"}"#,
];

/// One write: coins that come, or coins that go for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    uid: String,
    num: i64,
    reference: String,
}

/// What its client was outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It counts; the body of the answer.
    Acknowledged(String),
    /// It does not count: too few coins.
    Rejected,
    /// That something broke.
    Failed,
    /// Nothing.
    Unanswered,
}

impl Outcome {
    /// Whether its client cannot know if it counts.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Outcome::Failed | Outcome::Unanswered)
    }
}

/// A write that was sent.
#[derive(Clone, Debug)]
pub struct SentWrite {
    /// What.
    pub write: Write,
    /// What came back.
    pub outcome: Outcome,
}

/// A row of a user's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Empty where there is none.
    pub reference: String,
    /// Coins, signed.
    pub num: i64,
    /// Its type.
    pub kind: i64,
}

impl Write {
    /// The `i`-th write of a client: two that earn, then one that spends; users and amounts vary.
    fn nth(label: &str, client: usize, i: usize) -> Write {
        let spends = i % 3 == 2;
        let amount = i64::try_from(1 + (i * 7 + client) % 50).unwrap();
        Write {
            uid: (50030000 + (client + i) % UIDS).to_string(),
            num: if spends { -amount } else { amount },
            reference: format!("{label}-{client}-{i}"),
        }
    }

    /// Its type on the wire: a good review, or goods.
    fn kind(&self) -> i64 {
        if self.num > 0 { 18 } else { 19 }
    }

    /// One that earns for each user.
    pub fn one_per_user(label: &str) -> Vec<Write> {
        (0..UIDS).map(|i| Write::nth(label, i, 0)).collect()
    }

    /// Sends it.
    pub async fn send(&self, client: &Client) -> Result<Outcome, ()> {
        let (method, name) = match self.num > 0 {
            true => ("app.yohocoin.get", "referenceId"),
            false => ("app.yohocoin.subtract", "orderCode"),
        };
        let (num, kind) = (self.num.to_string(), self.kind().to_string());
        let parameters = [
            ("method", method),
            ("uid", &self.uid),
            ("num", num.as_str()),
            ("type", &kind),
            (name, &self.reference),
        ];
        let answer = client.call(&parameters).await.map_err(|_| ())?;
        match answer.code() {
            200 => Ok(Outcome::Acknowledged(answer.text)),
            407 => Ok(Outcome::Rejected),
            _ if answer.status >= 500 => {
                assert!(BROKEN.contains(&&*answer.text), "{}", answer.text);
                Ok(Outcome::Failed)
            }
            _ => panic!("{self:?}: {}", answer.text),
        }
    }
}

/// A load that runs.
pub struct Load {
    acknowledged: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<SentWrite>>>,
}

impl Load {
    /// Starts so many clients, each with so many writes one after the other; one that is cut off ends.
    pub fn start(client: &Client, label: &str, clients: usize, each: usize) -> Load {
        Load::run(client, label, clients, each, Duration::ZERO)
    }

    /// Starts so many clients that write, and rest, until they are stopped.
    pub fn steady(client: &Client, label: &str, clients: usize) -> Load {
        Load::run(client, label, clients, usize::MAX, REST)
    }

    fn run(client: &Client, label: &str, clients: usize, each: usize, rest: Duration) -> Load {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let one = |number: usize| {
            let (client, label) = (client.clone(), label.to_owned());
            let (acknowledged, stopped) = (acknowledged.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut sent = Vec::new();
                for i in 0..each {
                    if stopped.load(Ordering::Relaxed) {
                        break;
                    }
                    let write = Write::nth(&label, number, i);
                    let outcome = write.send(&client).await;
                    if matches!(outcome, Ok(Outcome::Acknowledged(_))) {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    let cut = outcome.is_err();
                    let outcome = outcome.unwrap_or(Outcome::Unanswered);
                    sent.push(SentWrite { write, outcome });
                    if cut {
                        break;
                    }
                    if !rest.is_zero() {
                        sleep(rest).await;
                    }
                }
                sent
            })
        };
        let clients = (0..clients).map(one).collect();
        Load {
            acknowledged,
            stopped,
            clients,
        }
    }

    /// Waits until so many more writes have been acknowledged.
    pub async fn wait_for_more(&self, more: usize) {
        let so_far = self.acknowledged.load(Ordering::Relaxed);
        self.wait_for_acknowledged(so_far + more).await;
    }

    /// Lets each client finish its write, and gives what they sent.
    pub async fn stop(self) -> Vec<SentWrite> {
        self.stopped.store(true, Ordering::Relaxed);
        self.join().await
    }

    /// Waits until so many writes have been acknowledged.
    pub async fn wait_for_acknowledged(&self, many: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.acknowledged.load(Ordering::Relaxed) < many {
            let over = self.clients.iter().all(JoinHandle::is_finished);
            assert!(!over, "the load ended before {many} were acknowledged");
            assert!(Instant::now() < deadline, "{many} are not acknowledged");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits for all clients, and gives what they sent.
    pub async fn join(self) -> Vec<SentWrite> {
        let mut sent = Vec::new();
        for client in self.clients {
            sent.extend(client.await.unwrap());
        }
        sent
    }
}

/// Checks that the ledger is what the clients remember: each acknowledged write stands there once, one without an answer
/// once or not at all, a refused one not at all, and nothing else; balances are the sums of the rows. Gives the rows.
pub async fn check(client: &Client, sent: &[SentWrite]) -> BTreeMap<String, Vec<Row>> {
    let mut users: BTreeMap<String, BTreeMap<&str, &SentWrite>> = BTreeMap::new();
    for one in sent {
        let of_user = users.entry(one.write.uid.clone()).or_default();
        let twice = of_user.insert(&one.write.reference, one);
        assert!(twice.is_none(), "a reference that is not unique: {one:?}");
    }
    let mut all = BTreeMap::new();
    for (uid, mut expected) in users {
        let rows = history(client, &uid).await;
        for row in &rows {
            let one = expected.remove(row.reference.as_str());
            let one = one.unwrap_or_else(|| panic!("{uid} has {row:?} twice or for nothing"));
            assert_eq!((row.num, row.kind), (one.write.num, one.write.kind()));
            assert_ne!(one.outcome, Outcome::Rejected, "{uid} was refused {row:?}");
        }
        for one in expected.values() {
            assert!(
                !matches!(one.outcome, Outcome::Acknowledged(_)),
                "{one:?} is lost"
            );
        }
        let sum: i64 = rows.iter().map(|row| row.num).sum();
        assert_eq!(client.total(&uid).await, sum, "the balance of {uid}");
        all.insert(uid, rows);
    }
    all
}

/// A user's whole history, newest first.
pub async fn history(client: &Client, uid: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for page in 1.. {
        let data = client
            .call_ok(&[
                ("method", "app.yohocoin.lists"),
                ("uid", uid),
                ("limit", "100"),
                ("page", &page.to_string()),
            ])
            .await;
        let found = data["coinlist"].as_array().unwrap();
        rows.extend(found.iter().map(|row| Row {
            reference: row["key"].as_str().unwrap_or_default().to_owned(),
            num: row["num"].as_i64().unwrap(),
            kind: row["type"].as_i64().unwrap(),
        }));
        if found.is_empty() {
            assert_eq!(data["total"], rows.len(), "rows of {uid}");
            break;
        }
    }
    rows
}

/// Sends writes again, several at a time, and gives what was outcome now, in their order.
pub async fn resend(client: &Client, writes: Vec<Write>) -> Vec<Outcome> {
    let mut outcome = BTreeMap::new();
    let mut running = JoinSet::new();
    let mut waiting = writes.into_iter().enumerate();
    loop {
        while running.len() < AT_ONCE
            && let Some((i, write)) = waiting.next()
        {
            let client = client.clone();
            running.spawn(async move { (i, write.send(&client).await.unwrap()) });
        }
        match running.join_next().await {
            Some(one) => outcome.extend([one.unwrap()]),
            None => return outcome.into_values().collect(),
        }
    }
}

/// Sends again what was acknowledged, which is to be answered as it was.
pub async fn repeat_acknowledged(client: &Client, sent: &[SentWrite]) {
    let done = sent
        .iter()
        .filter(|one| matches!(one.outcome, Outcome::Acknowledged(_)))
        .collect::<Vec<_>>();
    let writes = done.iter().map(|one| one.write.clone()).collect();
    let now = resend(client, writes).await;
    assert_eq!(now.len(), done.len());
    for (one, now) in done.iter().zip(now) {
        assert_eq!(one.outcome, now, "{:?} again", one.write);
    }
}

/// As a client does that had no good answer; afterwards it knows.
pub async fn resolve_unknown(client: &Client, sent: &mut [SentWrite]) {
    let mut cut: Vec<&mut SentWrite> = sent
        .iter_mut()
        .filter(|one| one.outcome.is_unknown())
        .collect();
    let writes = cut.iter().map(|one| one.write.clone()).collect();
    let now = resend(client, writes).await;
    for (one, now) in cut.iter_mut().zip(now) {
        assert!(!now.is_unknown(), "{:?}", one.write);
        one.outcome = now;
    }
}
