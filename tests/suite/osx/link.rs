//! `pointgate link`: makes a uid and a user_key one person with one account.

use super::client::{COMMUNITY, sign_action};
use crate::program::{CONFIG, Client, Program, ProgramDir, text};

/// A directory whose configuration keeps score2 in coins and identifies the community's users by user_key.
fn dir_with_coins() -> ProgramDir {
    let community = COMMUNITY.replace("[osx]", "[osx]\nscores.score2 = 'coin'");
    ProgramDir::with_config(&format!("{CONFIG}{community}"))
}

#[track_caller]
fn link(dir: &ProgramDir, uid: &str, key: &str) -> Result<String, String> {
    let out = dir.run(&["link", "--uid", uid, "--user-key", key]);
    match out.status.success() {
        true => Ok(text(&out.stdout)),
        false => Err(text(&out.stderr)),
    }
}

async fn post(client: &Client, user: &str, token: &str) -> String {
    let end = jiff::Timestamp::now().as_second() + 60;
    let query = sign_action(&format!("{user} 1 post {token}"), end);
    client
        .get(&format!("/userActionNotify?{query}"))
        .await
        .unwrap()
        .text
}

async fn earn(client: &Client, uid: &str) {
    let parameters = [
        ("method", "app.yohocoin.get"),
        ("uid", uid),
        ("num", "100"),
        ("type", "18"),
        ("referenceId", "r"),
    ];
    client.call_ok(&parameters).await;
}

async fn spend(client: &Client, uid: &str, num: &str) -> i64 {
    let parameters = [
        ("method", "app.yohocoin.subtract"),
        ("uid", uid),
        ("num", num),
        ("type", "19"),
        ("orderCode", num),
    ];
    client.call(&parameters).await.unwrap().code()
}

async fn rows(client: &Client, uid: &str) -> i64 {
    let parameters = [
        ("method", "app.yohocoin.lists"),
        ("uid", uid),
        ("queryType", "1"),
    ];
    client.call_ok(&parameters).await["total"].as_i64().unwrap()
}

/// The linked account is the one that has entries, and a running program follows the link at once.
#[tokio::test(flavor = "multi_thread")]
async fn the_identity_with_entries_keeps_its_account() {
    let program = Program::start(&dir_with_coins(), &[]).await;
    let client = program.client();
    // The uid has points.
    earn(&client, "5").await;
    link(&program.dir, "5", "five").unwrap();
    assert!(
        post(&client, "five", "t1")
            .await
            .contains(r#""score2":"105""#)
    );
    assert_eq!(client.total("5").await, 105);
    // The user_key has points.
    assert!(post(&client, "six", "t2").await.contains(r#""score2":"5""#));
    assert_eq!(client.total("6").await, 0);
    link(&program.dir, "6", "six").unwrap();
    assert_eq!(client.total("6").await, 5);
    assert_eq!(rows(&client, "6").await, 1);
    earn(&client, "6").await;
    assert_eq!(client.total("6").await, 105);
    assert!(
        post(&client, "six", "t3")
            .await
            .contains(r#""score2":"110""#)
    );
    assert_eq!(rows(&client, "6").await, 3);
    assert_eq!(spend(&client, "6", "-110").await, 200);
    assert_eq!(spend(&client, "6", "-1").await, 407);
    // Neither has points.
    link(&program.dir, "7", "seven").unwrap();
    assert!(
        post(&client, "seven", "t4")
            .await
            .contains(r#""score2":"5""#)
    );
    assert_eq!(client.total("7").await, 5);
    // Calls by both identities concurrently, in one batch or in several.
    let calls = (0..20).map(|i| {
        let client = client.clone();
        async move {
            match i % 2 {
                0 => drop(post(&client, "seven", &format!("s{i}")).await),
                _ => drop(spend(&client, "7", "-1").await),
            }
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(client.total("7").await, 5 + 50 - 1);
    program.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicting_links_are_refused() {
    let program = Program::start(&dir_with_coins(), &[]).await;
    let (client, dir) = (program.client(), &program.dir);
    earn(&client, "5").await;
    post(&client, "five", "t1").await;
    let both = link(dir, "5", "five").unwrap_err();
    assert!(
        both.contains("uid 5 and user_key five both hold or owe points of coin"),
        "{both}"
    );
    assert_eq!(client.total("5").await, 100);

    let linked = link(dir, "5", "cinq").unwrap();
    assert_eq!(linked, "linked uid 5 and user_key cinq\n");
    assert_eq!(link(dir, "5", "cinq").unwrap(), linked, "again");
    let taken = link(dir, "5", "funf").unwrap_err();
    assert!(
        taken.contains("uid 5 is already linked to user_key cinq"),
        "{taken}"
    );
    let taken = link(dir, "6", "cinq").unwrap_err();
    assert!(
        taken.contains("user_key cinq is already linked to uid 5"),
        "{taken}"
    );
    for (uid, key) in [("0", "x"), ("-1", "x"), ("x", "x"), ("8", "")] {
        assert!(link(dir, uid, key).is_err(), "{uid} {key}");
    }
    let long = "x".repeat(256);
    assert!(link(dir, "8", &long).is_err());
    program.audit();
}
