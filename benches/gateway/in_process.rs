//! The ledger without HTTP: the same write, called in this process by as many concurrent callers as a busy gateway has.

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

/// Concurrent callers, each with one write in flight.
const CALLERS: usize = 256;
/// Accounts per caller. No other caller uses them.
const ACCOUNTS: usize = 40;
/// The points that a write earns.
const AMOUNT: i64 = 7;

/// A ledger in this process, and its callers.
pub(crate) struct InProcess {
    runtime: Runtime,
    ledger: Ledger,
    /// The number of acknowledged writes of each caller.
    written: Vec<Arc<AtomicUsize>>,
}

impl InProcess {
    /// Opens the ledger at `url` with the limits of the committed configuration.
    pub(crate) fn open(url: &str) -> Result<InProcess, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let settings = Settings {
            queue: 4096,
            batch: 512,
            writers: 0,
            expiry_reason: EXPIRED,
        };
        let ledger = runtime.block_on(Ledger::open(url, settings, Clock::system()))?;
        let written = (0..CALLERS).map(|_| Arc::default()).collect();
        Ok(InProcess {
            runtime,
            ledger,
            written,
        })
    }

    /// Runs one round and checks the balance of each receipt.
    pub(crate) fn round(&self, time: Duration) -> Result<Round, String> {
        let begun = Instant::now();
        let mut callers = Vec::new();
        for (caller, written) in self.written.iter().enumerate() {
            let (ledger, written) = (self.ledger.clone(), written.clone());
            let until = begun + time;
            let work = async move { call(&ledger, caller, &written, until).await };
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

    /// Audits the ledger, compares it with the acknowledged writes, and closes it.
    pub(crate) fn close(self) -> Result<(), String> {
        let writes: usize = self
            .written
            .iter()
            .map(|it| it.load(Ordering::Relaxed))
            .sum();
        let report = self.runtime.block_on(async {
            let report = self.ledger.audit(|_, _| {}).await;
            self.ledger.close().await;
            report
        });
        let report = report.map_err(|error| format!("the audit of (g) failed: {error}"))?;
        let expected = writes as i128 * i128::from(AMOUNT);
        match report.points == expected && report.entries == writes as u64 {
            true => Ok(()),
            false => Err(format!(
                "(g): {writes} writes were acknowledged, but the ledger has {report:?}"
            )),
        }
    }
}

/// Writes until `until`; returns the latencies in microseconds.
async fn call(
    ledger: &Ledger,
    caller: usize,
    written: &AtomicUsize,
    until: Instant,
) -> Result<Vec<u32>, String> {
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let number = written.load(Ordering::Relaxed);
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
        let expected = (number / ACCOUNTS + 1) as i64 * AMOUNT;
        if receipt.balance != expected {
            return Err(format!(
                "(g): a receipt has {receipt:?}, expected a balance of {expected}"
            ));
        }
        written.store(number + 1, Ordering::Relaxed);
    }
    Ok(latencies)
}
