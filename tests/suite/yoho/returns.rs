//! `app.yohocoin.return`: every fault in its order, every limit, and the lots into which coins return.

use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_come_in_the_documented_order() {
    let gateway = TestGateway::start().await;
    let long = "a".repeat(129);
    let table = r#"
        has coins             | get uid=5&num=100&type=18&referenceId=a | {"currency":"100","uid":5}
        spends them           | subtract uid=5&num=-100&type=19&orderCode=A | {"currency":"0","uid":5}
        everything wrong      | return uid=x&num=x&type=x | 400 请先登录
        no uid                | return num=1&type=22&orderCode=A | 400 请先登录
        uid 0                 | return uid=0&num=1&type=22&orderCode=A | 400 请先登录
        uid 2^63              | return uid=9223372036854775808&num=1&type=22&orderCode=A | 400 请先登录
        all but uid wrong     | return uid=5&num=x&type=x | 402 获取的有货币不合法
        no num                | return uid=5&type=22&orderCode=A | 402 获取的有货币不合法
        num 0                 | return uid=5&num=0&type=22&orderCode=A | 402 获取的有货币不合法
        num -1                | return uid=5&num=-1&type=22&orderCode=A | 402 获取的有货币不合法
        num 1e9 + 1           | return uid=5&num=1000000001&type=22&orderCode=A | 402 获取的有货币不合法
        num abc               | return uid=5&num=abc&type=22&orderCode=A | 402 获取的有货币不合法
        num 1.5               | return {"uid":5,"num":1.5,"type":22,"orderCode":"A"} | 402 获取的有货币不合法
        type and order wrong  | return uid=5&num=1&type=x | 403 type不合法
        no type               | return uid=5&num=1&orderCode=A | 403 type不合法
        type 21               | return uid=5&num=1&type=21&orderCode=A | 403 type不合法
        type 23               | return uid=5&num=1&type=23&orderCode=A | 403 type不合法
        no orderCode          | return uid=5&num=1&type=22 | 406 orderCode不能为空
        orderCode null        | return {"uid":5,"num":1,"type":22,"orderCode":null} | 406 orderCode不能为空
        orderCode 0           | return uid=5&num=1&type=22&orderCode=0 | 406 orderCode不能为空
        orderCode 0, spaced   | return uid=5&num=1&type=22&orderCode= 0 | 406 orderCode不能为空
        orderCode 0 in JSON   | return {"uid":5,"num":1,"type":22,"orderCode":0} | 406 orderCode不能为空
        orderCode "0"         | return {"uid":5,"num":1,"type":22,"orderCode":"0 "} | 406 orderCode不能为空
        orderCode 1e2         | return {"uid":5,"num":1,"type":22,"orderCode":1e2} | 406 orderCode不能为空
        orderCode too long    | return uid=5&num=1&type=22&orderCode=LONG&message=MESSAGEx | 500 参数长度不合法:orderCode
        message too long      | return uid=5&num=1&type=22&orderCode=A&message=MESSAGEx&requestId=LONG | 500 参数长度不合法:message
        requestId too long    | return uid=5&num=1&type=22&orderCode=A&requestId=LONG | 500 参数长度不合法:requestId
        more than was spent   | return uid=5&num=101&type=22&orderCode=A | 408 退还数量超出订单已使用数量
        the most              | return uid=5&num=1000000000&type=22&orderCode=A | 408 退还数量超出订单已使用数量
        another order         | return uid=5&num=1&type=22&orderCode=B | 409 订单未使用有货币
        another user's order  | return uid=6&num=1&type=22&orderCode=A | 409 订单未使用有货币
        and nothing happened  | total uid=5 | {"code":"20111130-152530","total":0}
        nor is it in the list | lists uid=5 | {"coinlist":[{"date":"2026-05-20 11:30:32","key":"A","message":"兑换实物A","num":-100,"title":"兑换实物","type":19},{"date":"2026-05-20 11:30:32","key":"a","message":"合格评价a","num":100,"title":"合格评价","type":18}],"limit":20,"page":1,"page_total":2,"total":2}
    "#;
    let message = "德".repeat(255);
    let table = table.replace("LONG", &long).replace("MESSAGE", &message);
    gateway.check_table(&table).await;
}

/// The limits are 128, 255 and 128 characters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_limited_in_characters() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins         | get uid=5&num=100&type=18&referenceId=a          | {"currency":"100","uid":5}
        an order of 128   | subtract uid=5&num=-100&type=19&orderCode=ORDER  | {"currency":"0","uid":5}
        the same          | return uid=5&num=10&type=22&orderCode=ORDER      | {"currency":"10","uid":5}
        message of 255    | return uid=5&num=11&type=22&orderCode=ORDER&message=MESSAGE  | {"currency":"21","uid":5}
        message of 256    | return uid=5&num=12&type=22&orderCode=ORDER&message=MESSAGEx | 500 参数长度不合法:message
        requestId of 128  | return uid=5&num=10&type=22&orderCode=ORDER&requestId=ORDER  | {"currency":"31","uid":5}
        requestId of 129  | return uid=5&num=10&type=22&orderCode=ORDER&requestId=ORDERx | 500 参数长度不合法:requestId
        an order of 129   | return uid=5&num=10&type=22&orderCode=ORDERx                 | 500 参数长度不合法:orderCode
    "#;
    let (order, message) = ("单".repeat(128), "德".repeat(255));
    let table = table.replace("ORDER", &order).replace("MESSAGE", &message);
    gateway.check_table(&table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn returns_never_exceed_what_the_order_spent() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins              | get uid=5&num=1000&type=18&referenceId=a          | {"currency":"1000","uid":5}
        spends                 | subtract uid=5&num=-150&type=20&orderCode=1234567890 | {"currency":"850","uid":5}
        spends elsewhere       | subtract uid=5&num=-500&type=20&orderCode=B       | {"currency":"350","uid":5}
        the document's example | return { "uid": 5, "num": 60, "type": 22, "orderCode": 1234567890, "pid": 11111111 } | {"currency":"410","uid":5}
        more than the rest     | return uid=5&num=91&type=22&orderCode=1234567890  | 408 退还数量超出订单已使用数量
        the rest               | return {"uid":"5","num":"90","type":"22","orderCode":"1234567890"} | {"currency":"500","uid":5}
        one more               | return uid=5&num=1&type=22&orderCode=1234567890   | 408 退还数量超出订单已使用数量
        the other order        | return uid=5&num=501&type=22&orderCode=B          | 408 退还数量超出订单已使用数量
        the other order        | return uid=5&num=500&type=22&orderCode=B          | {"currency":"1000","uid":5}
        one more               | return uid=5&num=1&type=22&orderCode=B            | 408 退还数量超出订单已使用数量
        it stands              | total uid=5                                       | {"code":"20111130-152530","total":1000}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// An order paid under two types can return the sum of both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_is_the_sum_of_an_orders_spends() {
    let gateway = TestGateway::start().await;
    let table = r#"
        has coins | get uid=5&num=100&type=18&referenceId=a        | {"currency":"100","uid":5}
        goods     | subtract uid=5&num=-40&type=19&orderCode=A     | {"currency":"60","uid":5}
        a voucher | subtract uid=5&num=-40&type=21&orderCode=A     | {"currency":"20","uid":5}
        too much  | return uid=5&num=81&type=22&orderCode=A        | 408 退还数量超出订单已使用数量
        both      | return uid=5&num=80&type=22&orderCode=A        | {"currency":"100","uid":5}
        no more   | return uid=5&num=1&type=22&orderCode=A         | 408 退还数量超出订单已使用数量
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coins_return_into_the_lots_they_came_from() {
    let gateway = TestGateway::start().await;
    let table = r#"
        of 2026           | get uid=5&num=100&type=18&referenceId=a       | {"currency":"100","uid":5}
        at 2027-03-01 00:00:00
        of 2027           | get uid=5&num=100&type=18&referenceId=b       | {"currency":"200","uid":5}
        all and some      | subtract uid=5&num=-150&type=19&orderCode=A   | {"currency":"50","uid":5}
        none of 2026      | overview uid=5 | {"nearExpCoinNum":0,"notice":"","yohocoin_num":50}
        the latest first  | return uid=5&num=50&type=22&orderCode=A       | {"currency":"100","uid":5}
        none of 2026      | overview uid=5 | {"nearExpCoinNum":0,"notice":"","yohocoin_num":100}
        then 2026's       | return uid=5&num=30&type=22&orderCode=A       | {"currency":"130","uid":5}
        30 expire in 2027 | overview uid=5 | {"nearExpCoinNum":30,"notice":"您有30个YOHO币即将于2027年12月31日过期，请尽快使用","yohocoin_num":130}
        the rest          | return uid=5&num=70&type=22&orderCode=A       | {"currency":"200","uid":5}
        all expire in 2027 | overview uid=5 | {"nearExpCoinNum":100,"notice":"您有100个YOHO币即将于2027年12月31日过期，请尽快使用","yohocoin_num":200}
        no more           | return uid=5&num=1&type=22&orderCode=A        | 408 退还数量超出订单已使用数量
        at 2028-01-01 00:00:00
        2026's are gone   | total uid=5 | {"code":"20111130-152530","total":100}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}

/// Coins that return after their expiry expire in the same transaction: both entries are recorded, and the balance has none of
/// them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coins_returned_into_an_expired_lot_expire() {
    let gateway = TestGateway::start().await;
    let table = r#"
        of 2026      | get uid=5&num=100&type=18&referenceId=a     | {"currency":"100","uid":5}
        at 2027-12-31 23:59:59
        of 2027      | get uid=5&num=7&type=18&referenceId=b       | {"currency":"107","uid":5}
        spends       | subtract uid=5&num=-102&type=19&orderCode=A | {"currency":"5","uid":5}
        at 2028-01-02 08:00:00
        comes back   | return uid=5&num=102&type=22&orderCode=A    | {"currency":"7","uid":5}
        both rows    | lists uid=5&limit=3 | {"coinlist":[{"date":"2028-01-02 08:00:00","message":"积分过期","num":-100,"title":"积分过期","type":16},{"date":"2028-01-02 08:00:00","key":"A","message":"有货币兑换失败A","num":102,"title":"有货币兑换失败","type":22},{"date":"2027-12-31 23:59:59","key":"A","message":"兑换实物A","num":-102,"title":"兑换实物","type":19}],"limit":3,"page":1,"page_total":3,"total":5}
        the total    | total uid=5                                 | {"code":"20111130-152530","total":7}
        a retry      | return uid=5&num=102&type=22&orderCode=A    | {"currency":"7","uid":5}
        it was all   | return uid=5&num=1&type=22&orderCode=A      | 408 退还数量超出订单已使用数量
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}
