//! An action counts once and is answered alike for ever: later, in parallel, after a crash, at another program.

use futures_util::future::join_all;

use super::client::{COMMUNITY, action, error};
use crate::program::{CONFIG, Client, Place, Program};
use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_deliveries_score_once() {
    let gateway = TestGateway::with_community().await;
    let answers = join_all((0..64).map(|_| gateway.notify("a>b 1 like t1"))).await;
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert!(answers[0].1.contains(r#""score1":"1""#), "{}", answers[0].1);
    let report = gateway.audit().await;
    assert_eq!((report.entries, report.points), (3, 6));
}

/// The sender tries again for 32 hours, with another endtimestamp and sign.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_delivery_is_answered_as_the_first() {
    let gateway = TestGateway::with_community().await;
    let first = gateway.notify("a>b 1 like t1").await;
    gateway.notify("a>b 1 like t2").await;
    gateway.notify("a>b 1 post t3").await;
    for time in [
        "2026-05-20 11:31:00",
        "2026-05-21 19:30:32",
        "2036-05-20 11:30:32",
    ] {
        gateway.at(time);
        assert_eq!(gateway.notify("a>b 1 like t1").await, first, "{time}");
    }
    // Whatever else is said under the same token.
    assert_eq!(gateway.notify("c 2 post t1").await, first);
    // The first request itself is too old by now.
    let old = format!(
        "/userActionNotify?{}",
        action("a>b 1 like t1", 1_779_247_832)
    );
    assert_eq!(gateway.get_path(&old).await, error("请求超时"));
    assert_eq!(gateway.audit().await.entries, 8);
}

/// Also where the rules are others by then.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_the_stored_one() {
    let place = Place::with(&format!("{CONFIG}{COMMUNITY}"));
    let mut program = Program::start(&place, &[]).await;
    let first = send(&program.client(), "a>b 1 post t1").await;
    assert_eq!(
        first,
        r#"{"code":200,"msg":"ok","data":{"action_token":"t1","user_info":{"user_token":"a","score1":"10","score2":"5"},"to_user_info":{"to_user_token":"b"},"userInfo":{}}}"#
    );
    program.terminate().await;
    place.write(
        "gateway.toml",
        &format!("{CONFIG}{COMMUNITY}").replace("score1", "score3"),
    );
    program.restart().await;
    assert_eq!(send(&program.client(), "a>b 1 post t1").await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_a_kill_and_a_delivery() {
    let place = Place::with(&format!("{CONFIG}{COMMUNITY}"));
    let mut program = Program::start(&place, &[]).await;
    let calls: Vec<String> = (0..60)
        .map(|i| format!("u{}>u{} {i} post t{i}", i % 5, i % 7))
        .collect();
    let client = program.client();
    let mut first = Vec::new();
    for call in &calls {
        first.push(send(&client, call).await);
    }
    let second = Program::start(&place, &[]).await;
    let check = async |client: Client, when: &str| {
        let again = join_all(calls.iter().map(|call| send(&client, call))).await;
        assert_eq!(again, first, "{when}");
    };
    check(second.client(), "at another program").await;
    program.kill9();
    program.restart().await;
    check(program.client(), "after a kill").await;
    program.audit();
}

/// A kill in the middle of many deliveries: what was answered stays so, and nothing counts twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle() {
    let place = Place::with(&format!("{CONFIG}{COMMUNITY}"));
    let mut program = Program::start(&place, &[]).await;
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
        program.kill9();
        let answered = under_way.await.unwrap();
        program.restart().await;
        let client = program.client();
        let again = answered.into_iter().map(|(i, first)| {
            let client = client.clone();
            async move {
                let again = send(&client, &format!("a 1 post r{round}-{i}")).await;
                assert!(first.is_none_or(|first| first == again), "r{round}-{i}");
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

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_at_once() {
    let place = Place::with(&format!("{CONFIG}{COMMUNITY}"));
    let one = Program::start(&place, &[]).await;
    let other = Program::start(&place, &[]).await;
    let clients = [one.client(), other.client()];
    for i in 0..20 {
        let call = format!("a>b 1 post t{i}");
        let (a, b) = tokio::join!(send(&clients[0], &call), send(&clients[1], &call));
        assert_eq!(a, b);
    }
    let last = send(&clients[0], "a 1 post last").await;
    assert!(last.contains(r#""score1":"210""#), "{last}");
    one.audit();
}

fn path(call: &str) -> String {
    let end = jiff::Timestamp::now().as_second() + 60;
    format!("/userActionNotify?{}", action(call, end))
}

async fn send(client: &Client, call: &str) -> String {
    client.get(&path(call)).await.unwrap().text
}
