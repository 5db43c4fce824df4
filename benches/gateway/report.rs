//! The printed report: throughput and latency of each variant, and ratios beside their goals.

use std::time::Duration;

use crate::load::{CONNECTIONS, Round};
use crate::workload::MEMBERS;

/// A measured variant and the results of its rounds.
pub(crate) struct Variant {
    name: &'static str,
    rates: Vec<f64>,
    latencies: Vec<u32>,
}

impl Variant {
    /// A variant without results.
    pub(crate) fn new(name: &'static str) -> Variant {
        Variant {
            name,
            rates: Vec::new(),
            latencies: Vec::new(),
        }
    }

    /// Adds the result of a round.
    pub(crate) fn add(&mut self, round: Round) {
        self.rates.push(round.rate());
        self.latencies.extend(round.latencies);
    }

    fn line(&mut self) -> String {
        self.latencies.sort_unstable();
        let (median, min, max) = spread(&self.rates);
        format!(
            "{:<40}{median:>10.0}{min:>10.0}{max:>10.0}{:>9.2}{:>9.2}",
            self.name,
            self.percentile(50),
            self.percentile(99),
        )
    }

    /// A percentile of the latencies, which must be sorted, in milliseconds.
    fn percentile(&self, percent: usize) -> f64 {
        let at = self.latencies.len() * percent / 100;
        let micros = self.latencies.get(at).copied().unwrap_or(0);
        f64::from(micros) / 1000.0
    }
}

/// Prints the processor time for one request of a flood as a multiple of that for ten ordinary ones, beside the goal.
pub(crate) fn flood(name: &str, ratios: &[f64]) {
    let (median, min, max) = spread(ratios);
    let goal = verdict(median <= 1.0);
    println!("{name:<40}{median:>10.2}{min:>10.2}{max:>10.2}   goal ≤ 1: {goal}");
}

/// Prints the conditions of the measurement.
pub(crate) fn conditions(rounds: usize, seconds: f64) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{rounds} rounds of {seconds} s per variant after a warm-up round, {CONNECTIONS} connections, {MEMBERS} members per \
         group; server and load generator share {cores} cores"
    );
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Option<f64> = load.split(' ').next().and_then(|load| load.parse().ok());
    if let Some(load) = load.filter(|load| *load > cores as f64 / 2.0) {
        println!(
            "NOTE: the machine is busy (load average {load}), which slows disk flushes most: (d) looks slower than it is"
        );
    }
    println!();
}

/// Prints a line for each variant.
pub(crate) fn variants(variants: &mut [Variant]) {
    println!(
        "{:<40}{:>10}{:>10}{:>10}{:>9}{:>9}",
        "requests per second", "median", "min", "max", "p50 ms", "p99 ms"
    );
    for variant in variants {
        println!("{}", variant.line());
    }
    println!();
}

/// Prints how many times faster `upper` is than `lower`: the median, minimum and maximum of the ratios of each round.
pub(crate) fn ratio(what: &str, upper: &Variant, lower: &Variant, goal: Option<f64>) {
    let ratios: Vec<f64> = upper
        .rates
        .iter()
        .zip(&lower.rates)
        .map(|(u, l)| u / l)
        .collect();
    let (median, min, max) = spread(&ratios);
    let goal = goal.map_or(String::new(), |goal| {
        format!("goal ≥ {goal}: {}", verdict(median >= goal))
    });
    println!("{what:<40}{median:>10.2}{min:>10.2}{max:>10.2}   {goal}");
}

/// Prints the resident memory of the server, in MiB.
pub(crate) fn memory(now: f64, peak: f64, goal: f64) {
    println!(
        "{:<40}{now:>10.1}{:>20}   goal < {goal}: {}",
        "resident memory of pointgate, MiB",
        format!("(peak {peak:.1})"),
        verdict(now < goal)
    );
}

/// Prints the conditions of the history measurement, and the header of its table.
pub(crate) fn history(entries: i64, written_in: Duration, reads: usize) {
    let seconds = written_in.as_secs_f64();
    println!(
        "\na history of {entries} entries, written in {seconds:.1} s; each page is read {reads} times"
    );
    println!(
        "{:<40}{:>10}{:>10}{:>10}",
        "median µs per page", "first", "far", "ratio"
    );
}

/// Prints the median times of the first page of a list and of a far one.
pub(crate) fn pages(what: &str, first: f64, far: f64) {
    let ratio = far / first;
    println!("{what:<40}{first:>10.0}{far:>10.0}{ratio:>10.2}");
}

fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}

/// The median, minimum and maximum.
pub(crate) fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let half = values.len() / 2;
    let median = match values.len() % 2 {
        0 => (at(half.wrapping_sub(1)) + at(half)) / 2.0,
        _ => at(half),
    };
    (median, at(0), at(values.len().wrapping_sub(1)))
}
