//! Copies from each database into the next, until the ledger is back on the first one.

use std::collections::BTreeSet;

use pointgate::ledger::upkeep::copy::tables;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::fixture::{fill, new_dir, open, rows};
use crate::database::servers;
use crate::program::{ProgramDir, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_survives_copies_through_every_database() {
    let first = new_dir();
    let recorded = fill(&first).await;
    let original = rows(&first.database_url()).await;
    for (table, rows) in &original {
        assert!(!rows.is_empty(), "nothing stands in {table}");
    }
    let never = format!("expires_at: {}", i64::MAX);
    assert!(original["lot"].iter().any(|lot| lot.contains(&never)));

    let on_servers = servers().map(|server| new_dir().on_server(server));
    let copies: Vec<ProgramDir> = on_servers.chain([new_dir()]).collect();
    let mut from = first;
    for to in &copies {
        let (source, target) = (from.database_url(), to.database_url());
        // Out of the list of processes, where other users see the arguments.
        let variables = [("SOURCE", source.as_str()), ("TARGET", target.as_str())];
        let arguments = ["copy", "--from-env", "SOURCE", "--to-env", "TARGET"];
        let out = ProgramDir::empty().run_with(&arguments, &variables);
        let output = text(&out.stdout);
        assert!(out.status.success(), "{}", text(&out.stderr));
        assert_eq!(output.matches(": audit passed: ").count(), 2, "{output}");
        assert!(output.contains("copied all rows: "), "{output}");
        for (table, rows) in &original {
            assert!(
                output.contains(&format!("{} {table}", rows.len())),
                "{output}"
            );
        }
        for url in [from.database_url(), to.database_url()] {
            let secret = url.split_once('@').map(|(secret, _)| secret.to_owned());
            assert!(
                !secret.is_some_and(|secret| output.contains(&secret)),
                "{output}"
            );
        }
        assert_eq!(rows(&to.database_url()).await, original);
        from = to.clone();
    }
    for copy in &copies {
        recorded.assert_same_in(copy).await;
        for (table, rows) in rows(&copy.database_url()).await {
            let new = rows.len() > original[table].len();
            let numbered = ["account", "member", "action"].contains(&table);
            assert!(
                new || !numbered,
                "no new {table} in {}",
                copy.database_url()
            );
        }
    }
}

/// The copy covers every table of the schema.
#[tokio::test]
async fn every_table_is_copied() {
    let dir = new_dir();
    assert!(dir.run(&["migrate"]).status.success());
    let db = open(&dir.database_url()).await;
    let all = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let all = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, all));
    let all = all.await.unwrap().into_iter();
    let mut all: BTreeSet<String> = all.map(|row| row.try_get_by_index(0).unwrap()).collect();
    // The migrations create the rows of these tables in each database.
    for own in [
        "seaql_migrations",
        "advisory_lock",
        "clock",
        "lease",
        "probe",
    ] {
        assert!(all.remove(own), "{all:?}");
    }
    let copied: BTreeSet<String> = tables().map(str::to_owned).collect();
    assert_eq!(copied, all);
    let compared: BTreeSet<String> = rows(&dir.database_url())
        .await
        .into_keys()
        .map(Into::into)
        .collect();
    assert_eq!(compared, all, "these tests forget one");
}
