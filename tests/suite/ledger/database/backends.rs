//! What databases do differently stands in their backends and nowhere else.

use std::path::{Path, PathBuf};

use pointgate::ledger::database::backend::{BACKENDS, Backend};

/// The files in which SeaORM's name of a database may stand. GuardedTransaction passes it on, as SeaORM's trait wants.
const MAY_NAME_IT: [&str; 5] = [
    "backend.rs",
    "backend/mysql.rs",
    "backend/postgres.rs",
    "backend/sqlite.rs",
    "guarded.rs",
];

#[test]
fn only_backends_know_which_database_it_is() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let database = src.join("ledger/database");
    let mut named = Vec::new();
    collect(&src, &mut named);
    named.sort();
    let mut expected = MAY_NAME_IT.map(|file| database.join(file));
    expected.sort();
    assert_eq!(named, expected);
}

/// The files that name the type by which code could ask which database it talks to. The ledger's own tests compare databases.
fn collect(folder: &Path, named: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().unwrap() != "equal" {
                collect(&path, named);
            }
        } else if std::fs::read_to_string(&path)
            .unwrap()
            .contains("DbBackend")
        {
            named.push(path);
        }
    }
}

#[test]
fn each_backend_is_found_by_its_urls() {
    for backend in BACKENDS {
        let same = BACKENDS.iter().filter(|it| it.index == backend.index);
        assert_eq!(same.count(), 1, "{}", backend.index);
        for scheme in backend.schemes {
            let found = Backend::of_url(&format!("{scheme}://x/y")).unwrap();
            assert_eq!(found.index, backend.index, "{scheme}");
        }
        let wanted = backend.writers(7);
        assert_eq!(wanted, if backend.writes_concurrently() { 7 } else { 1 });
        assert_eq!(backend.writers(0), backend.writers);
    }
    for unknown in ["", "sqlite", "oracle://x/y", "Postgres://x/y"] {
        assert!(Backend::of_url(unknown).is_none(), "{unknown}");
    }
}
