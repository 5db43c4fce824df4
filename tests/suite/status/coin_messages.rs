//! Messages to the methods of the shop's coins.

use super::messages::{Messages, NOW, message};

/// A method that `[amqp] methods` names counts a message once too, whatever its own reference says by then.
#[tokio::test(flavor = "multi_thread")]
async fn the_coins_of_a_message_count_once() {
    let messages = Messages::new().await;
    let coins = |n: i64| format!(r#"{{"currency":"{n}","uid":5}}"#);
    let used = "412 message_id已被使用".to_owned();
    let (get, subtract, give_back) = (
        "app.yohocoin.get",
        "app.yohocoin.subtract",
        "app.yohocoin.return",
    );
    let check_in = r#"{"uid":5,"num":10,"type":17,"referenceId":"place"}"#;
    let more = check_in.replace("10", "11");
    let spend = r#"{"uid":5,"num":-8,"type":19,"orderCode":"o"}"#;
    let back = r#"{"uid":5,"num":4,"type":22,"orderCode":"o"}"#;
    for (day, id, method, body, answer) in [
        (0, "m1", get, check_in, coins(10)),
        // The reference counts again after midnight, the message does not.
        (1, "m1", get, check_in, coins(10)),
        (1, "m2", get, check_in, coins(20)),
        (2, "m1", get, check_in, coins(20)),
        (2, "m1", get, &more, used.clone()),
        (2, "m1", subtract, spend, coins(12)),
        (2, "m3", give_back, back, coins(16)),
        // By the order this would be a repeat that takes nothing, which is refused.
        (2, "m1", subtract, spend, coins(12)),
        (2, "m4", subtract, spend, "410 orderCode已被使用".into()),
        // Days later another return of the same size counts, and the message does not.
        (9, "m3", give_back, back, coins(16)),
        (9, "m5", give_back, back, coins(20)),
        (9, "m5", give_back, back, coins(20)),
        (9, "m5", give_back, spend, "402 获取的有货币不合法".into()),
        (
            9,
            "m5",
            give_back,
            r#"{"uid":6,"num":4,"type":22,"orderCode":"o"}"#,
            used,
        ),
    ] {
        let now = NOW + day * 86_400_000;
        let answered = messages.deliver_at(now, message("shop", id), method, body);
        assert_eq!(answered.await, answer, "{day} {id} {method} {body}");
    }
    let report = messages.ledger.audit(|_, _| {}).await.unwrap();
    assert_eq!((report.entries, report.points), (5, 20));
}
