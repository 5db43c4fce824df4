//! Expiry: the exact moment, the entry that records it, and the rules of `[yoho.expiry]`.

use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coins_expire_at_the_end_of_the_next_year() {
    let gateway = TestGateway::start().await;
    let table = r#"
        at 2026-01-01 00:00:00
        first of the year      | get uid=5&num=100&type=18&referenceId=a | {"currency":"100","uid":5}
        at 2026-12-31 23:59:59.999
        last of the year       | get uid=5&num=10&type=18&referenceId=b | {"currency":"110","uid":5}
        at 2027-01-01 00:00:00
        of the next            | get uid=5&num=1&type=18&referenceId=c | {"currency":"111","uid":5}
        at 2027-12-31 23:59:59.999
        they still count       | total uid=5 | {"code":"20111130-152530","total":111}
        and expire soon        | overview uid=5 | {"nearExpCoinNum":110,"notice":"您有110个YOHO币即将于2027年12月31日过期，请尽快使用","yohocoin_num":111}
        and can be spent       | subtract uid=5&num=-40&type=19&orderCode=A | {"currency":"71","uid":5}
        at 2028-01-01 00:00:00
        they do not count      | total uid=5 | {"code":"20111130-152530","total":1}
        nor are they shown     | overview uid=5 | {"nearExpCoinNum":1,"notice":"您有1个YOHO币即将于2028年12月31日过期，请尽快使用","yohocoin_num":1}
        nor can be spent       | subtract uid=5&num=-2&type=19&orderCode=B | 407 有货币不足
        the list agrees        | lists uid=5&limit=2 | {"coinlist":[{"date":"2027-12-31 23:59:59","message":"积分过期","num":-70,"title":"积分过期","type":16},{"date":"2027-12-31 23:59:59","key":"A","message":"兑换实物A","num":-40,"title":"兑换实物","type":19}],"limit":2,"page":1,"page_total":2,"total":5}
        it has one row         | lists uid=5&queryType=2&beginTime=2027-12-31&limit=1 | {"coinlist":[{"date":"2027-12-31 23:59:59","message":"积分过期","num":-70,"title":"积分过期","type":16}],"limit":1,"page":1,"page_total":1,"total":2}
        a spend of undue ones  | subtract uid=5&num=-1&type=19&orderCode=B | {"currency":"0","uid":5}
        behind its row         | lists uid=5&limit=3 | {"coinlist":[{"date":"2028-01-01 00:00:00","key":"B","message":"兑换实物B","num":-1,"title":"兑换实物","type":19},{"date":"2027-12-31 23:59:59","message":"积分过期","num":-70,"title":"积分过期","type":16},{"date":"2027-12-31 23:59:59","key":"A","message":"兑换实物A","num":-40,"title":"兑换实物","type":19}],"limit":3,"page":1,"page_total":3,"total":6}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// The next transaction on the account records the expiry: here new coins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn earning_records_the_expiry_that_is_due() {
    let gateway = TestGateway::start().await;
    let table = r#"
        of 2026          | get uid=5&num=100&type=17&referenceId=a | {"currency":"100","uid":5}
        at 2028-02-03 04:05:06
        another user     | get uid=6&num=1&type=17&referenceId=a | {"currency":"1","uid":6}
        comes            | get uid=5&num=1&type=18&referenceId=a | {"currency":"1","uid":5}
        and a row        | lists uid=5 | {"coinlist":[{"date":"2028-02-03 04:05:06","key":"a","message":"合格评价a","num":1,"title":"合格评价","type":18},{"date":"2027-12-31 23:59:59","message":"积分过期","num":-100,"title":"积分过期","type":16},{"date":"2026-05-20 11:30:32","key":"a","message":"地点签到a","num":100,"title":"地点签到","type":17}],"limit":20,"page":1,"page_total":3,"total":3}
        an expense       | lists uid=5&queryType=2 | {"coinlist":[{"date":"2027-12-31 23:59:59","message":"积分过期","num":-100,"title":"积分过期","type":16}],"limit":20,"page":1,"page_total":1,"total":1}
        of its own day   | lists uid=5&beginTime=2027-12-31&endTime=2027-12-31 | {"coinlist":[{"date":"2027-12-31 23:59:59","message":"积分过期","num":-100,"title":"积分过期","type":16}],"limit":20,"page":1,"page_total":1,"total":1}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// Each part of a history holds the row of the coins that no longer count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_holds_what_is_due() {
    let row = r#"{"coinlist":[{"date":"2027-12-31 23:59:59","message":"积分过期","num":-100,"title":"积分过期","type":16}],"limit":20,"page":1,"page_total":1,"total":1}"#;
    for part in [
        "queryType=2",
        "beginTime=2027-12-31",
        "queryType=2&beginTime=2027-01-01&endTime=2028-01-01",
    ] {
        let gateway = TestGateway::start().await;
        let table = r#"
            of 2026 | get uid=5&num=100&type=17&referenceId=a | {"currency":"100","uid":5}
            at 2027-12-31 23:59:59.999
            not yet | lists uid=5&PART | {"coinlist":[],"limit":20,"page":1,"page_total":0,"total":0}
            at 2028-01-01 00:00:00
            now     | lists uid=5&PART | ROW
            once    | lists uid=5&PART | ROW
        "#;
        gateway
            .check_table(&table.replace("PART", part).replace("ROW", row))
            .await;
        assert_eq!(gateway.audit().await.entries, 2);
    }
}

/// The daily `expire` records the expiry on accounts without transactions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daily_run_records_the_expiry_that_is_due() {
    let gateway = TestGateway::start().await;
    let table = r#"
        of 2026 | get uid=5&num=100&type=17&referenceId=a | {"currency":"100","uid":5}
        of 2026 | get uid=6&num=100&type=17&referenceId=a | {"currency":"100","uid":6}
        spent   | subtract uid=6&num=-100&type=19&orderCode=A | {"currency":"0","uid":6}
        at 2027-12-31 23:59:59.999
        still   | total uid=5 | {"code":"20111130-152530","total":100}
    "#;
    gateway.check_table(table).await;
    let ledger = gateway.ledger();
    assert_eq!(ledger.expire(ledger.now()).await, Ok(0), "nothing is due");
    gateway.set_time("2028-01-01 03:00:00");
    assert_eq!(ledger.expire(ledger.now()).await, Ok(1), "one account");
    assert_eq!(ledger.expire(ledger.now()).await, Ok(0), "it is done");
    let table = r#"
        none    | total uid=5 | {"code":"20111130-152530","total":0}
        the row | lists uid=5&limit=1 | {"coinlist":[{"date":"2027-12-31 23:59:59","message":"积分过期","num":-100,"title":"积分过期","type":16}],"limit":1,"page":1,"page_total":1,"total":2}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// Each rule, with the last moment at which coins of 2026-05-20 11:30:32 count and the first at which they do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_expiry_rule_ends_at_its_moment() {
    let rows = [
        ("", "2027-12-31 23:59:59.999", "2028-01-01 00:00:00"),
        (
            "years = 0",
            "2026-12-31 23:59:59.999",
            "2027-01-01 00:00:00",
        ),
        (
            "years = 3",
            "2029-12-31 23:59:59.999",
            "2030-01-01 00:00:00",
        ),
        (
            "years = 100",
            "2126-12-31 23:59:59.999",
            "2127-01-01 00:00:00",
        ),
        (
            "rule = \"days\"\ndays = 1",
            "2026-05-21 23:59:59.999",
            "2026-05-22 00:00:00",
        ),
        (
            "rule = \"days\"\ndays = 30",
            "2026-06-19 23:59:59.999",
            "2026-06-20 00:00:00",
        ),
        (
            "rule = \"days\"",
            "2027-05-20 23:59:59.999",
            "2027-05-21 00:00:00",
        ),
        (
            "rule = \"days\"\nyears = 0",
            "2027-05-20 23:59:59.999",
            "2027-05-21 00:00:00",
        ),
    ];
    for (rule, last, first) in rows {
        let gateway = TestGateway::with_config(&format!("[yoho.expiry]\n{rule}")).await;
        let table = r#"
            RULE        | get uid=5&num=9&type=18&referenceId=a     | {"currency":"9","uid":5}
            at LAST
            RULE, LAST  | total uid=5                               | {"code":"20111130-152530","total":9}
            RULE, LAST  | subtract uid=5&num=-1&type=19&orderCode=A | {"currency":"8","uid":5}
            at FIRST
            RULE, FIRST | total uid=5                               | {"code":"20111130-152530","total":0}
            RULE, FIRST | subtract uid=5&num=-1&type=19&orderCode=B | 407 有货币不足
        "#;
        let table = table.replace("RULE", &rule.replace('\n', ", "));
        gateway
            .check_table(&table.replace("LAST", last).replace("FIRST", first))
            .await;
        gateway.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_rule_never_coins_do_not_expire() {
    let gateway = TestGateway::with_config("[yoho.expiry]\nrule = \"never\"").await;
    let table = r#"
        comes  | get uid=5&num=9&type=18&referenceId=a     | {"currency":"9","uid":5}
        at 2026-12-31 23:59:59
        stays  | overview uid=5                            | {"nearExpCoinNum":0,"notice":"","yohocoin_num":9}
        at 2525-01-01 00:00:00
        stays  | total uid=5                               | {"code":"20111130-152530","total":9}
        goes   | subtract uid=5&num=-9&type=19&orderCode=A | {"currency":"0","uid":5}
        back   | return uid=5&num=9&type=22&orderCode=A    | {"currency":"9","uid":5}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}
