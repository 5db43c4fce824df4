//! `app.yohocoin.subtract`: every fault in its order, every limit, and the order in which lots are spent.

use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_come_in_the_documented_order() {
    let gateway = TestGateway::start().await;
    let long = "a".repeat(129);
    let table = r#"
        has coins              | get uid=5&num=100&type=18&referenceId=a | {"currency":"100","uid":5}
        everything wrong       | subtract uid=x&num=x&type=x | 400 请先登录
        no uid                 | subtract num=-1&type=19&orderCode=A | 400 请先登录
        uid 0                  | subtract uid=0&num=-1&type=19&orderCode=A | 400 请先登录
        uid x                  | subtract uid=x&num=-1&type=19&orderCode=A | 400 请先登录
        uid 2^63               | subtract uid=9223372036854775808&num=-1&type=19&orderCode=A | 400 请先登录
        all but uid wrong      | subtract uid=5&num=x&type=x | 402 获取的有货币不合法
        no num                 | subtract uid=5&type=19&orderCode=A | 402 获取的有货币不合法
        num 0                  | subtract uid=5&num=0&type=19&orderCode=A | 402 获取的有货币不合法
        num -0                 | subtract uid=5&num=-0&type=19&orderCode=A | 402 获取的有货币不合法
        num 1                  | subtract uid=5&num=1&type=19&orderCode=A | 402 获取的有货币不合法
        num -1e9 - 1           | subtract uid=5&num=-1000000001&type=19&orderCode=A | 402 获取的有货币不合法
        num -2^63              | subtract uid=5&num=-9223372036854775808&type=19&orderCode=A | 402 获取的有货币不合法
        num abc                | subtract uid=5&num=abc&type=19&orderCode=A | 402 获取的有货币不合法
        num -1.5               | subtract uid=5&num=-1.5&type=19&orderCode=A | 402 获取的有货币不合法
        num -1.5 in JSON       | subtract {"uid":5,"num":-1.5,"type":19,"orderCode":"A"} | 402 获取的有货币不合法
        type and order wrong   | subtract uid=5&num=-1&type=x | 403 type不合法
        no type                | subtract uid=5&num=-1&orderCode=A | 403 type不合法
        type 18                | subtract uid=5&num=-1&type=18&orderCode=A | 403 type不合法
        type 22                | subtract uid=5&num=-1&type=22&orderCode=A | 403 type不合法
        type x                 | subtract uid=5&num=-1&type=x&orderCode=A | 403 type不合法
        no orderCode           | subtract uid=5&num=-1&type=19 | 406 orderCode不能为空
        empty orderCode        | subtract uid=5&num=-1&type=20&orderCode= | 406 orderCode不能为空
        only a referenceId     | subtract uid=5&num=-1&type=21&referenceId=A | 406 orderCode不能为空
        orderCode an object    | subtract {"uid":5,"num":-1,"type":19,"orderCode":{}} | 406 orderCode不能为空
        no order, too few      | subtract uid=5&num=-101&type=19 | 406 orderCode不能为空
        orderCode 0           | subtract uid=5&num=-1&type=19&orderCode=0 | 406 orderCode不能为空
        orderCode 0, spaced   | subtract uid=5&num=-1&type=19&orderCode= 0 | 406 orderCode不能为空
        orderCode 0 in JSON   | subtract {"uid":5,"num":-1,"type":19,"orderCode":0} | 406 orderCode不能为空
        orderCode "0"         | subtract {"uid":5,"num":-1,"type":19,"orderCode":"0 "} | 406 orderCode不能为空
        orderCode 1e2         | subtract {"uid":5,"num":-1,"type":19,"orderCode":1e2} | 406 orderCode不能为空
        orderCode too long     | subtract uid=5&num=-101&type=19&orderCode=LONG&message=MESSAGEx | 500 参数长度不合法:orderCode
        message too long       | subtract uid=5&num=-101&type=19&orderCode=A&message=MESSAGEx | 500 参数长度不合法:message
        one too many           | subtract uid=5&num=-101&type=19&orderCode=A | 407 有货币不足
        the most               | subtract uid=5&num=-1000000000&type=19&orderCode=A | 407 有货币不足
        a user without coins   | subtract uid=6&num=-1&type=19&orderCode=A | 407 有货币不足
        and nothing happened   | total uid=5 | {"code":"20111130-152530","total":100}
        nor is it in the list  | lists uid=5&queryType=2 | {"coinlist":[],"limit":20,"page":1,"page_total":0,"total":0}
    "#;
    let message = "德".repeat(255);
    let table = table.replace("LONG", &long).replace("MESSAGE", &message);
    gateway.check_table(&table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spends_reduce_the_balance() {
    let gateway = TestGateway::start().await;
    let long = "a".repeat(128);
    let table = r#"
        has coins              | get uid=5&num=350&type=18&referenceId=a | {"currency":"350","uid":5}
        the document's example | subtract { "uid": 5, "num": -150, "type": 20, "orderCode": 1234567890, "pid": 11111111 } | {"currency":"200","uid":5}
        texts                  | subtract {"uid":"5","num":"-10","type":"19","orderCode":"A"} | {"currency":"190","uid":5}
        in the query           | subtract uid=5&num=-10&type=21&orderCode=B | {"currency":"180","uid":5}
        a fraction of zero     | subtract {"uid":5,"num":-10.0,"type":21,"orderCode":"C"} | {"currency":"170","uid":5}
        128 characters         | subtract uid=5&num=-10&type=21&orderCode=LONG | {"currency":"160","uid":5}
        message of 255         | subtract uid=5&num=-10&type=21&orderCode=D&message=MESSAGE | {"currency":"150","uid":5}
        a retry with bad pid   | subtract uid=5&num=-10&type=21&orderCode=D&pid=x | {"currency":"150","uid":5}
        too many               | subtract uid=5&num=-151&type=19&orderCode=E&pid=x | 407 有货币不足
        the last one           | subtract uid=5&num=-150&type=19&orderCode=E&pid=x | {"currency":"0","uid":5}
        none are left          | subtract uid=5&num=-1&type=19&orderCode=F | 407 有货币不足
        the most at once       | get uid=6&num=1000000000&type=18&referenceId=a | {"currency":"1000000000","uid":6}
        goes                   | subtract uid=6&num=-1000000000&type=19&orderCode=A | {"currency":"0","uid":6}
    "#;
    let message = "德".repeat(255);
    let table = table.replace("LONG", &long).replace("MESSAGE", &message);
    gateway.check_table(&table).await;
    gateway.audit().await;
}

/// A refusal for too few coins leaves the orderCode unused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_coins_leave_the_order_unused() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins            | get uid=5&num=99&type=18&referenceId=a        | {"currency":"99","uid":5}
        too few              | subtract uid=5&num=-100&type=19&orderCode=A   | 407 有货币不足
        again                | subtract uid=5&num=-100&type=19&orderCode=A   | 407 有货币不足
        nothing to give back | return uid=5&num=100&type=22&orderCode=A      | 409 订单未使用有货币
        one more             | get uid=5&num=1&type=18&referenceId=b         | {"currency":"100","uid":5}
        now it goes          | subtract uid=5&num=-100&type=19&orderCode=A   | {"currency":"0","uid":5}
        and is the only row  | lists uid=5&queryType=2 | {"coinlist":[{"date":"2026-05-20 11:30:32","key":"A","message":"兑换实物A","num":-100,"title":"兑换实物","type":19}],"limit":20,"page":1,"page_total":1,"total":1}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// Spending takes the coins that expire soonest, not the oldest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coins_that_expire_soonest_are_spent_first() {
    let gateway = TestGateway::start().await;
    let table = r#"
        of 2026            | get uid=5&num=100&type=18&referenceId=a       | {"currency":"100","uid":5}
        at 2027-03-01 00:00:00
        of 2027            | get uid=5&num=100&type=18&referenceId=b       | {"currency":"200","uid":5}
        100 expire in 2027 | overview uid=5 | {"nearExpCoinNum":100,"notice":"您有100个YOHO币即将于2027年12月31日过期，请尽快使用","yohocoin_num":200}
        30 of them go      | subtract uid=5&num=-30&type=19&orderCode=A    | {"currency":"170","uid":5}
        70 are left        | overview uid=5 | {"nearExpCoinNum":70,"notice":"您有70个YOHO币即将于2027年12月31日过期，请尽快使用","yohocoin_num":170}
        and some of 2027's | subtract uid=5&num=-80&type=19&orderCode=B    | {"currency":"90","uid":5}
        none are left      | overview uid=5 | {"nearExpCoinNum":0,"notice":"","yohocoin_num":90}
        at 2028-06-01 00:00:00
        2027's still count | overview uid=5 | {"nearExpCoinNum":90,"notice":"您有90个YOHO币即将于2028年12月31日过期，请尽快使用","yohocoin_num":90}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}
