//! A payment whose row somebody else has locked for longer than a statement waits.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use tokio::time::sleep;

use super::provider::{Provider, event};

/// Longer than a statement waits for a lock, and shorter than two do.
const HELD: Duration = Duration::from_secs(7);

/// Only a stored payment is acknowledged: an answer other than 2xx makes the provider send it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_under_a_lock_is_acknowledged_only_if_it_is_stored() {
    let provider = Provider::with("").await;
    let other = Database::connect(provider.gateway.database_url())
        .await
        .unwrap();
    // Another session has the event's key, and gives it up in the end.
    let lock = other.begin().await.unwrap();
    let same = "INSERT INTO payment (event_id, kind, at) \
                VALUES ('evt_9LGm1cFqqx6OrD5zD4rI6YuG', 'charge.succeeded', 0)";
    lock.execute_unprepared(same).await.unwrap();
    let held = async {
        sleep(HELD).await;
        lock.rollback().await.unwrap();
    };
    let event = event();
    let ((status, answer), ()) = tokio::join!(provider.notify(&event), held);
    let stored = provider.payments().await.len();
    assert_eq!(
        status == 200,
        stored == 1,
        "{status} {answer}: {stored} stored"
    );
    assert_eq!(provider.notify(&event).await.0, 200);
    assert_eq!(provider.payments().await.len(), 1);
}
