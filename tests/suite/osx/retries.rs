//! An action counts once. A repeat gets the same answer with the current balances and profile: later, concurrently, after a crash
//! and at another program.

use futures_util::future::join_all;
use serde_json::Value;

use super::client::{COMMUNITY, error, ok, sign_action};
use crate::program::{CONFIG, Client, Program, ProgramDir};
use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_deliveries_score_once() {
    let gateway = TestGateway::with_community().await;
    let answers = join_all((0..64).map(|_| gateway.notify("a>b 1 like t1"))).await;
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert!(answers[0].1.contains(r#""score1":"1""#), "{}", answers[0].1);
    let report = gateway.audit().await;
    assert_eq!((report.entries, report.points), (3, 6));
}

/// The sender retries for 32 hours, each time with a new endtimestamp and sign. It overwrites its scores with those of the answer,
/// which must therefore be the current ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_with_current_balances() {
    let gateway = TestGateway::with_community().await;
    let data = |a: &str, b: &str| {
        ok(&format!(
            r#"{{"action_token":"t1","user_info":{{"user_token":"a",{a}}},"to_user_info":{{"to_user_token":"b",{b}}},"userInfo":{{}}}}"#
        ))
    };
    let first = data(r#""score1":"1""#, r#""score2":"2","score4":"3""#);
    let now = data(r#""score1":"12""#, r#""score2":"4","score4":"6""#);
    assert_eq!(gateway.notify("a>b 1 like t1").await, first);
    assert_eq!(gateway.notify("a>b 1 like t1").await, first);
    gateway.notify("a>b 1 like t2").await;
    gateway.notify("a>b 1 post t3").await;
    for time in [
        "2026-05-20 11:31:00",
        "2026-05-21 19:30:32",
        "2036-05-20 11:30:32",
    ] {
        gateway.set_time(time);
        assert_eq!(gateway.notify("a>b 1 like t1").await, now, "{time}");
    }
    // The first request has expired by now.
    let old = format!(
        "/userActionNotify?{}",
        sign_action("a>b 1 like t1", 1_779_247_832)
    );
    assert_eq!(gateway.get_path(&old).await, error("请求超时"));
    assert_eq!(gateway.audit().await.entries, 8);
}

/// The sender makes up its tokens from a time and a random number, so those of two members collide.
#[tokio::test(flavor = "multi_thread")]
async fn another_action_under_the_same_token_scores_too() {
    let gateway = TestGateway::with_community().await;
    let calls = [
        (
            "a 1 post t1",
            r#""user_token":"a","score1":"10","score2":"5""#,
        ),
        (
            "b 1 post t1",
            r#""user_token":"b","score1":"10","score2":"5""#,
        ),
        (
            "a 2 post t1",
            r#""user_token":"a","score1":"20","score2":"10""#,
        ),
        ("a 1 like t1", r#""user_token":"a","score1":"21""#),
        (
            "a>b 1 post t1",
            r#""user_token":"a","score1":"31","score2":"15""#,
        ),
        (
            "a>c 1 post t1",
            r#""user_token":"a","score1":"41","score2":"20""#,
        ),
    ];
    for (call, shown) in calls {
        let (_, body) = gateway.notify(call).await;
        assert!(body.contains(shown), "{call}: {body}");
    }
    let before = gateway.audit().await;
    // Each of them is known, in whichever order the sender repeats them.
    for (call, _) in calls.iter().rev() {
        let (_, body) = gateway.notify(call).await;
        let user = match call.starts_with('b') {
            true => r#""user_info":{"user_token":"b","score1":"10""#,
            false => r#""user_info":{"user_token":"a","score1":"41""#,
        };
        assert!(body.contains(user), "{call}: {body}");
    }
    assert_eq!(gateway.audit().await, before);
}

/// Neither an action beyond its limit nor its repeat shows a score.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_an_action_without_score_shows_none() {
    let gateway = TestGateway::with_community().await;
    let data = r#"{"action_token":"t3","user_info":{"user_token":"a"},"userInfo":{}}"#;
    for call in ["a 1 like t1", "a 1 like t2"] {
        gateway.notify(call).await;
    }
    assert_eq!(gateway.notify("a 1 like t3").await, ok(data));
    gateway.notify("a 1 post t4").await;
    assert_eq!(gateway.notify("a 1 like t3").await, ok(data));
    assert_eq!(gateway.audit().await.points, 2 + 10 + 5);
}

/// A repeat shows the current profile, with which the sender overwrites its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_with_the_current_profile() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{COMMUNITY}"));
    let program = Program::start(&dir, &[]).await;
    let client = program.client();
    let first = send(&client, "a 1 post t1").await;
    assert!(first.contains(r#""userInfo":{}"#), "{first}");
    client
        .call_ok(&[
            ("method", "status.update_profile"),
            ("user_key", "a"),
            ("description", "new"),
        ])
        .await;
    assert_eq!(
        send(&client, "a 1 post t1").await,
        first.replace(r#""userInfo":{}"#, r#""userInfo":{"signature":"new"}"#)
    );
}

/// The ledger stores no answer: a repeat shows the scores of the current rule with their balances, and changes none.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_follows_the_current_rule() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{COMMUNITY}"));
    let mut program = Program::start(&dir, &[]).await;
    let answer = |scores: &str| {
        format!(
            r#"{{"code":200,"msg":"ok","data":{{"action_token":"t1","user_info":{{"user_token":"a",{scores}}},"to_user_info":{{"to_user_token":"b"}},"userInfo":{{}}}}}}"#
        )
    };
    assert_eq!(
        send(&program.client(), "a>b 1 post t1").await,
        answer(r#""score1":"10","score2":"5""#)
    );
    program.terminate().await;
    dir.write(
        "gateway.toml",
        &format!("{CONFIG}{COMMUNITY}").replace("score1", "score3"),
    );
    program.restart().await;
    // No user has points of score3.
    assert_eq!(
        send(&program.client(), "a>b 1 post t1").await,
        answer(r#""score2":"5""#)
    );
    program.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_after_a_kill_scores_nothing() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{COMMUNITY}"));
    let mut program = Program::start(&dir, &[]).await;
    let calls: Vec<String> = (0..60)
        .map(|i| format!("u{}>u{} {i} post t{i}", i % 5, i % 7))
        .collect();
    let client = program.client();
    for call in &calls {
        send(&client, call).await;
    }
    let check = async |client: Client, when: &str| {
        let again = join_all(calls.iter().map(|call| send(&client, call))).await;
        for (i, again) in again.into_iter().enumerate() {
            // Each of the five users has posted twelve times; repeats add nothing.
            let (user, other) = (i % 5, i % 7);
            let now = format!(
                r#"{{"code":200,"msg":"ok","data":{{"action_token":"t{i}","user_info":{{"user_token":"u{user}","score1":"120","score2":"60"}},"to_user_info":{{"to_user_token":"u{other}"}},"userInfo":{{}}}}}}"#
            );
            assert_eq!(again, now, "{when}");
        }
    };
    let second = Program::start(&dir, &[]).await;
    check(client, "at the same program").await;
    check(second.client(), "at another program").await;
    program.kill();
    program.restart().await;
    check(program.client(), "after a kill").await;
    program.audit();
}

/// The program is killed during many deliveries: acknowledged ones stay recorded, and none counts twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_during_deliveries_counts_nothing_twice() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{COMMUNITY}"));
    let mut program = Program::start(&dir, &[]).await;
    for round in 0..3 {
        let client = program.client();
        let deliver = |i: usize| {
            let client = client.clone();
            async move {
                let answer = client.get(&path(&format!("a 1 post r{round}-{i}"))).await;
                (i, answer.ok().map(|answer| answer.text))
            }
        };
        let under_way = tokio::spawn(join_all((0..400).map(deliver)));
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        program.kill();
        let answered = under_way.await.unwrap();
        program.restart().await;
        let client = program.client();
        let again = answered.into_iter().map(|(i, first)| {
            let client = client.clone();
            async move {
                let again = send(&client, &format!("a 1 post r{round}-{i}")).await;
                let token = format!(r#""data":{{"action_token":"r{round}-{i}","#);
                assert!(again.contains(&token), "{again}");
                // The repeat has the current balance, which is at least that of the first answer.
                let least = first.as_deref().map_or(10, score1);
                assert!(score1(&again) >= least, "r{round}-{i}: {first:?} {again}");
            }
        });
        join_all(again).await;
    }
    let last = send(&program.client(), "a 1 post last").await;
    assert!(
        last.contains(r#""score1":"12010","score2":"6005""#),
        "{last}"
    );
    program.audit();
}

/// The actor's score1 in an answer.
fn score1(answer: &str) -> i64 {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let score = answer["data"]["user_info"]["score1"].as_str().unwrap();
    score.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_score_an_action_once() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{COMMUNITY}"));
    let one = Program::start(&dir, &[]).await;
    let other = Program::start(&dir, &[]).await;
    let clients = [one.client(), other.client()];
    for i in 0..20 {
        let call = format!("a>b 1 post t{i}");
        let (a, b) = tokio::join!(send(&clients[0], &call), send(&clients[1], &call));
        assert_eq!(a, b);
    }
    // Two members with one token, at both programs at once.
    for i in 0..20 {
        let (c, d) = (format!("c 1 post t{i}"), format!("d 1 post t{i}"));
        tokio::join!(send(&clients[0], &c), send(&clients[1], &d));
        tokio::join!(send(&clients[1], &c), send(&clients[0], &d));
    }
    for user in ["a", "c", "d"] {
        let last = send(&clients[0], &format!("{user} 1 post last")).await;
        assert!(last.contains(r#""score1":"210""#), "{last}");
    }
    one.audit();
}

fn path(call: &str) -> String {
    let end = jiff::Timestamp::now().as_second() + 60;
    format!("/userActionNotify?{}", sign_action(call, end))
}

async fn send(client: &Client, call: &str) -> String {
    client.get(&path(call)).await.unwrap().text
}
