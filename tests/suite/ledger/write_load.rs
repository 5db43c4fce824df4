//! Many clients that write concurrently and record the outcomes, and a check of the ledger against their records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::program::Client;

/// The number of users over which a load is spread.
const UIDS: usize = 6;
/// The number of concurrent requests of [`resend`].
const AT_ONCE: usize = 16;
/// The limit for every wait on a load.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause of a steady load's client after each write. It keeps the number of writes low, each of which is checked afterwards.
const REST: Duration = Duration::from_millis(40);
/// The answers to an internal error and to a full queue.
const BROKEN: [&str; 2] = [
    r#"{"code":500,"message":"系统错误"}"#,
    r#"{"code":503,"message":"系统繁忙"}"#,
];

/// A write: coins that a user earns or spends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    uid: String,
    num: i64,
    reference: String,
}

/// The outcome of a write, as far as its client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The write counts; this is the body of the answer.
    Acknowledged(String),
    /// The write does not count: too few coins.
    Rejected,
    /// An internal error or a full queue: the write may count.
    Failed,
    /// The request failed without an answer.
    Unanswered,
}

impl Outcome {
    /// Whether the client cannot know if the write counts.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Outcome::Failed | Outcome::Unanswered)
    }
}

/// A write that was sent.
#[derive(Clone, Debug)]
pub struct SentWrite {
    /// The write as sent.
    pub write: Write,
    /// What its client knows of it.
    pub outcome: Outcome,
}

/// A row of a user's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The reference; empty if the row has none.
    pub reference: String,
    /// The amount in coins; negative for an expense.
    pub num: i64,
    /// The reason, `type` on the wire.
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

    /// The reason: 18 for a good review, 19 for goods.
    fn kind(&self) -> i64 {
        if self.num > 0 { 18 } else { 19 }
    }

    /// A write per user, each of which earns.
    pub fn one_per_user(label: &str) -> Vec<Write> {
        (0..UIDS).map(|i| Write::nth(label, i, 0)).collect()
    }

    /// Sends the write; an error means that no answer came.
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

/// A running load.
pub struct Load {
    acknowledged: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<SentWrite>>>,
}

impl Load {
    /// Starts `clients` clients, each of which sends `each` writes in sequence, and stops at the first without an answer.
    pub fn start(client: &Client, label: &str, clients: usize, each: usize) -> Load {
        Load::run(client, label, clients, each, Duration::ZERO)
    }

    /// Starts `clients` clients that write and pause until they are stopped.
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

    /// Waits until `more` further writes have been acknowledged.
    pub async fn wait_for_more(&self, more: usize) {
        let so_far = self.acknowledged.load(Ordering::Relaxed);
        self.wait_for_acknowledged(so_far + more).await;
    }

    /// Lets each client finish its write, and returns all writes.
    pub async fn stop(self) -> Vec<SentWrite> {
        self.stopped.store(true, Ordering::Relaxed);
        self.join().await
    }

    /// Waits until `many` writes have been acknowledged.
    pub async fn wait_for_acknowledged(&self, many: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.acknowledged.load(Ordering::Relaxed) < many {
            let over = self.clients.iter().all(JoinHandle::is_finished);
            assert!(!over, "the load ended before {many} were acknowledged");
            assert!(Instant::now() < deadline, "{many} are not acknowledged");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until all clients have ended, and returns all writes.
    pub async fn join(self) -> Vec<SentWrite> {
        let mut sent = Vec::new();
        for client in self.clients {
            sent.extend(client.await.unwrap());
        }
        sent
    }
}

/// Checks the ledger against the recorded outcomes: it has each acknowledged write once, an unknown one at most once, a rejected
/// one never, and nothing else. Balances are the sums of the rows. Returns each user's rows.
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

/// Sends writes again, [`AT_ONCE`] at a time, and returns the new outcomes in the order of the writes.
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

/// Sends the acknowledged writes again, which must get the same answers.
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

/// Sends the writes with an unknown outcome again, and records the outcome.
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
