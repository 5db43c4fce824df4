//! Pages of one very long history. A far page should cost as much as the first one.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pointgate::clock::Clock;
use pointgate::ledger::book::transaction::{AccountKey, NEVER, Posting, PostingKind, Reason};
use pointgate::ledger::read::history::{Direction, Range, Row};
use pointgate::ledger::{Ledger, Settings};
use pointgate::points::EXPIRED;

use crate::report;

/// Reads of each page.
const READS: usize = 2000;
/// Concurrent postings while the history is written.
const IN_FLIGHT: i64 = 512;
/// Every tenth entry is an expense.
const SPEND_EVERY: i64 = 10;
/// The points of an income.
const EARNED: i64 = 10;
/// The points of an expense.
const SPENT: i64 = 40;

/// Creates an account with this many entries and reads pages of its history.
pub(crate) fn bench(entries: i64) -> Result<(), String> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .map_err(|error| format!("cannot create a directory: {error}"))?;
    let url = format!("sqlite://{}", folder.path().join("history.db").display());
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let settings = Settings {
            queue: 4096,
            batch: 512,
            writers: 0,
            expiry_reason: EXPIRED,
        };
        let ledger = Ledger::open(&url, settings, Clock::system()).await?;
        let begun = Instant::now();
        fill(&ledger, entries).await?;
        report::history(entries, begun.elapsed(), READS);
        for direction in [None, Some(Direction::Expense)] {
            let total = match direction {
                Some(_) => entries / SPEND_EVERY,
                None => entries,
            };
            // With a million entries: page 5,000, in the middle, and page 100,000, the last.
            for (size, far) in [(100, total / 200), (10, total / 10)] {
                let far = far.max(1);
                let list = List {
                    ledger: &ledger,
                    direction,
                    total,
                    size,
                };
                let [near, far_off] = list.compare([1, far]).await?;
                let what = if direction.is_some() {
                    "expenses"
                } else {
                    "all"
                };
                report::pages(
                    &format!("{what}, {size} a page, page 1 and {far}"),
                    near,
                    far_off,
                );
            }
        }
        ledger.close().await;
        Ok(())
    })
}

/// Writes the entries 1, 2, 3, … in this order.
async fn fill(ledger: &Ledger, entries: i64) -> Result<(), String> {
    let mut made = 0;
    while made < entries {
        let next = entries.min(made + IN_FLIGHT);
        let posts = (made + 1..=next).map(|seq| ledger.post(posting(seq)));
        for (seq, receipt) in (made + 1..).zip(join_all(posts).await) {
            let receipt = receipt.map_err(|error| format!("cannot write entry {seq}: {error}"))?;
            if receipt.balance != balance(seq) {
                return Err(format!("entry {seq} left {} points", receipt.balance));
            }
        }
        made = next;
    }
    Ok(())
}

fn account() -> AccountKey {
    AccountKey {
        owner: "uid:50030141".into(),
        asset: "coin".into(),
    }
}

fn posting(seq: i64) -> Posting {
    let (reason, kind) = match seq % SPEND_EVERY {
        0 => (
            9,
            PostingKind::Spend {
                amount: SPENT,
                order: None,
            },
        ),
        _ => (
            18,
            PostingKind::Earn {
                amount: EARNED,
                expires_at: NEVER,
            },
        ),
    };
    Posting {
        account: account(),
        kind,
        reason: Reason(reason),
        idempotency: None,
        requires: None,
        reference: Some(seq.to_string()),
        message: None,
        operator: None,
    }
}

/// The balance after the entry `seq`.
fn balance(seq: i64) -> i64 {
    let spends = seq / SPEND_EVERY;
    (seq - spends) * EARNED - spends * SPENT
}

/// Whether a row is the entry `seq`.
fn is_entry(row: &Row, seq: i64) -> bool {
    let spends = seq / SPEND_EVERY;
    let (amount, direction, direction_seq) = match seq % SPEND_EVERY {
        0 => (-SPENT, 2, spends),
        _ => (EARNED, 1, seq - spends),
    };
    row.reference == Some(seq.to_string())
        && (row.seq, row.amount, row.balance_after) == (seq, amount, balance(seq))
        && (row.direction, row.direction_seq) == (direction, direction_seq)
}

/// A paged list of the history: all entries, or those of one direction.
struct List<'a> {
    ledger: &'a Ledger,
    direction: Option<Direction>,
    total: i64,
    size: i64,
}

impl List<'_> {
    /// Reads the pages in turn; returns the median time of each, in microseconds.
    async fn compare<const N: usize>(&self, pages: [i64; N]) -> Result<[f64; N], String> {
        let mut times = pages.map(|_| Vec::with_capacity(READS));
        for _ in 0..READS {
            for (page, times) in pages.iter().zip(&mut times) {
                times.push(self.read(*page).await?.as_secs_f64() * 1e6);
            }
        }
        Ok(times.map(|times| report::spread(&times).0))
    }

    /// Reads one page, checks it, and returns how long the read took.
    async fn read(&self, page: i64) -> Result<Duration, String> {
        let range = Range {
            account: account(),
            direction: self.direction,
            from: None,
            until: None,
            skip: (page - 1) * self.size,
            limit: self.size,
        };
        let begun = Instant::now();
        let found = self.ledger.history(&range).await;
        let elapsed = begun.elapsed();
        let found = found.map_err(|error| error.to_string())?;
        let found = found.ok_or("the account does not exist")?;
        let last = self.total - range.skip;
        let first = (last - self.size).max(0) + 1;
        let step = self.direction.map_or(1, |_| SPEND_EVERY);
        let expected = (first..=last).rev().map(|at| at * step);
        let rows = &found.entries;
        if found.total != self.total
            || rows.len() != expected.clone().count()
            || !rows
                .iter()
                .zip(expected)
                .all(|(row, seq)| is_entry(row, seq))
        {
            return Err(format!("unexpected page {page} of {range:?}: {found:?}"));
        }
        Ok(elapsed)
    }
}
