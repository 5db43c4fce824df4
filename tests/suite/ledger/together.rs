//! Two programs on one ledger: together they spend no more than there is, and a retry at the other program counts once.

use tokio::task::JoinSet;

use super::write_load::history;
use crate::program::{Answer, Client, Program, ProgramDir};

const UID: &str = "50030199";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_spend_no_more_than_there_is() {
    let one = Program::new().await;
    let other = Program::start(&one.dir, &[]).await;
    assert_ne!(one.address, other.address);
    earn(&one.client(), 1000).await;
    let clients = [one.client(), other.client()];
    let mut spends = JoinSet::new();
    for i in 0..200 {
        let client = clients[i % 2].clone();
        spends.spawn(async move { (i % 2, spend(&client, &format!("o{i}")).await) });
    }
    let mut good = [0, 0];
    for (which, answer) in spends.join_all().await {
        match answer.code() {
            200 => good[which] += 1,
            407 => {}
            _ => panic!("{}", answer.text),
        }
    }
    assert_eq!(good[0] + good[1], 100, "of each: {good:?}");
    for client in clients {
        assert_eq!(client.total(UID).await, 0);
        assert_eq!(history(&client, UID).await.len(), 101);
    }
    one.audit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_at_the_other_counts_once() {
    let one = Program::new().await;
    let other = Program::start(&one.dir, &[]).await;
    earn(&one.client(), 1000).await;
    let clients = [one.client(), other.client()];
    for i in 0..20 {
        let order = format!("o{i}");
        let (a, b) = tokio::join!(spend(&clients[0], &order), spend(&clients[1], &order));
        assert_eq!(a.code(), 200, "{}", a.text);
        assert_eq!(a.text, b.text, "{order}");
    }
    for client in clients {
        assert_eq!(client.total(UID).await, 800);
        assert_eq!(history(&client, UID).await.len(), 21);
    }
    one.audit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_that_start_at_once_create_one_ledger() {
    for _ in 0..3 {
        let dir = ProgramDir::new();
        let (one, other) = tokio::join!(
            tokio::spawn(start(dir.clone())),
            tokio::spawn(start(dir.clone()))
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        earn(&one.client(), 1000).await;
        assert_eq!(spend(&other.client(), "o").await.code(), 200);
        assert_eq!(one.client().total(UID).await, 990);
    }
}

async fn start(dir: ProgramDir) -> Program {
    Program::start(&dir, &[]).await
}

async fn earn(client: &Client, num: i64) {
    client
        .call_ok(&[
            ("method", "app.yohocoin.get"),
            ("uid", UID),
            ("num", &num.to_string()),
            ("type", "18"),
            ("referenceId", "r"),
        ])
        .await;
}

/// Spends ten coins.
async fn spend(client: &Client, order: &str) -> Answer {
    let parameters = [
        ("method", "app.yohocoin.subtract"),
        ("uid", UID),
        ("num", "-10"),
        ("type", "19"),
        ("orderCode", order),
    ];
    client.call(&parameters).await.unwrap()
}
