//! The whole program under load: the real server on loopback next to a bare actix-web handler and to the same write as
//! one ORM transaction a request, in alternating rounds; then the same write on PostgreSQL and MariaDB, where they are there; then
//! pages of a very long history. It fails where any answer is wrong or the books do not balance; what it measures is printed next to the goals and never fails it.
//!
//! `POINTGATE_BENCH_ROUNDS` and `POINTGATE_BENCH_SECONDS` change how many rounds there are and how long each way has,
//! `POINTGATE_BENCH_ENTRIES` how long the history is. `POINTGATE_BENCH_POSTGRES` and `POINTGATE_BENCH_MARIADB` say where the servers
//! are whose databases may be made and dropped, and nothing for none; `POINTGATE_BENCH_ONLY` may name one part: `gateway`, `databases` or
//! `history`.

mod bare;
mod community;
mod databases;
mod history;
mod inside;
mod load;
mod orm;
mod partner;
mod protocol;
mod report;
mod servers;
mod stock;

use std::process::ExitCode;
use std::time::Duration;

use load::CONNECTIONS;
use report::Way;
use servers::Server;
use stock::{By, Lane, MEMBERS, Pages, Writes};

/// The program's own, for all that is compared with it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Writes that are prepared for the warm-up; later rounds go by what was done before.
const FIRST_RATE: f64 = 30_000.0;

fn main() -> ExitCode {
    let done = match std::env::var(servers::ROLE).as_deref() {
        Ok("bare") => bare::serve().map_err(|error| error.to_string()),
        Ok("orm") => {
            let url = std::env::var(servers::DATABASE).unwrap_or_default();
            orm::serve(&url).map_err(|error| error.to_string())
        }
        Ok(role) => Err(format!("{}={role} is no role", servers::ROLE)),
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
    if wanted("history") {
        history::bench(entries)?;
    }
    Ok(())
}

/// The rounds.
fn gateway(rounds: usize, seconds: f64) -> Result<(), String> {
    // Beside the build, since a folder for temporary files may be memory, where nothing is durable and all is fast.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .map_err(|error| format!("no folder for the run: {error}"))?;
    let folder = folder.path();
    let database = format!("sqlite://{}", folder.join("orm.db").display());
    let mut run = Run {
        bare: Server::role("bare", folder, &database)?,
        real: Server::pointgate(folder, "sqlite://data/pointgate.db")?,
        orm: Server::role("orm", folder, &database)?,
        readers: Writes::new(By::Get, 50_000_000),
        writers: Writes::new(By::Get, 60_000_000),
        orm_writers: Writes::new(By::Get, 60_000_000),
        actors: Writes::new(By::Action, 70_000_000),
        constant: Vec::new(),
        totals: Vec::new(),
        pages: Pages::default(),
        spent: Vec::new(),
        time: Duration::from_secs_f64(seconds),
        prepared: [(FIRST_RATE * seconds) as usize / CONNECTIONS; 4],
    };
    report::conditions(rounds, seconds);
    run.fund()?;
    run.round()?;
    let mut ways = [
        Way::new("(a) bare actix-web, constant answer"),
        Way::new("(b) signed total"),
        Way::new("(c) signed get, durable"),
        Way::new("(d) get as one ORM transaction"),
        Way::new("(e) signed records, nonce durable"),
        Way::new("(f) scoring callback, durable"),
    ];
    for _ in 0..rounds {
        for (way, round) in ways.iter_mut().zip(run.round()?) {
            way.add(round);
        }
    }
    let (now, peak) = run.real.memory()?;
    report::ways(&mut ways);
    let [a, b, c, d, e, f] = &ways;
    report::ratio("(b) / (a)", b, a, Some(0.5));
    report::ratio("(c) / (d)", c, d, Some(8.0));
    report::ratio("(c) / (a)", c, a, None);
    report::ratio("(e) / (b)", e, b, None);
    report::ratio("(f) / (c)", f, c, None);
    report::memory(now, peak, 64.0);
    println!();
    run.close(folder, &database)
}

/// Everything that a round needs.
struct Run {
    bare: Server,
    real: Server,
    orm: Server,
    /// Members whose balances and histories stand still while they are read.
    readers: Writes,
    writers: Writes,
    orm_writers: Writes,
    /// Users of the community.
    actors: Writes,
    constant: Vec<Lane>,
    totals: Vec<Lane>,
    pages: Pages,
    /// Requests of (e) whose nonces are spent.
    spent: Vec<Lane>,
    time: Duration,
    /// Requests a connection to prepare for (c), (d), (e) and (f).
    prepared: [usize; 4],
}

impl Run {
    /// Gives every member an account and some coins, and those who are read a page of history.
    fn fund(&mut self) -> Result<(), String> {
        for (server, group, times) in [
            (&self.real, &mut self.readers, partner::ROWS),
            (&self.real, &mut self.writers, 1),
            (&self.orm, &mut self.orm_writers, 1),
            (&self.real, &mut self.actors, 1),
        ] {
            for _ in 0..times {
                let lanes = group.one_each();
                let (_, lanes) = sent(server, lanes, None)?;
                group.settle(lanes);
            }
        }
        self.pages = Pages::new(&self.readers);
        let (_, lanes) = sent(&self.real, self.pages.one_each(), None)?;
        self.pages.learn(lanes);
        self.totals = stock::totals(&[&self.readers], true);
        self.constant = stock::constant(self.totals.clone(), &bare::body());
        Ok(())
    }

    /// One round of each way, in their order.
    fn round(&mut self) -> Result<[load::Round; 6], String> {
        let time = Some(self.time);
        let lanes = std::mem::take(&mut self.constant);
        let (a, lanes) = sent(&self.bare, lanes, time)?;
        self.constant = lanes;
        let lanes = std::mem::take(&mut self.totals);
        let (b, lanes) = sent(&self.real, lanes, time)?;
        self.totals = lanes;
        let lanes = self.writers.lanes(self.prepared[0]);
        let (c, lanes) = sent(&self.real, lanes, time)?;
        self.writers.settle(lanes);
        let lanes = self.orm_writers.lanes(self.prepared[1]);
        let (d, lanes) = sent(&self.orm, lanes, time)?;
        self.orm_writers.settle(lanes);
        let lanes = self.pages.lanes(self.prepared[2]);
        let (e, lanes) = sent(&self.real, lanes, time)?;
        self.spent = stock::again(lanes);
        let lanes = self.actors.lanes(self.prepared[3]);
        let (f, lanes) = sent(&self.real, lanes, time)?;
        self.actors.settle(lanes);
        self.prepared = [&c, &d, &e, &f].map(|round| round.done * 2 / CONNECTIONS + 1000);
        Ok([a, b, c, d, e, f])
    }

    /// Compares the books with what was acknowledged, and stops the servers.
    fn close(self, folder: &std::path::Path, database: &str) -> Result<(), String> {
        let lanes = stock::constant(self.spent, &partner::replayed_answer());
        let (refused, _) = sent(&self.real, lanes, None)?;
        let lanes = stock::totals(&[&self.readers, &self.writers], false);
        sent(&self.real, lanes, None)?;
        self.bare.stop()?;
        self.real.stop()?;
        self.orm.stop()?;
        let audit = servers::audit(folder)?;
        println!(
            "books: {} writes brought {} members {} points, each as acknowledged",
            self.readers.count() + self.writers.count() + self.actors.count(),
            3 * MEMBERS,
            self.readers.points() + self.writers.points() + self.actors.points(),
        );
        println!(
            "nonces: {} requests of (e), sent again, were refused",
            refused.done
        );
        println!("audit: {audit}");

        orm::check(database, &self.orm_writers)
    }
}

/// Sends lanes to a server; where an answer is wrong, says also what the server wrote last.
fn sent(
    server: &Server,
    lanes: Vec<Lane>,
    time: Option<Duration>,
) -> Result<(load::Round, Vec<Lane>), String> {
    load::run(server.address, lanes, time)
        .map_err(|why| format!("{why}\nthe server's last lines:\n{}", server.log_end()))
}

/// A number from the environment.
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
