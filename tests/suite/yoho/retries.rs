//! Idempotency: a retry gets the first answer again, and a reference with other content gets code 410.

use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_get_counts_once() {
    let gateway = TestGateway::start().await;
    let table = r#"
        a review              | get uid=5&num=100&type=18&referenceId=a | {"currency":"100","uid":5}
        the balance changes   | get uid=5&num=50&type=18&referenceId=b | {"currency":"150","uid":5}
        a retry               | get uid=5&num=100&type=18&referenceId=a | {"currency":"100","uid":5}
        by add, in JSON       | add {"referenceId":"a","type":"18","num":"100","uid":"5"} | {"currency":"100","uid":5}
        another pid, message  | get uid=5&num=100&type=18&referenceId=a&pid=9&message=x | {"currency":"100","uid":5}
        another num           | get uid=5&num=101&type=18&referenceId=a | 410 referenceId已被使用
        another case          | get uid=5&num=1&type=18&referenceId=A | {"currency":"151","uid":5}
        another type          | get uid=5&num=100&type=17&referenceId=a | {"currency":"251","uid":5}
        another user          | get uid=6&num=100&type=18&referenceId=a | {"currency":"100","uid":6}
        once more             | get uid=5&num=100&type=18&referenceId=a | {"currency":"100","uid":5}
        at 2030-01-01 00:00:00
        still a retry         | get uid=5&num=100&type=18&referenceId=a | {"currency":"100","uid":5}
        still used            | get uid=5&num=99&type=18&referenceId=a | 410 referenceId已被使用
        one row each          | lists uid=5&limit=1&queryType=1 | {"coinlist":[{"date":"2026-05-20 11:30:32","key":"a","message":"地点签到a","num":100,"title":"地点签到","type":17}],"limit":1,"page":1,"page_total":1,"total":4}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// A check-in counts once per place and day; the day begins at midnight in Shanghai.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_in_counts_once_per_local_day() {
    let gateway = TestGateway::start().await;
    let table = r#"
        at 2026-05-20 00:00:00
        a day begins          | get uid=5&num=10&type=17&referenceId=cafe | {"currency":"10","uid":5}
        at 2026-05-20 07:59:59
        still 19 May in UTC   | get uid=5&num=10&type=17&referenceId=cafe | {"currency":"10","uid":5}
        at 2026-05-20 08:00:00
        20 May in UTC         | get uid=5&num=10&type=17&referenceId=cafe | {"currency":"10","uid":5}
        another place         | get uid=5&num=10&type=17&referenceId=park | {"currency":"20","uid":5}
        at 2026-05-20 23:59:59.999
        the day's last moment | get uid=5&num=10&type=17&referenceId=cafe | {"currency":"10","uid":5}
        another num           | get uid=5&num=11&type=17&referenceId=cafe | 410 referenceId已被使用
        at 2026-05-21 00:00:00
        the next day          | get uid=5&num=11&type=17&referenceId=cafe | {"currency":"31","uid":5}
        a retry of that       | get uid=5&num=11&type=17&referenceId=cafe | {"currency":"31","uid":5}
        yesterday's num       | get uid=5&num=10&type=17&referenceId=cafe | 410 referenceId已被使用
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// A request with an id may be repeated over midnight, and at another instance whose day is still the one before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_in_with_a_request_id_counts_once_over_midnight() {
    let gateway = TestGateway::start().await;
    let table = r#"
        at 2026-05-20 23:59:59.999
        a check-in            | get uid=5&num=10&type=17&referenceId=cafe&requestId=a | {"currency":"10","uid":5}
        at 2026-05-21 00:00:00
        its retry             | get uid=5&num=10&type=17&referenceId=cafe&requestId=a | {"currency":"10","uid":5}
        in JSON               | get {"uid":5,"num":10,"type":17,"referenceId":"cafe","requestId":"a"} | {"currency":"10","uid":5}
        the new day's         | get uid=5&num=10&type=17&referenceId=cafe&requestId=b | {"currency":"20","uid":5}
        a retry of each       | get uid=5&num=10&type=17&referenceId=cafe&requestId=a | {"currency":"10","uid":5}
        a retry of each       | get uid=5&num=10&type=17&referenceId=cafe&requestId=b | {"currency":"20","uid":5}
        a second one that day | get uid=5&num=10&type=17&referenceId=cafe&requestId=c | 410 referenceId已被使用
        without an id         | get uid=5&num=10&type=17&referenceId=cafe | 410 referenceId已被使用
        another place         | get uid=5&num=10&type=17&referenceId=park&requestId=a | {"currency":"30","uid":5}
        another user          | get uid=6&num=10&type=17&referenceId=cafe&requestId=a | {"currency":"10","uid":6}
        at 2026-05-20 23:59:59.998
        a clock behind        | get uid=5&num=10&type=17&referenceId=cafe&requestId=b | {"currency":"20","uid":5}
        at 2026-05-21 23:59:59
        0 is no id            | get uid=5&num=10&type=17&referenceId=pub&requestId=0 | {"currency":"40","uid":5}
        at 2026-05-22 00:00:00
        so it counts again    | get uid=5&num=10&type=17&referenceId=pub&requestId=0 | {"currency":"50","uid":5}
        a review needs no id  | get uid=5&num=10&type=18&referenceId=r&requestId=a | {"currency":"60","uid":5}
        and counts for ever   | get uid=5&num=10&type=18&referenceId=r&requestId=b | {"currency":"60","uid":5}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configured_timezone_defines_the_day() {
    let gateway = TestGateway::with_config("timezone = \"UTC\"").await;
    let table = r#"
        at 2026-05-20 07:59:59
        19 May in UTC | get uid=5&num=10&type=17&referenceId=cafe | {"currency":"10","uid":5}
        at 2026-05-20 08:00:00
        20 May in UTC | get uid=5&num=10&type=17&referenceId=cafe | {"currency":"20","uid":5}
        in UTC        | lists uid=5 | {"coinlist":[{"date":"2026-05-20 00:00:00","key":"cafe","message":"地点签到cafe","num":10,"title":"地点签到","type":17},{"date":"2026-05-19 23:59:59","key":"cafe","message":"地点签到cafe","num":10,"title":"地点签到","type":17}],"limit":20,"page":1,"page_total":2,"total":2}
    "#;
    gateway.check_table(table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_subtract_counts_once() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins           | get uid=5&num=1000&type=18&referenceId=a     | {"currency":"1000","uid":5}
        goods               | subtract uid=5&num=-100&type=19&orderCode=A  | {"currency":"900","uid":5}
        the same order      | subtract uid=5&num=-100&type=20&orderCode=A  | {"currency":"800","uid":5}
        under each type     | subtract uid=5&num=-100&type=21&orderCode=A  | {"currency":"700","uid":5}
        a retry             | subtract uid=5&num=-100&type=19&orderCode=A  | {"currency":"900","uid":5}
        of the second       | subtract {"uid":5,"num":-100,"type":20,"orderCode":"A"} | {"currency":"800","uid":5}
        another num         | subtract uid=5&num=-99&type=19&orderCode=A   | 410 orderCode已被使用
        used before too few | subtract uid=5&num=-9999&type=19&orderCode=A | 410 orderCode已被使用
        an earlier name     | subtract uid=5&num=-100&type=19&orderCode=a  | {"currency":"600","uid":5}
        all the rest        | subtract uid=5&num=-600&type=19&orderCode=B  | {"currency":"0","uid":5}
        a retry with none   | subtract uid=5&num=-100&type=19&orderCode=A  | {"currency":"900","uid":5}
        another user        | subtract uid=6&num=-100&type=19&orderCode=A  | 407 有货币不足
        it stands           | total uid=5                                  | {"code":"20111130-152530","total":0}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_return_counts_once() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins            | get uid=5&num=1000&type=18&referenceId=a    | {"currency":"1000","uid":5}
        spends               | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
        spends               | subtract uid=5&num=-100&type=19&orderCode=B | {"currency":"800","uid":5}
        a part               | return uid=5&num=30&type=22&orderCode=A     | {"currency":"830","uid":5}
        a retry              | return uid=5&num=30&type=22&orderCode=A     | {"currency":"830","uid":5}
        another part         | return uid=5&num=31&type=22&orderCode=A     | {"currency":"861","uid":5}
        a retry of the first | return uid=5&num=30&type=22&orderCode=A&message=x&pid=1 | {"currency":"830","uid":5}
        the other order      | return uid=5&num=30&type=22&orderCode=B     | {"currency":"891","uid":5}
        its rest             | return uid=5&num=70&type=22&orderCode=B     | {"currency":"961","uid":5}
        a retry at the cap   | return uid=5&num=70&type=22&orderCode=B     | {"currency":"961","uid":5}
        it stands            | total uid=5                                 | {"code":"20111130-152530","total":961}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// A retry that would pay for nothing is refused: the caller would deliver goods that nobody has paid for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_subtract_of_a_returned_order_is_refused() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins          | get uid=5&num=1000&type=18&referenceId=a    | {"currency":"1000","uid":5}
        spends             | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
        spends             | subtract uid=5&num=-100&type=20&orderCode=A | {"currency":"800","uid":5}
        spends             | subtract uid=5&num=-100&type=19&orderCode=B | {"currency":"700","uid":5}
        a retry            | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
        a part comes back  | return uid=5&num=1&type=22&orderCode=A      | {"currency":"701","uid":5}
        now a retry is not | subtract uid=5&num=-100&type=19&orderCode=A | 410 orderCode已被使用
        of neither type    | subtract uid=5&num=-100&type=20&orderCode=A | 410 orderCode已被使用
        another order is   | subtract uid=5&num=-100&type=19&orderCode=B | {"currency":"700","uid":5}
        all comes back     | return uid=5&num=100&type=22&orderCode=B    | {"currency":"801","uid":5}
        now a retry is not | subtract uid=5&num=-100&type=19&orderCode=B | 410 orderCode已被使用
        the return's is    | return uid=5&num=100&type=22&orderCode=B    | {"currency":"801","uid":5}
        under a new type   | subtract uid=5&num=-100&type=21&orderCode=B | {"currency":"701","uid":5}
        it stands          | total uid=5                                 | {"code":"20111130-152530","total":701}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// Two items of the same price come back one after the other: within a day the second is taken for a retry, later it is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_return_of_the_same_size_counts_after_a_day() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins            | get uid=5&num=1000&type=18&referenceId=a    | {"currency":"1000","uid":5}
        spends               | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
        at 2026-05-20 12:00:00
        one item             | return uid=5&num=40&type=22&orderCode=A     | {"currency":"940","uid":5}
        at 2026-05-21 11:59:59.999
        a retry              | return uid=5&num=40&type=22&orderCode=A     | {"currency":"940","uid":5}
        at 2026-05-21 12:00:00
        the other item       | return uid=5&num=40&type=22&orderCode=A     | {"currency":"980","uid":5}
        its retry            | return uid=5&num=40&type=22&orderCode=A     | {"currency":"980","uid":5}
        at 2026-05-22 11:59:59.999
        its retry            | return uid=5&num=40&type=22&orderCode=A     | {"currency":"980","uid":5}
        at 2026-05-22 12:00:00
        no more are left     | return uid=5&num=40&type=22&orderCode=A     | 408 退还数量超出订单已使用数量
        the rest             | return uid=5&num=20&type=22&orderCode=A     | {"currency":"1000","uid":5}
        at 2026-06-30 12:00:00
        nothing is left      | return uid=5&num=20&type=22&orderCode=A     | 408 退还数量超出订单已使用数量
        it stands            | total uid=5                                 | {"code":"20111130-152530","total":1000}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// The time is configuration; a third return of the same size is as good as the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_returns_of_the_same_size_come_one_after_the_other() {
    let gateway = TestGateway::with_config("[yoho]\nreturn_retry_seconds = 60").await;
    let begun = r#"
        has coins | get uid=5&num=1000&type=18&referenceId=a    | {"currency":"1000","uid":5}
        spends    | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
    "#;
    gateway.check_table(begun).await;
    let start = gateway.now();
    for n in 1..=10 {
        gateway.set_now(start + n * 60_000);
        let answer = format!(r#"{{"currency":"{}","uid":5}}"#, 900 + n * 10);
        for _ in 0..2 {
            let table = format!("another | return uid=5&num=10&type=22&orderCode=A | {answer}");
            gateway.check_table(&table).await;
        }
    }
    gateway.set_now(start + 660_000);
    let table =
        "none left | return uid=5&num=10&type=22&orderCode=A | 408 退还数量超出订单已使用数量";
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// Two copies of a return that is not a retry any more count once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_later_return_count_once() {
    let gateway = TestGateway::start().await;
    let begun = r#"
        has coins | get uid=5&num=1000&type=18&referenceId=a    | {"currency":"1000","uid":5}
        spends    | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
        one item  | return uid=5&num=10&type=22&orderCode=A     | {"currency":"910","uid":5}
        at 2026-06-01 00:00:00
    "#;
    gateway.check_table(begun).await;
    let copies =
        (0..20).map(|_| gateway.call("app.yohocoin.return", "uid=5&num=10&type=22&orderCode=A"));
    for (_, body) in futures_util::future::join_all(copies).await {
        assert!(body.contains(r#""currency":"920""#), "{body}");
    }
    gateway.audit().await;
}

/// An operator who wonders why nothing moved finds the repeats in the metrics.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats_are_counted_by_method() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins | get uid=5&num=1000&type=18&referenceId=a    | {"currency":"1000","uid":5}
        again     | get uid=5&num=1000&type=18&referenceId=a    | {"currency":"1000","uid":5}
        spends    | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
        again     | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
        again     | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"900","uid":5}
        returns   | return uid=5&num=10&type=22&orderCode=A     | {"currency":"910","uid":5}
    "#;
    gateway.check_table(table).await;
    let (_, metrics) = gateway.get_path("/metrics").await;
    let repeats: Vec<&str> = metrics
        .lines()
        .filter(|line| line.starts_with("pointgate_repeats_total"))
        .collect();
    let expected = [
        r#"pointgate_repeats_total{method="app.yohocoin.get"} 1"#,
        r#"pointgate_repeats_total{method="app.yohocoin.subtract"} 2"#,
    ];
    assert!(
        repeats.len() == 2 && expected.iter().all(|line| repeats.contains(line)),
        "{repeats:?}"
    );
}

/// With a requestId, that id identifies a return, instead of the order and the amount.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_id_identifies_a_return() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins               | get uid=5&num=1000&type=18&referenceId=a            | {"currency":"1000","uid":5}
        spends                  | subtract uid=5&num=-100&type=19&orderCode=A         | {"currency":"900","uid":5}
        spends                  | subtract uid=5&num=-100&type=19&orderCode=B         | {"currency":"800","uid":5}
        first id                | return uid=5&num=40&type=22&orderCode=A&requestId=1 | {"currency":"840","uid":5}
        a retry                 | return {"uid":5,"num":40,"type":22,"orderCode":"A","requestId":1} | {"currency":"840","uid":5}
        new id, same num        | return uid=5&num=40&type=22&orderCode=A&requestId=2 | {"currency":"880","uid":5}
        a retry of the first    | return uid=5&num=40&type=22&orderCode=A&requestId=1 | {"currency":"840","uid":5}
        same id, other num      | return uid=5&num=20&type=22&orderCode=A&requestId=1 | 410 orderCode已被使用
        same id, other order    | return uid=5&num=40&type=22&orderCode=B&requestId=1 | 410 orderCode已被使用
        new id, beyond the cap  | return uid=5&num=40&type=22&orderCode=A&requestId=3 | 408 退还数量超出订单已使用数量
        that id, within it      | return uid=5&num=20&type=22&orderCode=A&requestId=3 | {"currency":"900","uid":5}
        new id, nothing left    | return uid=5&num=1&type=22&orderCode=A&requestId=4  | 408 退还数量超出订单已使用数量
        empty id is none        | return uid=5&num=40&type=22&orderCode=B&requestId=  | {"currency":"940","uid":5}
        0 is none               | return uid=5&num=40&type=22&orderCode=B&requestId=0 | {"currency":"940","uid":5}
        so this is a retry      | return uid=5&num=40&type=22&orderCode=B             | {"currency":"940","uid":5}
        another user's id       | return uid=6&num=40&type=22&orderCode=A&requestId=1 | 409 订单未使用有货币
        it stands               | total uid=5                                         | {"code":"20111130-152530","total":940}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_idempotency_rules_are_configurable() {
    let settings = "[yoho.types]\n17.once = \"ever\"\n18.once = \"day\"\n19.once = \"never\"\n20.once = \"day\"\n22.once = \"never\"";
    let gateway = TestGateway::with_config(settings).await;
    let table = r#"
        a check-in           | get uid=5&num=10&type=17&referenceId=a      | {"currency":"10","uid":5}
        a review             | get uid=5&num=10&type=18&referenceId=a      | {"currency":"20","uid":5}
        at 2026-05-21 00:00:00
        17 counts for ever   | get uid=5&num=10&type=17&referenceId=a      | {"currency":"10","uid":5}
        17 counts for ever   | get uid=5&num=11&type=17&referenceId=a      | 410 referenceId已被使用
        18 again tomorrow    | get uid=5&num=11&type=18&referenceId=a      | {"currency":"31","uid":5}
        18 not twice a day   | get uid=5&num=11&type=18&referenceId=a      | {"currency":"31","uid":5}
        19 always            | subtract uid=5&num=-5&type=19&orderCode=A   | {"currency":"26","uid":5}
        19 always            | subtract uid=5&num=-5&type=19&orderCode=A   | {"currency":"21","uid":5}
        20 once today        | subtract uid=5&num=-5&type=20&orderCode=A   | {"currency":"16","uid":5}
        20 once today        | subtract uid=5&num=-5&type=20&orderCode=A   | {"currency":"16","uid":5}
        at 2026-05-22 00:00:00
        20 again tomorrow    | subtract uid=5&num=-4&type=20&orderCode=A   | {"currency":"12","uid":5}
        22 always            | return uid=5&num=8&type=22&orderCode=A      | {"currency":"20","uid":5}
        22 always            | return uid=5&num=8&type=22&orderCode=A      | {"currency":"28","uid":5}
        but never too much   | return uid=5&num=8&type=22&orderCode=A      | 408 退还数量超出订单已使用数量
        an id makes a retry  | return uid=5&num=1&type=22&orderCode=A&requestId=r | {"currency":"29","uid":5}
        an id makes a retry  | return uid=5&num=1&type=22&orderCode=A&requestId=r | {"currency":"29","uid":5}
        the rest             | return uid=5&num=2&type=22&orderCode=A      | {"currency":"31","uid":5}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}
