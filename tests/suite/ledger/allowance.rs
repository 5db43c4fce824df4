//! The points that a caller may give in a day hold exactly: for many clients at once, on two instances, after `kill -9`.

use tokio::task::JoinSet;

use crate::program::{CONFIG, Client, Program, ProgramDir};

const MOST: i64 = 3000;
const CLIENTS: usize = 64;

fn config() -> String {
    let client =
        format!("[yoho.clients.android]\nkey = 'k-android'\nmax_points_per_day = {MOST}\n");
    CONFIG.replace("[yoho.client_keys]\nandroid = 'k-android'\n", &client)
}

fn uid(client: usize) -> String {
    (1 + client % 8).to_string()
}

/// Gives 7 points under a reference. `None` if no answer came, `Some(false)` if it would be too much.
async fn give(client: &Client, uid: &str, reference: &str) -> Option<bool> {
    let parameters = [
        ("method", "app.yohocoin.get"),
        ("uid", uid),
        ("num", "7"),
        ("type", "18"),
        ("referenceId", reference),
    ];
    let answer = client.call(&parameters).await.ok()?;
    match answer.code() {
        200 => Some(true),
        508 => Some(false),
        // A restart of the other instance may have broken a connection.
        500 | 503 => None,
        _ => panic!("{}", answer.text),
    }
}

async fn given(client: &Client) -> i64 {
    let mut sum = 0;
    for user in 0..8 {
        sum += client.total(&uid(user)).await;
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_days_points_hold_exactly() {
    let dir = ProgramDir::with_config(&config());
    let mut one = Program::start(&dir, &[]).await;
    let mut other = Program::start(&dir, &[]).await;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = [one.client(), other.client()][number % 2].clone();
        clients.spawn(async move {
            let (mut sent, uid) = (Vec::new(), uid(number));
            for i in 0.. {
                let reference = format!("r{number}-{i}");
                let outcome = give(&client, &uid, &reference).await;
                sent.push((uid.clone(), reference, outcome));
                if outcome != Some(true) {
                    break;
                }
            }
            sent
        });
    }
    // One instance dies in the middle of it, the other at the end.
    while given(&one.client()).await < MOST / 3 {}
    other.kill();
    let sent = clients.join_all().await;
    let mut sent: Vec<(String, String, Option<bool>)> = sent.into_iter().flatten().collect();
    one.kill();
    one.restart().await;
    other.restart().await;

    let most = MOST / 7 * 7;
    assert!(given(&one.client()).await <= most);
    // Retries at the other instance: what counted counts once, and the rest of the day's points can still be given.
    for (at, (uid, reference, outcome)) in sent.iter_mut().enumerate() {
        let client = [other.client(), one.client()][at % 2].clone();
        let again = give(&client, uid, reference).await;
        match outcome {
            Some(true) => assert_eq!(again, Some(true), "{reference} counted"),
            Some(false) | None => *outcome = again,
        }
    }
    let mut more = 0;
    while give(&one.client(), "1", &format!("more-{more}")).await == Some(true) {
        more += 1;
        sent.push(("1".into(), format!("more-{more}"), Some(true)));
    }
    let counted = sent.iter().filter(|(_, _, outcome)| *outcome == Some(true));
    assert_eq!(counted.count() as i64 * 7, most);
    assert_eq!(given(&one.client()).await, most);
    assert_eq!(given(&other.client()).await, most);
    one.audit();
}
