//! A database that is opened for reading alone refuses to write, whatever its user may do.

use pointgate::ledger::database::Database;
use sea_orm::ConnectionTrait;

use crate::database::{Home, databases};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_opened_for_reading_refuses_to_write() {
    for (name, server) in databases() {
        let home = Home::on(server);
        let error = Database::open_read_only(&home.url).await.err();
        assert!(error.is_some(), "{name}: there is no ledger yet");
        Database::open(&home.url, 1)
            .await
            .unwrap()
            .close()
            .await
            .unwrap();

        let database = Database::open_read_only(&home.url).await.unwrap();
        let write = "UPDATE probe SET written_at = 1";
        for db in [database.read(), database.balances()] {
            let refused = db.execute_unprepared(write).await;
            assert!(refused.is_err(), "{name}: {refused:?}");
        }
        if let Ok(transaction) = database.begin_write().await {
            let refused = transaction.execute_unprepared(write).await;
            assert!(refused.is_err(), "{name}: {refused:?}");
            transaction.rollback().await.unwrap();
        }
        let snapshot = database.begin_snapshot().await.unwrap();
        let refused = snapshot.execute_unprepared(write).await;
        assert!(refused.is_err(), "{name}: {refused:?}");
        snapshot.rollback().await.unwrap();
        database.close().await.unwrap();
    }
}
