//! `audit`, `payments`, `keys`, `journal`, `liability`, `statement`, `frozen`, `freeze` and `forget` without `--yes`, and `copy --from` only read: a user who may do no more is enough, and a ledger of another version of the
//! program is reported and left as it is.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use tokio::time::sleep;

use super::copy::fixture::{dirs_on_every_database, fill, new_dir, open, rows};
use crate::database::{MARIADB, POSTGRES};
use crate::outage::disk::SmallDisk;
use crate::program::{ProgramDir, text};

/// The limit for the end of the last connection.
const PATIENCE: Duration = Duration::from_secs(60);
const VERSIONS: &str = "SELECT version FROM seaql_migrations ORDER BY version";

/// Runs every command that only reads on the ledger at this URL.
fn read(url: &str) -> Vec<(&'static str, Output)> {
    let target = new_dir();
    let to = target.database_url();
    let variables = [("POINTGATE__DATABASE__URL", url)];
    let run = |arguments: &[&str]| target.run_with(arguments, &variables);
    vec![
        ("audit", run(&["audit"])),
        ("payments", run(&["payments"])),
        ("keys", run(&["keys"])),
        ("journal", run(&["journal"])),
        ("clock", run(&["clock"])),
        ("liability", run(&["liability"])),
        ("seal", run(&["seal", "log"])),
        ("entries", run(&["entries", "--origin", "openapi/p1"])),
        (
            "statement",
            run(&[
                "statement",
                "uid:1001",
                "--asset",
                "coin",
                "--from",
                "2000-01-01",
                "--to",
                "2999-01-01",
            ]),
        ),
        ("entry", run(&["entry", "coin/uid:1001/1"])),
        ("account", run(&["account", "uid:1001"])),
        ("request", run(&["request", "r"])),
        ("forget", run(&["forget", "key:key-a"])),
        ("frozen", run(&["frozen"])),
        ("freeze", run(&["freeze", "key:linked", "--reason", "r"])),
        ("copy", run(&["copy", "--from", url, "--to", &to])),
    ]
}

#[track_caller]
fn assert_all_read(url: &str) {
    for (command, out) in read(url) {
        assert!(out.status.success(), "{command}: {}", text(&out.stderr));
        let output = text(&out.stdout);
        let result = match command {
            "payments" => " events\n",
            "keys" => "yoho  android  current  ",
            "seal" => "\"audit\":\"passed\"",
            "liability" => "coin issued: ",
            "entries" => "coin/uid:1002/",
            "entry" => "coin/uid:1001/1\n  time",
            "account" => "coin of uid:1001: ",
            "request" => "0 entries\n",
            "statement" => "\nclosing ",
            "journal" => "5 records\n",
            "frozen" => "1 frozen\n",
            "freeze" => "would freeze uid:1003 (spending): owes 5 coin, 0 coin; --yes freezes it\n",
            "clock" => "the clock is trusted\n",
            "forget" => {
                "would erase what is known of key:key-a: actions, follows, light_until, signature; --yes erases it\n"
            }
            _ => "audit passed: ",
        };
        assert!(output.contains(result), "{command}: {output}");
    }
}

/// The name and content of each file of a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let mut files: Vec<_> = files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, fs::read(file.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Makes the ledger's file and folder read-only; false if a process still writes there.
fn make_read_only(dir: &ProgramDir, mounted: bool) -> bool {
    let data = dir.path("data");
    if mounted {
        let mut remount = Command::new("mount");
        remount.args(["-o", "remount,ro"]).arg(data);
        return remount.output().unwrap().status.success();
    }
    fs::set_permissions(dir.database_file(), Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(data, Permissions::from_mode(0o500)).unwrap();
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_nobody_may_write_is_read() {
    let dir = new_dir();
    let data = dir.path("data");
    // Root may write whatever the modes say, but not to a disk that is mounted for reading.
    let disk = SmallDisk::mount(&data);
    fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    fill(&dir).await;
    // The last connection, which `fill` drops, closes in the background.
    let deadline = Instant::now() + PATIENCE;
    while files(&data).len() > 1 || !make_read_only(&dir, disk.is_some()) {
        assert!(Instant::now() < deadline, "the file is still in use");
        sleep(Duration::from_millis(10)).await;
    }
    let before = files(&data);
    assert_all_read(&dir.database_url());
    assert_eq!(files(&data), before);
    if disk.is_none() {
        fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_holds_up_no_reader() {
    let dir = new_dir();
    fill(&dir).await;
    let db = open(&dir.database_url()).await;
    let options = sea_orm::TransactionOptions {
        sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let writer = db.begin_with_options(options).await.unwrap();
    assert_all_read(&dir.database_url());
    writer.rollback().await.unwrap();
}

/// A user of a database server who may read one database; dropping it removes the user.
struct Reader {
    administrator: String,
    statements: [String; 2],
    url: String,
}

impl Reader {
    async fn of(dir: &ProgramDir) -> Reader {
        let administrator = dir.database_url();
        let (place, database) = administrator.rsplit_once('/').unwrap();
        let (scheme, address) = (
            place.split("://").next().unwrap(),
            place.split('@').nth(1).unwrap(),
        );
        let name = format!("r_{database}");
        let (create, grant, drop) = match scheme {
            "postgres" => (
                format!("CREATE ROLE {name} LOGIN PASSWORD 'only-to-read'"),
                format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"),
                [format!("DROP OWNED BY {name}"), format!("DROP ROLE {name}")],
            ),
            _ => (
                format!("CREATE USER {name}@'127.0.0.1' IDENTIFIED BY 'only-to-read'"),
                format!("GRANT SELECT ON {database}.* TO {name}@'127.0.0.1'"),
                [
                    "SELECT 1".to_owned(),
                    format!("DROP USER {name}@'127.0.0.1'"),
                ],
            ),
        };
        let db = open(&administrator).await;
        for statement in [create, grant] {
            db.execute_unprepared(&statement).await.unwrap();
        }
        Reader {
            url: format!("{scheme}://{name}:only-to-read@{address}/{database}"),
            statements: drop,
            administrator,
        }
    }

    async fn remove(self) {
        let db = open(&self.administrator).await;
        for statement in self.statements {
            db.execute_unprepared(&statement).await.unwrap();
        }
    }
}

async fn a_user_who_may_only_read_is_enough(server: &str) {
    let dir = new_dir().on_server(server);
    fill(&dir).await;
    let before = rows(&dir.database_url()).await;
    let reader = Reader::of(&dir).await;
    assert_all_read(&reader.url);
    // The user can do no more than that.
    let variables = [("POINTGATE__DATABASE__URL", reader.url.as_str())];
    let out = new_dir().run_with(&["link", "--uid", "77", "--user-key", "new"], &variables);
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stdout));
    assert_eq!(rows(&dir.database_url()).await, before);
    reader.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn a_user_who_may_only_read_postgresql_is_enough() {
    a_user_who_may_only_read_is_enough(POSTGRES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn a_user_who_may_only_read_mariadb_is_enough() {
    a_user_who_may_only_read_is_enough(MARIADB).await;
}

async fn versions(db: &impl ConnectionTrait) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), VERSIONS);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_of_another_version_is_reported_and_left_as_it_is() {
    for dir in dirs_on_every_database() {
        assert!(dir.run(&["migrate"]).status.success());
        let db = open(&dir.database_url()).await;
        let last = versions(&db).await.pop().unwrap();
        let without_last = format!("DELETE FROM seaql_migrations WHERE version = '{last}'");
        let lacks = format!(
            "the ledger is of an older version of this program: it lacks the migration {last}; bring it up to date with \
             `pointgate migrate`, or read it with the version that wrote it\n"
        );
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2999_newer', 1)";
        let has = "the ledger is of a newer version of this program: it has the migration m2999_newer; use that version\n";
        for (change, why) in [(without_last.as_str(), lacks.as_str()), (newer, has)] {
            db.execute_unprepared(change).await.unwrap();
            let before = versions(&db).await;
            for (command, out) in read(&dir.database_url()) {
                assert_eq!(out.status.code(), Some(1), "{command}");
                let output = text(&out.stderr);
                // A line of the log may follow.
                assert!(output.contains(why), "{command}: {output}");
            }
            assert_eq!(versions(&db).await, before);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_a_ledger_is_reported_and_stays_empty() {
    for dir in dirs_on_every_database() {
        if dir.database_url().starts_with("sqlite") {
            fs::create_dir(dir.path("data")).unwrap();
            dir.write("data/pointgate.db", "");
        }
        for (command, out) in read(&dir.database_url()) {
            assert_eq!(out.status.code(), Some(1), "{command}");
            let output = text(&out.stderr);
            assert!(output.contains("there is no ledger"), "{command}: {output}");
        }
        let db = open(&dir.database_url()).await;
        let schema = match db.get_database_backend() {
            DbBackend::Sqlite => "sqlite_schema",
            DbBackend::Postgres => "pg_tables WHERE schemaname = 'public'",
            _ => "information_schema.tables WHERE table_schema = DATABASE()",
        };
        let tables = format!("SELECT 1 FROM {schema}");
        let tables = Statement::from_string(db.get_database_backend(), tables);
        assert_eq!(db.query_all_raw(tables).await.unwrap().len(), 0);
    }
}
