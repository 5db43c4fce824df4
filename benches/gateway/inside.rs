//! The ledger without HTTP: the same write, asked for in this process by as many callers as wait at a busy gateway.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pointgate::clock::Clock;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Idempotency, NEVER, Posting, PostingKind, Reason,
};
use pointgate::ledger::{Ledger, Settings};
use pointgate::points::EXPIRED;
use tokio::runtime::Runtime;

use crate::load::Round;

/// Callers, each with one write in flight.
const CALLERS: usize = 256;
/// Accounts of each caller, which no other touches.
const ACCOUNTS: usize = 40;
/// What a write brings.
const AMOUNT: i64 = 7;

/// A ledger in this process.
pub(crate) struct Inside {
    runtime: Runtime,
    ledger: Ledger,
    /// How many writes each caller has had acknowledged.
    done: Vec<Arc<AtomicUsize>>,
}

impl Inside {
    /// Opens it, with the limits of the committed configuration.
    pub(crate) fn open(url: &str) -> Result<Inside, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let settings = Settings {
            queue: 4096,
            batch: 512,
            writers: 0,
            expiry_reason: EXPIRED,
        };
        let ledger = runtime.block_on(Ledger::open(url, settings, Clock::system()))?;
        let done = (0..CALLERS).map(|_| Arc::default()).collect();
        Ok(Inside {
            runtime,
            ledger,
            done,
        })
    }

    /// One round; each receipt is compared with what was acknowledged before.
    pub(crate) fn round(&self, time: Duration) -> Result<Round, String> {
        let begun = Instant::now();
        let mut callers = Vec::new();
        for (caller, done) in self.done.iter().enumerate() {
            let (ledger, done) = (self.ledger.clone(), done.clone());
            let until = begun + time;
            let work = async move { call(&ledger, caller, &done, until).await };
            callers.push(self.runtime.spawn(work));
        }
        let mut latencies = Vec::new();
        for caller in callers {
            let times = self.runtime.block_on(caller);
            latencies.extend(times.map_err(|error| error.to_string())??);
        }
        Ok(Round {
            done: latencies.len(),
            elapsed: begun.elapsed(),
            latencies,
        })
    }

    /// Audits it against what was acknowledged, and closes it.
    pub(crate) fn close(self) -> Result<(), String> {
        let writes: usize = self.done.iter().map(|it| it.load(Ordering::Relaxed)).sum();
        let report = self.runtime.block_on(async {
            let report = self.ledger.audit(|_, _| {}).await;
            self.ledger.close().await;
            report
        });
        let report = report.map_err(|error| format!("the books in process are off: {error}"))?;
        let should = writes as i128 * i128::from(AMOUNT);
        match report.points == should && report.entries == writes as u64 {
            true => Ok(()),
            false => Err(format!(
                "in process {writes} writes were acknowledged, but the books have {report:?}"
            )),
        }
    }
}

async fn call(
    ledger: &Ledger,
    caller: usize,
    done: &AtomicUsize,
    until: Instant,
) -> Result<Vec<u32>, String> {
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let number = done.load(Ordering::Relaxed);
        let owner = format!("uid:{}", caller * ACCOUNTS + number % ACCOUNTS);
        let reference = format!("review-{caller}-{number}");
        let posting = Posting {
            kind: PostingKind::Earn {
                amount: AMOUNT,
                expires_at: NEVER,
            },
            reason: Reason(18),
            idempotency: Some(Idempotency {
                key: Key::of(&[&owner, "coin", "18", &reference]),
                fingerprint: Key::of(&["7"]),
            }),
            account: AccountKey {
                owner,
                asset: "coin".into(),
            },
            requires: None,
            reference: Some(reference),
            message: None,
            operator: None,
        };
        let sent = Instant::now();
        let receipt = ledger.post(posting).await.map_err(|e| e.to_string())?;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        let should = (number / ACCOUNTS + 1) as i64 * AMOUNT;
        if receipt.balance != should {
            return Err(format!(
                "in process a receipt says {receipt:?} instead of {should}"
            ));
        }
        done.store(number + 1, Ordering::Relaxed);
    }
    Ok(latencies)
}
