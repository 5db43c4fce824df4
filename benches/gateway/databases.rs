//! Durable writes on PostgreSQL and MariaDB, each next to the same write as one ORM transaction a request, and PostgreSQL next
//! to its own `pgbench`, in alternating rounds.

use std::process::Command;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database};
use tokio::runtime::Runtime;

use crate::inside::Inside;
use crate::load::{CONNECTIONS, Round};
use crate::report::{self, Way};
use crate::servers::{self, Server};
use crate::stock::{By, Writes};
use crate::{orm, sent};

/// A kind of server, and where it is unless the environment says otherwise.
struct Kind {
    name: &'static str,
    variable: &'static str,
    here: &'static str,
    /// Where databases are made from.
    home: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "PostgreSQL",
        variable: "POINTGATE_BENCH_POSTGRES",
        here: "postgres://pointgate_test:pointgate_test@127.0.0.1:5432",
        home: "postgres",
    },
    Kind {
        name: "MariaDB",
        variable: "POINTGATE_BENCH_MARIADB",
        here: "mysql://pointgate_test:pointgate_test@127.0.0.1:3306",
        home: "mysql",
    },
];

/// Accounts of `pgbench`: 50 times 100,000.
const SCALE: &str = "50";

/// The rounds on each server that is there.
pub(crate) fn bench(rounds: usize, seconds: f64) -> Result<(), String> {
    for kind in &KINDS {
        let server = std::env::var(kind.variable).unwrap_or_else(|_| kind.here.to_owned());
        if server.is_empty() {
            println!("\n{}: left out, as {} says", kind.name, kind.variable);
            continue;
        }
        let make = |name: &str| Fresh::new(&server, kind.home, name);
        let databases = ["real", "orm", "inside", "pgbench"].map(make);
        let databases: Result<Vec<Fresh>, String> = databases.into_iter().collect();
        match databases {
            Ok(databases) => on_one(kind, &databases, rounds, seconds)?,
            Err(why) => println!(
                "\n{}: not measured, {why}; {} says where it is",
                kind.name, kind.variable
            ),
        }
    }
    Ok(())
}

fn on_one(kind: &Kind, at: &[Fresh], rounds: usize, seconds: f64) -> Result<(), String> {
    let [real, orm, inside, pgbench] = at else {
        return Err("a database is missing".into());
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .map_err(|error| format!("no folder for the run: {error}"))?;
    let pgbench = (kind.home == "postgres").then_some(pgbench.url.as_str());
    if let Some(url) = pgbench {
        run_pgbench(&["-i", "-q", "-s", SCALE, url])?;
    }
    let mut run = Run {
        real: Server::pointgate(folder.path(), &real.url)?,
        orm: Server::role("orm", folder.path(), &orm.url)?,
        inside: Inside::open(&inside.url)?,
        pgbench,
        writers: Writes::new(By::Get, 60_000_000),
        orm_writers: Writes::new(By::Get, 60_000_000),
        time: Duration::from_secs_f64(seconds),
        prepared: [(8000.0 * seconds) as usize / CONNECTIONS; 2],
    };
    run.fund()?;
    run.round()?;
    println!("\n{}", kind.name);
    let mut ways = vec![
        Way::new("(c) signed get, durable"),
        Way::new("(d) get as one ORM transaction"),
        Way::new("(g) the ledger without HTTP"),
    ];
    if pgbench.is_some() {
        ways.push(Way::new("(h) pgbench TPC-B"));
    }
    for _ in 0..rounds {
        for (way, round) in ways.iter_mut().zip(run.round()?) {
            way.add(round);
        }
    }
    report::ways(&mut ways);
    report::ratio("(c) / (d)", &ways[0], &ways[1], Some(4.0));
    if let Some(pgbench) = ways.get(3) {
        report::ratio("(c) / (h)", &ways[0], pgbench, Some(2.0));
        report::ratio("(g) / (h)", &ways[2], pgbench, Some(6.0));
    }
    println!();
    run.close(folder.path(), &orm.url)
}

/// Everything that a round needs.
struct Run<'a> {
    real: Server,
    orm: Server,
    inside: Inside,
    pgbench: Option<&'a str>,
    writers: Writes,
    orm_writers: Writes,
    time: Duration,
    /// Requests a connection to prepare for (c) and (d).
    prepared: [usize; 2],
}

impl Run<'_> {
    /// Gives every member an account.
    fn fund(&mut self) -> Result<(), String> {
        for (server, group) in [
            (&self.real, &mut self.writers),
            (&self.orm, &mut self.orm_writers),
        ] {
            let (_, lanes) = sent(server, group.one_each(), None)?;
            group.settle(lanes);
        }
        Ok(())
    }

    /// One round of each way, in their order.
    fn round(&mut self) -> Result<Vec<Round>, String> {
        let time = Some(self.time);
        let (c, lanes) = sent(&self.real, self.writers.lanes(self.prepared[0]), time)?;
        self.writers.settle(lanes);
        let (d, lanes) = sent(&self.orm, self.orm_writers.lanes(self.prepared[1]), time)?;
        self.orm_writers.settle(lanes);
        self.prepared = [&c, &d].map(|round| round.done * 2 / CONNECTIONS + 1000);
        let mut all = vec![c, d, self.inside.round(self.time)?];
        if let Some(url) = self.pgbench {
            all.push(tpcb(url, self.time)?);
        }
        Ok(all)
    }

    /// Compares the books with what was acknowledged, and stops the servers.
    fn close(self, folder: &std::path::Path, orm_url: &str) -> Result<(), String> {
        self.real.stop()?;
        self.orm.stop()?;
        self.inside.close()?;
        let audit = servers::audit(folder)?;
        println!(
            "books: {} writes brought {} points; audit: {audit}",
            self.writers.count(),
            self.writers.points()
        );
        orm::check(orm_url, &self.orm_writers)
    }
}

/// A round of TPC-B as PostgreSQL's own tool has it: prepared statements, 16 clients.
fn tpcb(url: &str, time: Duration) -> Result<Round, String> {
    let seconds = time.as_secs().max(1).to_string();
    let said = run_pgbench(&[
        "-M", "prepared", "-c", "16", "-j", "2", "-n", "-T", &seconds, url,
    ])?;
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate: Option<f64> = rate.and_then(|rest| rest.split(' ').next()?.parse().ok());
    let rate = rate.ok_or_else(|| format!("pgbench says no rate:\n{said}"))?;
    Ok(Round {
        done: (rate * time.as_secs_f64()) as usize,
        elapsed: time,
        latencies: Vec::new(),
    })
}

fn run_pgbench(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("pgbench")
        .args(arguments)
        .env("PGOPTIONS", "-c synchronous_commit=on")
        .output()
        .map_err(|error| format!("pgbench, which comes with PostgreSQL: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!(
            "pgbench failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// A database of this run; it goes when this is dropped.
struct Fresh {
    server: String,
    name: String,
    url: String,
}

impl Fresh {
    fn new(server: &str, home: &str, name: &str) -> Result<Fresh, String> {
        let name = format!("pointgate_bench_{name}");
        let fresh = Fresh {
            server: format!("{server}/{home}"),
            url: format!("{server}/{name}"),
            name,
        };
        fresh.administer(&format!("DROP DATABASE IF EXISTS {}", fresh.name))?;
        fresh.administer(&format!("CREATE DATABASE {}", fresh.name))?;
        Ok(fresh)
    }

    fn administer(&self, statement: &str) -> Result<(), String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let done = runtime.block_on(async {
            let db = Database::connect(&self.server).await?;
            db.execute_unprepared(statement).await?;
            db.close().await
        });
        done.map_err(|error| error.to_string())
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Err(error) = self.administer(&format!("DROP DATABASE IF EXISTS {}", self.name)) {
            eprintln!("{} is left behind: {error}", self.name);
        }
    }
}
