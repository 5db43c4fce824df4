//! SQLite's files are for their owner alone, and a ledger that others may open is warned of.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::program::{Program, ProgramDir};

const FILES: [&str; 3] = [
    "data/pointgate.db",
    "data/pointgate.db-wal",
    "data/pointgate.db-shm",
];

fn mode(dir: &ProgramDir, name: &str) -> u32 {
    let found = fs::metadata(dir.path(name));
    found
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .permissions()
        .mode()
        & 0o7777
}

fn warnings(program: &Program) -> Vec<String> {
    let log = program.log();
    let lines = log.lines().filter(|line| line.contains("WARN"));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_new_ledger_is_for_its_owner_alone() {
    let dir = ProgramDir::new().on_sqlite();
    let program = Program::start(&dir, &[]).await;
    assert_eq!(program.client().total("5").await, 0);
    assert_eq!(mode(&dir, "data"), 0o700);
    for file in FILES {
        assert_eq!(mode(&dir, file), 0o600, "{file}");
    }
    assert_eq!(warnings(&program), Vec::<String>::new());
}

#[tokio::test]
async fn a_ledger_that_others_may_open_is_warned_of_and_left_as_it_is() {
    let dir = ProgramDir::new().on_sqlite();
    assert!(dir.run(&["migrate"]).status.success());
    let open = [("data", 0o755), (FILES[0], 0o640)];
    for (name, mode) in open {
        fs::set_permissions(dir.path(name), Permissions::from_mode(mode)).unwrap();
    }
    let program = Program::start(&dir, &[]).await;
    assert_eq!(program.client().total("5").await, 0);
    let warnings = warnings(&program);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for (warning, remedy) in warnings
        .iter()
        .zip(["(mode 755): chmod 700 ", "(mode 640): chmod 600 "])
    {
        assert!(warning.contains(remedy), "{warning}");
    }
    assert!(warnings[0].ends_with("data\""), "{}", warnings[0]);
    assert!(
        warnings[1].ends_with("data/pointgate.db\""),
        "{}",
        warnings[1]
    );
    for (name, as_it_was) in open {
        assert_eq!(mode(&dir, name), as_it_was, "{name}");
    }
}

#[tokio::test]
async fn a_ledger_in_a_shared_folder_is_to_be_moved() {
    let dir = ProgramDir::new().on_sqlite();
    fs::create_dir(dir.path("data")).unwrap();
    fs::set_permissions(dir.path("data"), Permissions::from_mode(0o1777)).unwrap();
    let program = Program::start(&dir, &[]).await;
    let warnings = warnings(&program);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("move the ledger to a folder of its own"),
        "{}",
        warnings[0]
    );
    assert_eq!(mode(&dir, FILES[0]), 0o600);
}
