//! `kill -9` in the middle of many payments: each is stored together with what it awards, or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use entity::entry::Entity as Entry;
use entity::payment::Entity as Payment;
use futures_util::future::join_all;
use rsa::{Generate, PrivateKey};
use sea_orm::{Database, DatabaseConnection, EntityTrait, PaginatorTrait};

use super::provider::{charge, setting, signature};
use crate::program::{CONFIG, Client, Program, ProgramDir};

const ROUNDS: u32 = 4;
/// How many more payments are stored in each round before the program is killed.
const STORED: u64 = 50;
/// Payments under way at once.
const SENDERS: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_separates_no_payment_from_its_award() {
    let key = PrivateKey::generate();
    let award = "[status.pay]\naward = { diamond = 'amount' }\n";
    let dir = ProgramDir::with_config(&format!("{CONFIG}{}{award}", setting(&key)));
    let mut program = Program::start(&dir, &[]).await;
    let db = Database::connect(dir.database_url()).await.unwrap();
    let next = AtomicUsize::new(0);
    for _ in 0..ROUNDS {
        let client = program.client();
        let enough = Payment::find().count(&db).await.unwrap() + STORED;
        let senders = (0..SENDERS).map(|_| async {
            while send(&client, &key, next.fetch_add(1, Ordering::SeqCst)).await {}
        });
        // As soon as the payments are there: an award that comes later does not come at all.
        let kill = async {
            while Payment::find().count(&db).await.unwrap() < enough {}
            program.kill();
        };
        tokio::join!(join_all(senders), kill);
        program.restart().await;
        assert_whole(&db).await;
    }
    let payments = next.into_inner();
    for number in 0..payments {
        assert!(send(&program.client(), &key, number).await);
    }
    assert_eq!(assert_whole(&db).await, payments);
    program.audit();
}

/// Whether the event of a payment is acknowledged.
async fn send(client: &Client, key: &PrivateKey, number: usize) -> bool {
    let mut event = charge(number);
    event["data"]["object"]["metadata"]["user_key"] = format!("u{}", number % 40).into();
    event["data"]["object"]["order_no"] = number.to_string().into();
    let body = event.to_string();
    let url = format!("{}/gateway?method=status.pay_notify", client.base);
    let request = client
        .http
        .post(url)
        .header("X-Pingplusplus-Signature", signature(key, body.as_bytes()));
    let answer = Client::send(request.body(body)).await;
    answer.is_ok_and(|answer| answer.status == 200)
}

/// Checks that payments and awards are of the same orders, and gives their number.
async fn assert_whole(db: &DatabaseConnection) -> usize {
    let payments = Payment::find().all(db).await.unwrap();
    let entries = Entry::find().all(db).await.unwrap();
    let mut stored: Vec<_> = payments.into_iter().map(|it| it.order_no).collect();
    let mut awarded: Vec<_> = entries.into_iter().map(|it| it.reference).collect();
    stored.sort_unstable();
    awarded.sort_unstable();
    assert_eq!(stored, awarded);
    stored.len()
}
