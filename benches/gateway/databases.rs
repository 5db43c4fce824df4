//! Durable writes on PostgreSQL and MariaDB, in alternating rounds with the same write as one ORM transaction per request and, on
//! PostgreSQL, with `pgbench`.

use std::process::Command;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database};
use tokio::runtime::Runtime;

use crate::in_process::InProcess;
use crate::load::{CONNECTIONS, Round};
use crate::report::{self, Variant};
use crate::servers::{self, Server};
use crate::workload::{WriteKind, Writes};
use crate::{orm, send};

/// A database server to measure on.
struct DatabaseServer {
    name: &'static str,
    /// The environment variable with its URL.
    variable: &'static str,
    default_url: &'static str,
    /// The database to connect to for creating others.
    admin_database: &'static str,
}

const SERVERS: [DatabaseServer; 2] = [
    DatabaseServer {
        name: "PostgreSQL",
        variable: "POINTGATE_BENCH_POSTGRES",
        default_url: "postgres://pointgate_test:pointgate_test@127.0.0.1:5432",
        admin_database: "postgres",
    },
    DatabaseServer {
        name: "MariaDB",
        variable: "POINTGATE_BENCH_MARIADB",
        default_url: "mysql://pointgate_test:pointgate_test@127.0.0.1:3306",
        admin_database: "mysql",
    },
];

/// The scale of `pgbench`: 50 times 100,000 accounts.
const SCALE: &str = "50";

/// Measures on each available server.
pub(crate) fn bench(rounds: usize, seconds: f64) -> Result<(), String> {
    for server in &SERVERS {
        let url = std::env::var(server.variable).unwrap_or_else(|_| server.default_url.to_owned());
        if url.is_empty() {
            println!(
                "\n{}: skipped, since {} is empty",
                server.name, server.variable
            );
            continue;
        }
        let create = |name: &str| TemporaryDatabase::create(&url, server.admin_database, name);
        let databases = ["real", "orm", "in_process", "pgbench"].map(create);
        let databases: Result<Vec<TemporaryDatabase>, String> = databases.into_iter().collect();
        match databases {
            Ok(databases) => measure(server, &databases, rounds, seconds)?,
            Err(why) => println!(
                "\n{}: skipped, {why}; set {} to its URL",
                server.name, server.variable
            ),
        }
    }
    Ok(())
}

fn measure(
    server: &DatabaseServer,
    databases: &[TemporaryDatabase],
    rounds: usize,
    seconds: f64,
) -> Result<(), String> {
    let [real, orm, in_process, pgbench] = databases else {
        return Err("a database is missing".into());
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .map_err(|error| format!("cannot create a directory: {error}"))?;
    let pgbench = (server.admin_database == "postgres").then_some(pgbench.url.as_str());
    if let Some(url) = pgbench {
        run_pgbench(&["-i", "-q", "-s", SCALE, url])?;
    }
    let mut run = Run {
        real: Server::pointgate(folder.path(), &real.url)?,
        orm: Server::role("orm", folder.path(), &orm.url)?,
        in_process: InProcess::open(&in_process.url)?,
        pgbench,
        writers: Writes::new(WriteKind::Get, 60_000_000),
        orm_writers: Writes::new(WriteKind::Get, 60_000_000),
        time: Duration::from_secs_f64(seconds),
        prepared: [(8000.0 * seconds) as usize / CONNECTIONS; 2],
    };
    run.fund()?;
    run.round()?;
    println!("\n{}", server.name);
    let mut variants = vec![
        Variant::new("(c) signed get, durable"),
        Variant::new("(d) get as one ORM transaction"),
        Variant::new("(g) the ledger without HTTP"),
    ];
    if pgbench.is_some() {
        variants.push(Variant::new("(h) pgbench TPC-B"));
    }
    for _ in 0..rounds {
        for (variant, round) in variants.iter_mut().zip(run.round()?) {
            variant.add(round);
        }
    }
    report::variants(&mut variants);
    report::ratio("(c) / (d)", &variants[0], &variants[1], Some(4.0));
    if let Some(pgbench) = variants.get(3) {
        report::ratio("(c) / (h)", &variants[0], pgbench, Some(2.0));
        report::ratio("(g) / (h)", &variants[2], pgbench, Some(6.0));
    }
    println!();
    run.close(folder.path(), &orm.url)
}

/// The servers, and the requests prepared for them.
struct Run<'a> {
    real: Server,
    orm: Server,
    in_process: InProcess,
    pgbench: Option<&'a str>,
    writers: Writes,
    orm_writers: Writes,
    time: Duration,
    /// The number of requests per connection to prepare for (c) and (d).
    prepared: [usize; 2],
}

impl Run<'_> {
    /// Creates an account with coins for every member.
    fn fund(&mut self) -> Result<(), String> {
        for (server, group) in [
            (&self.real, &mut self.writers),
            (&self.orm, &mut self.orm_writers),
        ] {
            let (_, scripts) = send(server, group.one_each(), None)?;
            group.acknowledge(scripts);
        }
        Ok(())
    }

    /// Runs one round of each variant, in their order.
    fn round(&mut self) -> Result<Vec<Round>, String> {
        let time = Some(self.time);
        let (c, scripts) = send(&self.real, self.writers.scripts(self.prepared[0]), time)?;
        self.writers.acknowledge(scripts);
        let (d, scripts) = send(&self.orm, self.orm_writers.scripts(self.prepared[1]), time)?;
        self.orm_writers.acknowledge(scripts);
        self.prepared = [&c, &d].map(|round| round.done * 2 / CONNECTIONS + 1000);
        let mut all = vec![c, d, self.in_process.round(self.time)?];
        if let Some(url) = self.pgbench {
            all.push(tpcb(url, self.time)?);
        }
        Ok(all)
    }

    /// Compares the ledger with the acknowledged writes, and stops the servers.
    fn close(self, folder: &std::path::Path, orm_url: &str) -> Result<(), String> {
        self.real.stop()?;
        self.orm.stop()?;
        self.in_process.close()?;
        let audit = servers::audit(folder)?;
        println!(
            "ledger: {} writes earned {} points, as acknowledged; {audit}",
            self.writers.count(),
            self.writers.points()
        );
        orm::check(orm_url, &self.orm_writers)
    }
}

/// Runs a round of TPC-B with `pgbench`: prepared statements, 16 clients.
fn tpcb(url: &str, time: Duration) -> Result<Round, String> {
    let seconds = time.as_secs().max(1).to_string();
    let output = run_pgbench(&[
        "-M", "prepared", "-c", "16", "-j", "2", "-n", "-T", &seconds, url,
    ])?;
    let rate = output.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate: Option<f64> = rate.and_then(|rest| rest.split(' ').next()?.parse().ok());
    let rate = rate.ok_or_else(|| format!("pgbench printed no rate:\n{output}"))?;
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
        .map_err(|error| format!("cannot run pgbench, which comes with PostgreSQL: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!(
            "pgbench failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// A database of this run, dropped with this value.
struct TemporaryDatabase {
    admin_url: String,
    name: String,
    url: String,
}

impl TemporaryDatabase {
    fn create(server: &str, admin_database: &str, name: &str) -> Result<TemporaryDatabase, String> {
        let name = format!("pointgate_bench_{name}");
        let database = TemporaryDatabase {
            admin_url: format!("{server}/{admin_database}"),
            url: format!("{server}/{name}"),
            name,
        };
        database.administer(&format!("DROP DATABASE IF EXISTS {}", database.name))?;
        database.administer(&format!("CREATE DATABASE {}", database.name))?;
        Ok(database)
    }

    fn administer(&self, statement: &str) -> Result<(), String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let done = runtime.block_on(async {
            let db = Database::connect(&self.admin_url).await?;
            db.execute_unprepared(statement).await?;
            db.close().await
        });
        done.map_err(|error| error.to_string())
    }
}

impl Drop for TemporaryDatabase {
    fn drop(&mut self) {
        if let Err(error) = self.administer(&format!("DROP DATABASE IF EXISTS {}", self.name)) {
            eprintln!("cannot drop the database {}: {error}", self.name);
        }
    }
}
