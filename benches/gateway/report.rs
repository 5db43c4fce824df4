//! What is printed: the ways side by side, and their ratios next to what they ought to be.

use std::time::Duration;

use crate::load::{CONNECTIONS, Round};
use crate::stock::MEMBERS;

/// A way to answer, and its rounds.
pub(crate) struct Way {
    name: &'static str,
    rates: Vec<f64>,
    latencies: Vec<u32>,
}

impl Way {
    /// A way without rounds.
    pub(crate) fn new(name: &'static str) -> Way {
        Way {
            name,
            rates: Vec::new(),
            latencies: Vec::new(),
        }
    }

    /// Adds a round.
    pub(crate) fn add(&mut self, round: Round) {
        self.rates.push(round.rate());
        self.latencies.extend(round.latencies);
    }

    fn line(&mut self) -> String {
        self.latencies.sort_unstable();
        let (middle, least, most) = spread(&self.rates);
        format!(
            "{:<40}{middle:>10.0}{least:>10.0}{most:>10.0}{:>9.2}{:>9.2}",
            self.name,
            self.percentile(50),
            self.percentile(99),
        )
    }

    /// In milliseconds; the latencies are sorted.
    fn percentile(&self, percent: usize) -> f64 {
        let at = self.latencies.len() * percent / 100;
        let micros = self.latencies.get(at).copied().unwrap_or(0);
        f64::from(micros) / 1000.0
    }
}

/// Prints under what conditions the figures come about.
pub(crate) fn conditions(rounds: usize, seconds: f64) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{rounds} rounds of {seconds} s a way after one to warm up, {CONNECTIONS} connections, \
         {MEMBERS} members a group, {cores} cores for server and load together"
    );
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Option<f64> = load.split(' ').next().and_then(|load| load.parse().ok());
    if let Some(load) = load.filter(|load| *load > cores as f64 / 2.0) {
        println!(
            "NOTE: the machine is busy with other work (load {load}); waiting for a disk suffers most from that, \
             so (d) looks slower than it is"
        );
    }
    println!();
}

/// Prints a line for each way.
pub(crate) fn ways(ways: &mut [Way]) {
    println!(
        "{:<40}{:>10}{:>10}{:>10}{:>9}{:>9}",
        "requests a second", "median", "min", "max", "p50 ms", "p99 ms"
    );
    for way in ways {
        println!("{}", way.line());
    }
    println!();
}

/// Prints how much faster `upper` is than `lower`: the median of the rounds' own ratios.
pub(crate) fn ratio(what: &str, upper: &Way, lower: &Way, goal: Option<f64>) {
    let ratios: Vec<f64> = upper
        .rates
        .iter()
        .zip(&lower.rates)
        .map(|(u, l)| u / l)
        .collect();
    let (middle, least, most) = spread(&ratios);
    let goal = goal.map_or(String::new(), |goal| {
        format!("goal ≥ {goal}: {}", verdict(middle >= goal))
    });
    println!("{what:<40}{middle:>10.2}{least:>10.2}{most:>10.2}   {goal}");
}

/// Prints the real server's memory in MiB.
pub(crate) fn memory(now: f64, peak: f64, goal: f64) {
    println!(
        "{:<40}{now:>10.1}{:>20}   goal < {goal}: {}",
        "resident memory of pointgate, MiB",
        format!("(peak {peak:.1})"),
        verdict(now < goal)
    );
}

/// Prints what the pages of a history were read from, and the head of their lines.
pub(crate) fn history(entries: i64, made_in: Duration, reads: usize) {
    let seconds = made_in.as_secs_f64();
    println!(
        "\na history of {entries} entries, made in {seconds:.1} s; each page was read {reads} times"
    );
    println!(
        "{:<40}{:>10}{:>10}{:>10}",
        "median µs of a page", "first", "far", "ratio"
    );
}

/// Prints how long the first page of a list took, and one far back.
pub(crate) fn pages(what: &str, first: f64, far: f64) {
    let ratio = far / first;
    println!("{what:<40}{first:>10.0}{far:>10.0}{ratio:>10.2}");
}

fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}

/// Median, least and most.
pub(crate) fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let half = values.len() / 2;
    let middle = match values.len() % 2 {
        0 => (at(half.wrapping_sub(1)) + at(half)) / 2.0,
        _ => at(half),
    };
    (middle, at(0), at(values.len().wrapping_sub(1)))
}
