//! A database server of a test's own, which may be stopped, killed and frozen; it goes when it is dropped.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use tempfile::TempDir;
use tokio::time::sleep;

/// The bound on a start and on an end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    Postgres,
    MariaDb,
}

/// A server on a port of this machine, with one empty database and settings as they are by default.
pub struct DatabaseServer {
    kind: ServerKind,
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl DatabaseServer {
    /// A new one that runs.
    pub async fn new(kind: ServerKind) -> DatabaseServer {
        let mut server = DatabaseServer {
            kind,
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            process: None,
        };
        server.make();
        server.start().await;
        if kind == ServerKind::MariaDb {
            server.administer("CREATE DATABASE pointgate").await;
        }
        server
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Where the gateway's database is.
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// Where it is for those who reach the server there.
    pub fn url_at(&self, address: SocketAddr) -> String {
        match self.kind {
            ServerKind::Postgres => format!("postgres://pointgate@{address}/postgres"),
            ServerKind::MariaDb => format!("mysql://root@{address}/pointgate"),
        }
    }

    /// A database that is always there.
    fn home(&self) -> String {
        match self.kind {
            ServerKind::Postgres => self.url(),
            ServerKind::MariaDb => format!("mysql://root@{}/mysql", self.address()),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Makes its files.
    fn make(&self) {
        let mut command = match self.kind {
            ServerKind::Postgres => {
                let owner = postgres_owner();
                if let Some((user, group)) = owner {
                    chown(self.folder.path(), Some(user), Some(group)).unwrap();
                }
                let mut command = as_owner(&postgres_program("initdb"), owner);
                command.args(["--username=pointgate", "--auth=trust", "--encoding=UTF8"]);
                command.args(["--locale=C", "--no-sync", "-D"]);
                command.arg(self.data());
                command
            }
            ServerKind::MariaDb => {
                let mut command = Command::new("mariadb-install-db");
                command.args(["--no-defaults", "--skip-test-db"]);
                command.arg("--auth-root-authentication-method=normal");
                command.arg(format!("--user={}", id("-un", None)));
                command.arg(format!("--datadir={}", self.data().display()));
                command
            }
        };
        self.keep_apart(&mut command);
        let made = command.output().unwrap();
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{command:?}: {said}");
    }

    /// MariaDB clears its folder for temporary files when it starts, whoever else has some there.
    fn keep_apart(&self, command: &mut Command) {
        command.current_dir("/").env("TMPDIR", self.folder.path());
    }

    /// Starts it; returns when it answers.
    pub async fn start(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let mut command = match self.kind {
            ServerKind::Postgres => {
                let mut command = as_owner(&postgres_program("postgres"), postgres_owner());
                command.arg("-D").arg(self.data());
                command.arg(format!("--port={}", self.port));
                command.args(["--listen_addresses=127.0.0.1", "--unix_socket_directories="]);
                command
            }
            ServerKind::MariaDb => {
                let mut command = Command::new("mariadbd");
                command.args(["--no-defaults", "--bind-address=127.0.0.1"]);
                command.arg(format!("--user={}", id("-un", None)));
                command.arg(format!("--port={}", self.port));
                command.arg(format!("--datadir={}", self.data().display()));
                let socket = self.folder.path().join("socket");
                command.arg(format!("--socket={}", socket.display()));
                command
            }
        };
        let log = File::options().create(true).append(true).open(self.log());
        let log = log.unwrap();
        self.keep_apart(&mut command);
        command.stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while self.connect().await.is_none() {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            let over = ended.is_some() || Instant::now() > deadline;
            let log = std::fs::read(self.log()).unwrap();
            assert!(!over, "no start: {}", String::from_utf8_lossy(&log));
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Stops it as an operator does who does not wait for clients to go.
    pub fn stop(&mut self) {
        // PostgreSQL's fast shutdown.
        let name = match self.kind {
            ServerKind::Postgres => "INT",
            ServerKind::MariaDb => "TERM",
        };
        let mut process = self.process.take().expect("it runs");
        signal(name, &[process.id()]);
        process.wait().unwrap();
    }

    /// Ends all its processes without any warning.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // Who is stopped gives birth to nobody.
        signal("STOP", &[process.id()]);
        let children = children(process.id());
        signal("KILL", &children);
        process.kill().unwrap();
        process.wait().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while children.iter().any(|&child| lives(child)) {
            assert!(Instant::now() < deadline, "{children:?} do not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets all its processes stand still.
    pub fn freeze(&self) {
        let main = self.process.as_ref().expect("it runs").id();
        signal("STOP", &[main]);
        signal("STOP", &children(main));
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        let main = self.process.as_ref().expect("it runs").id();
        signal("CONT", &children(main));
        signal("CONT", &[main]);
    }

    /// Ends all connections of the gateway, at the server's side, and gives their number.
    pub async fn cut(&self, db: &DatabaseConnection) -> usize {
        let gateways = match self.kind {
            ServerKind::Postgres => {
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE application_name = 'pointgate'"
            }
            ServerKind::MariaDb => {
                "SELECT CAST(id AS INTEGER) FROM information_schema.processlist WHERE db = 'pointgate'"
            }
        };
        let backend = db.get_database_backend();
        let gateways = Statement::from_string(backend, gateways);
        let found = db.query_all_raw(gateways).await.unwrap();
        if self.kind == ServerKind::MariaDb {
            for row in &found {
                let id: i64 = row.try_get_by_index(0).unwrap();
                // It may have gone meanwhile.
                let _ = db.execute_unprepared(&format!("KILL {id}")).await;
            }
        }
        found.len()
    }

    /// A connection of an administrator's.
    pub async fn administrator(&self) -> DatabaseConnection {
        self.connect().await.expect("it answers")
    }

    async fn connect(&self) -> Option<DatabaseConnection> {
        let mut options = ConnectOptions::new(self.home());
        options.max_connections(1).sqlx_logging(false);
        options.acquire_timeout(Duration::from_millis(500));
        Database::connect(options).await.ok()
    }

    async fn administer(&self, statement: &str) {
        let db = self.administrator().await;
        db.execute_unprepared(statement).await.unwrap();
        db.close().await.unwrap();
    }
}

impl Drop for DatabaseServer {
    /// PostgreSQL, if killed, would leave its shared memory on the machine; by this signal it ends as fast and takes it along.
    fn drop(&mut self) {
        if self.kind == ServerKind::Postgres && self.process.is_some() {
            // A test that fails may leave it frozen.
            self.thaw();
            let process = self.process.as_mut().expect("it runs");
            signal("QUIT", &[process.id()]);
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline {
                if process.try_wait().is_ok_and(|ended| ended.is_some()) {
                    self.process = None;
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        self.kill();
    }
}

/// A port that is free, and that the system does not give to anybody who asks for any while the server is down: a client that
/// tries to connect there could be given it, and would then talk to itself.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = || std::process::id() * 7 + NEXT.fetch_add(1, Ordering::Relaxed);
    (0..1000)
        .map(|_| u16::try_from(15000 + next() % 15000).unwrap())
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("a port is free")
}

/// A program of the newest PostgreSQL here.
fn postgres_program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let programs = versions.map(|version| version.unwrap().path().join("bin").join(name));
    let newest = programs.filter(|program| program.exists()).max();
    newest.expect("PostgreSQL's server is installed")
}

/// Whose PostgreSQL's files are: it refuses to run as root.
fn postgres_owner() -> Option<(u32, u32)> {
    let number = |flag| id(flag, Some("postgres")).parse().unwrap();
    (id("-u", None) == "0").then(|| (number("-u"), number("-g")))
}

fn as_owner(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// What `id` says of a user, or of who runs the tests.
fn id(flag: &str, of: Option<&str>) -> String {
    let said = Command::new("id").arg(flag).args(of).output().unwrap();
    assert!(said.status.success(), "id {flag} {of:?}");
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Sends a signal; whoever has ended meanwhile does not mind.
fn signal(name: &str, processes: &[u32]) {
    let numbers = processes.iter().map(u32::to_string);
    let mut command = Command::new("kill");
    command.arg(format!("-{name}")).args(numbers);
    command.stderr(Stdio::null()).status().unwrap();
}

fn children(process: u32) -> Vec<u32> {
    let listed = Command::new("ps")
        .args(["-o", "pid=", "--ppid", &process.to_string()])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

/// Whether a process runs; one that has ended and that nobody has asked for yet does not.
fn lives(process: u32) -> bool {
    let state = Command::new("ps")
        .args(["-o", "stat=", "-p", &process.to_string()])
        .output();
    let state = String::from_utf8(state.unwrap().stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}
