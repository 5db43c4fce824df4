//! The whole program under load, in four parts:
//! - `gateway`: the real server on loopback beside a bare actix-web handler, and beside the same write as one ORM transaction per
//!   request, in alternating rounds;
//! - `databases`: the same write on PostgreSQL and MariaDB, if they are available;
//! - `history`: pages of a very long history;
//! - `flood`: requests that prove nothing and ask for much, beside ten ordinary ones.
//!
//! The benchmark fails if any answer is wrong or the ledger does not balance. It prints its measurements beside the goals, and a
//! missed goal does not fail it.
//!
//! Settings are environment variables: `POINTGATE_BENCH_ONLY` names one part to run; `POINTGATE_BENCH_ROUNDS` and
//! `POINTGATE_BENCH_SECONDS` set the number of rounds and the duration of each; `POINTGATE_BENCH_ENTRIES` sets the length of the history;
//! `POINTGATE_BENCH_POSTGRES` and `POINTGATE_BENCH_MARIADB` are the URLs of servers on which databases may be created and dropped, or
//! empty to leave that server out.

mod bare;
mod community;
mod databases;
mod flood;
mod history;
mod in_process;
mod load;
mod orm;
mod partner;
mod protocol;
mod report;
mod servers;
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use load::CONNECTIONS;
use report::Variant;
use servers::Server;
use workload::{MEMBERS, PageReads, Script, WriteKind, Writes};

/// The allocator of the program, also for the servers compared with it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The rate (per second) for which the warm-up round prepares requests. Later rounds derive it from the round before.
const INITIAL_RATE: f64 = 30_000.0;

fn main() -> ExitCode {
    let done = match std::env::var(servers::ROLE).as_deref() {
        Ok("bare") => bare::serve().map_err(|error| error.to_string()),
        Ok("orm") => {
            let url = std::env::var(servers::DATABASE).unwrap_or_default();
            orm::serve(&url).map_err(|error| error.to_string())
        }
        Ok(role) => Err(format!("unknown role {}={role}", servers::ROLE)),
        Err(_) => bench(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), String> {
    let rounds = setting("POINTGATE_BENCH_ROUNDS", 7.0, 1.0..=1000.0)? as usize;
    let seconds = setting("POINTGATE_BENCH_SECONDS", 2.0, 0.1..=60.0)?;
    let entries = setting("POINTGATE_BENCH_ENTRIES", 1e6, 1e3..=1e8)? as i64;
    let only = std::env::var("POINTGATE_BENCH_ONLY").unwrap_or_default();
    let wanted = |part: &str| only.is_empty() || only == part;
    if wanted("gateway") {
        gateway(rounds, seconds)?;
    }
    if wanted("databases") {
        databases::bench(rounds, seconds)?;
    }
    if wanted("flood") {
        flood::bench(rounds)?;
    }
    if wanted("history") {
        history::bench(entries)?;
    }
    Ok(())
}

/// Measures the variants (a) to (f) on SQLite.
fn gateway(rounds: usize, seconds: f64) -> Result<(), String> {
    // Not in the temporary directory: it may be a tmpfs, where a flush costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .map_err(|error| format!("cannot create a directory: {error}"))?;
    let folder = folder.path();
    let database = format!("sqlite://{}", folder.join("orm.db").display());
    let mut run = Run {
        bare: Server::role("bare", folder, &database)?,
        real: Server::pointgate(folder, "sqlite://data/pointgate.db")?,
        orm: Server::role("orm", folder, &database)?,
        readers: Writes::new(WriteKind::Get, 50_000_000),
        writers: Writes::new(WriteKind::Get, 60_000_000),
        orm_writers: Writes::new(WriteKind::Get, 60_000_000),
        actors: Writes::new(WriteKind::Action, 70_000_000),
        constant: Vec::new(),
        totals: Vec::new(),
        pages: PageReads::default(),
        answered: Vec::new(),
        time: Duration::from_secs_f64(seconds),
        prepared: [(INITIAL_RATE * seconds) as usize / CONNECTIONS; 4],
    };
    report::conditions(rounds, seconds);
    run.fund()?;
    run.round()?;
    let mut variants = [
        Variant::new("(a) bare actix-web, constant answer"),
        Variant::new("(b) signed total"),
        Variant::new("(c) signed get, durable"),
        Variant::new("(d) get as one ORM transaction"),
        Variant::new("(e) signed records, nonce durable"),
        Variant::new("(f) scoring callback, durable"),
    ];
    for _ in 0..rounds {
        for (variant, round) in variants.iter_mut().zip(run.round()?) {
            variant.add(round);
        }
    }
    let (now, peak) = run.real.memory()?;
    report::variants(&mut variants);
    let [a, b, c, d, e, f] = &variants;
    report::ratio("(b) / (a)", b, a, Some(0.5));
    report::ratio("(c) / (d)", c, d, Some(8.0));
    report::ratio("(c) / (a)", c, a, None);
    report::ratio("(e) / (b)", e, b, None);
    report::ratio("(f) / (c)", f, c, None);
    report::memory(now, peak, 64.0);
    println!();
    run.close(folder, &database)
}

/// The servers, and the requests prepared for them.
struct Run {
    bare: Server,
    real: Server,
    orm: Server,
    /// Members whose balances and histories do not change while they are read.
    readers: Writes,
    writers: Writes,
    orm_writers: Writes,
    /// Users of the community.
    actors: Writes,
    constant: Vec<Script>,
    totals: Vec<Script>,
    pages: PageReads,
    /// Requests of (e) that were answered, so that their nonces are used.
    answered: Vec<Script>,
    time: Duration,
    /// The number of requests per connection to prepare for (c), (d), (e) and (f).
    prepared: [usize; 4],
}

impl Run {
    /// Creates an account with coins for every member, and a page of history for the members that are read.
    fn fund(&mut self) -> Result<(), String> {
        for (server, group, times) in [
            (&self.real, &mut self.readers, partner::ROWS),
            (&self.real, &mut self.writers, 1),
            (&self.orm, &mut self.orm_writers, 1),
            (&self.real, &mut self.actors, 1),
        ] {
            for _ in 0..times {
                let scripts = group.one_each();
                let (_, scripts) = send(server, scripts, None)?;
                group.acknowledge(scripts);
            }
        }
        self.pages = PageReads::new(&self.readers);
        let (_, scripts) = send(&self.real, self.pages.one_each(), None)?;
        self.pages.learn(scripts);
        self.totals = workload::totals(&[&self.readers], true);
        self.constant = workload::expecting(self.totals.clone(), &bare::body());
        Ok(())
    }

    /// Runs one round of each variant, in their order.
    fn round(&mut self) -> Result<[load::Round; 6], String> {
        let time = Some(self.time);
        let scripts = std::mem::take(&mut self.constant);
        let (a, scripts) = send(&self.bare, scripts, time)?;
        self.constant = scripts;
        let scripts = std::mem::take(&mut self.totals);
        let (b, scripts) = send(&self.real, scripts, time)?;
        self.totals = scripts;
        let scripts = self.writers.scripts(self.prepared[0]);
        let (c, scripts) = send(&self.real, scripts, time)?;
        self.writers.acknowledge(scripts);
        let scripts = self.orm_writers.scripts(self.prepared[1]);
        let (d, scripts) = send(&self.orm, scripts, time)?;
        self.orm_writers.acknowledge(scripts);
        let scripts = self.pages.scripts(self.prepared[2]);
        let (e, scripts) = send(&self.real, scripts, time)?;
        self.answered = workload::replays(scripts);
        let scripts = self.actors.scripts(self.prepared[3]);
        let (f, scripts) = send(&self.real, scripts, time)?;
        self.actors.acknowledge(scripts);
        self.prepared = [&c, &d, &e, &f].map(|round| round.done * 2 / CONNECTIONS + 1000);
        Ok([a, b, c, d, e, f])
    }

    /// Compares the ledger with the acknowledged writes, and stops the servers.
    fn close(self, folder: &std::path::Path, database: &str) -> Result<(), String> {
        let scripts = workload::expecting(self.answered, &partner::replayed_answer());
        let (refused, _) = send(&self.real, scripts, None)?;
        let scripts = workload::totals(&[&self.readers, &self.writers], false);
        send(&self.real, scripts, None)?;
        self.bare.stop()?;
        self.real.stop()?;
        self.orm.stop()?;
        let audit = servers::audit(folder)?;
        println!(
            "ledger: {} writes earned {} members {} points, as acknowledged",
            self.readers.count() + self.writers.count() + self.actors.count(),
            3 * MEMBERS,
            self.readers.points() + self.writers.points() + self.actors.points(),
        );
        println!(
            "nonces: {} replayed requests of (e) were refused",
            refused.done
        );
        println!("{audit}");

        orm::check(database, &self.orm_writers)
    }
}

/// Runs scripts against a server. An error includes the last lines of the server's log.
fn send(
    server: &Server,
    scripts: Vec<Script>,
    time: Option<Duration>,
) -> Result<(load::Round, Vec<Script>), String> {
    load::run(server.address, scripts, time).map_err(|why| {
        format!(
            "{why}\nlast lines of the server's log:\n{}",
            server.log_end()
        )
    })
}

/// Reads a number from an environment variable.
fn setting(name: &str, default: f64, range: std::ops::RangeInclusive<f64>) -> Result<f64, String> {
    let Ok(text) = std::env::var(name) else {
        return Ok(default);
    };
    let number = text
        .trim()
        .parse()
        .ok()
        .filter(|number| range.contains(number));
    number.ok_or_else(|| format!("{name}={text} is not a number in {range:?}"))
}
