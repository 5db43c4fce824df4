//! A database server of one test, which the test can stop, kill and freeze.

use std::fs::{File, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use tempfile::TempDir;
use tokio::time::sleep;

/// The limit for a start and for an end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server's product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    Postgres,
    MariaDb,
}

/// A server on a port of this machine, with one empty database and default settings; dropping it kills the processes.
pub struct DatabaseServer {
    kind: ServerKind,
    folder: TempDir,
    port: u16,
    /// The files of a certificate and its key, for TLS.
    tls: Option<[PathBuf; 2]>,
    process: Option<Child>,
}

impl DatabaseServer {
    /// Installs and starts a new server.
    pub async fn new(kind: ServerKind) -> DatabaseServer {
        DatabaseServer::start_new(kind, None).await
    }

    /// A new server with TLS, by copies of these files.
    pub async fn with_certificate(
        kind: ServerKind,
        certificate: &str,
        key: &str,
    ) -> DatabaseServer {
        DatabaseServer::start_new(kind, Some([certificate, key])).await
    }

    async fn start_new(kind: ServerKind, tls: Option<[&str; 2]>) -> DatabaseServer {
        let mut server = DatabaseServer {
            kind,
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            tls: None,
            process: None,
        };
        server.install();
        server.tls = tls.map(|files| files.map(|file| server.own_copy(Path::new(file))));
        server.start().await;
        if kind == ServerKind::MariaDb {
            server.administer("CREATE DATABASE pointgate").await;
        }
        server
    }

    /// The server's address.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The URL of the gateway's database.
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The URL of the gateway's database through a proxy at this address.
    pub fn url_at(&self, address: SocketAddr) -> String {
        match self.kind {
            ServerKind::Postgres => format!("postgres://pointgate@{address}/postgres"),
            ServerKind::MariaDb => format!("mysql://root@{address}/pointgate"),
        }
    }

    /// The URL of a database that every installation has.
    fn system_url(&self) -> String {
        match self.kind {
            ServerKind::Postgres => self.url(),
            ServerKind::MariaDb => format!("mysql://root@{}/mysql", self.address()),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Creates the data directory.
    fn install(&self) {
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
        self.set_temporary_folder(&mut command);
        let made = command.output().unwrap();
        let errors = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{command:?}: {errors}");
    }

    /// Copies a file for the server's user alone, as PostgreSQL wants a key.
    fn own_copy(&self, file: &Path) -> PathBuf {
        let copy = self.folder.path().join(file.file_name().unwrap());
        std::fs::copy(file, &copy).unwrap();
        std::fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
        if let (ServerKind::Postgres, Some((user, group))) = (self.kind, postgres_owner()) {
            chown(&copy, Some(user), Some(group)).unwrap();
        }
        copy
    }

    /// MariaDB clears its temporary folder when it starts, so that servers must not share one.
    fn set_temporary_folder(&self, command: &mut Command) {
        command.current_dir("/").env("TMPDIR", self.folder.path());
    }

    /// Starts the server and waits until it accepts connections.
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
        if let Some([certificate, key]) = self.tls.as_ref().map(|files| files.each_ref()) {
            let (certificate, key) = (certificate.display(), key.display());
            match self.kind {
                ServerKind::Postgres => command.arg("--ssl=on").args([
                    format!("--ssl_cert_file={certificate}"),
                    format!("--ssl_key_file={key}"),
                ]),
                ServerKind::MariaDb => command.args([
                    format!("--ssl-cert={certificate}"),
                    format!("--ssl-key={key}"),
                ]),
            };
        }
        let log = File::options().create(true).append(true).open(self.log());
        let log = log.unwrap();
        self.set_temporary_folder(&mut command);
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

    /// Stops the server without waiting for clients to disconnect.
    pub fn stop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown.
        let name = match self.kind {
            ServerKind::Postgres => "INT",
            ServerKind::MariaDb => "TERM",
        };
        let mut process = self.process.take().expect("it runs");
        signal(name, &[process.id()]);
        process.wait().unwrap();
    }

    /// Kills all processes of the server.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // A stopped process starts no children.
        signal("STOP", &[process.id()]);
        let children = children(process.id());
        signal("KILL", &children);
        process.kill().unwrap();
        process.wait().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while children.iter().any(|&child| is_alive(child)) {
            assert!(Instant::now() < deadline, "{children:?} do not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops all processes of the server with SIGSTOP: connections stay open, and nothing answers.
    pub fn freeze(&self) {
        let main = self.process.as_ref().expect("it runs").id();
        signal("STOP", &[main]);
        signal("STOP", &children(main));
    }

    /// Continues the stopped processes.
    pub fn thaw(&self) {
        let main = self.process.as_ref().expect("it runs").id();
        signal("CONT", &children(main));
        signal("CONT", &[main]);
    }

    /// Ends all connections of the gateway at the server and returns their number.
    pub async fn cut_connections(&self, db: &DatabaseConnection) -> usize {
        let query = match self.kind {
            ServerKind::Postgres => {
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE application_name = 'pointgate'"
            }
            ServerKind::MariaDb => {
                "SELECT CAST(id AS INTEGER) FROM information_schema.processlist WHERE db = 'pointgate'"
            }
        };
        let backend = db.get_database_backend();
        let query = Statement::from_string(backend, query);
        let found = db.query_all_raw(query).await.unwrap();
        if self.kind == ServerKind::MariaDb {
            for row in &found {
                let id: i64 = row.try_get_by_index(0).unwrap();
                // The connection may have ended meanwhile.
                let _ = db.execute_unprepared(&format!("KILL {id}")).await;
            }
        }
        found.len()
    }

    /// Opens an administrator's connection.
    pub async fn administrator(&self) -> DatabaseConnection {
        self.connect().await.expect("it answers")
    }

    async fn connect(&self) -> Option<DatabaseConnection> {
        let mut options = ConnectOptions::new(self.system_url());
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
    /// SIGQUIT ends PostgreSQL as fast as SIGKILL, but lets it remove its shared memory.
    fn drop(&mut self) {
        if self.kind == ServerKind::Postgres && self.process.is_some() {
            // A failed test may have left it frozen.
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

/// A free port outside the range from which the system takes ephemeral ports: while the server is down, the system could give such
/// a port to a client that tries to connect to it, and the client would talk to itself.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = || std::process::id() * 7 + NEXT.fetch_add(1, Ordering::Relaxed);
    (0..1000)
        .map(|_| u16::try_from(15000 + next() % 15000).unwrap())
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("a port is free")
}

/// The path of a program of the newest installed PostgreSQL.
fn postgres_program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let programs = versions.map(|version| version.unwrap().path().join("bin").join(name));
    let newest = programs.filter(|program| program.exists()).max();
    newest.expect("PostgreSQL's server is installed")
}

/// The user and group that run PostgreSQL if the tests run as root, as which it refuses to start.
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

/// The output of `id` for a user, by default for the user of this process.
fn id(flag: &str, of: Option<&str>) -> String {
    let output = Command::new("id").arg(flag).args(of).output().unwrap();
    assert!(output.status.success(), "id {flag} {of:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Sends a signal; processes that have ended meanwhile are ignored.
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

/// Whether a process runs. A zombie does not.
fn is_alive(process: u32) -> bool {
    let state = Command::new("ps")
        .args(["-o", "stat=", "-p", &process.to_string()])
        .output();
    let state = String::from_utf8(state.unwrap().stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}
