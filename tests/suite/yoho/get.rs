//! `app.yohocoin.get`, also called `add`: every fault in its order, every limit, and every spelling of the parameters.

use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_come_in_the_documented_order() {
    let gateway = TestGateway::start().await;
    let long = "a".repeat(129);
    let table = r#"
        everything wrong      | get uid=x&num=x&type=x&message=LONG | 400 请先登录
        no uid                | get num=1&type=17&referenceId=a | 400 请先登录
        empty uid             | get uid=&num=1&type=17&referenceId=a | 400 请先登录
        uid 0                 | get uid=0&num=1&type=17&referenceId=a | 400 请先登录
        uid -1                | get uid=-1&num=1&type=17&referenceId=a | 400 请先登录
        uid x                 | get uid=x&num=1&type=17&referenceId=a | 400 请先登录
        uid 2^63              | get uid=9223372036854775808&num=1&type=17&referenceId=a | 400 请先登录
        uid a list            | get {"uid":[5],"num":1,"type":17,"referenceId":"a"} | 400 请先登录
        all but uid wrong     | get uid=5&num=x&type=x | 402 获取的有货币不合法
        no num                | get uid=5&type=17&referenceId=a | 402 获取的有货币不合法
        empty num             | get uid=5&num=&type=17&referenceId=a | 402 获取的有货币不合法
        num 0                 | get uid=5&num=0&type=17&referenceId=a | 402 获取的有货币不合法
        num -1                | get uid=5&num=-1&type=17&referenceId=a | 402 获取的有货币不合法
        num 1e9 + 1           | get uid=5&num=1000000001&type=17&referenceId=a | 402 获取的有货币不合法
        num -2^63             | get uid=5&num=-9223372036854775808&type=17&referenceId=a | 402 获取的有货币不合法
        num beyond 2^64       | get uid=5&num=99999999999999999999&type=17&referenceId=a | 402 获取的有货币不合法
        num abc               | get uid=5&num=abc&type=17&referenceId=a | 402 获取的有货币不合法
        num 1.5               | get uid=5&num=1.5&type=17&referenceId=a | 402 获取的有货币不合法
        num 1.5 in JSON       | get {"uid":5,"num":1.5,"type":17,"referenceId":"a"} | 402 获取的有货币不合法
        num "1.5" in JSON     | get {"uid":5,"num":"1.5","type":17,"referenceId":"a"} | 402 获取的有货币不合法
        num 1e300             | get {"uid":5,"num":1e300,"type":17,"referenceId":"a"} | 402 获取的有货币不合法
        num -0.0              | get {"uid":5,"num":-0.0,"type":17,"referenceId":"a"} | 402 获取的有货币不合法
        num null              | get {"uid":5,"num":null,"type":17,"referenceId":"a"} | 402 获取的有货币不合法
        num true              | get {"uid":5,"num":true,"type":17,"referenceId":"a"} | 402 获取的有货币不合法
        type and more wrong   | get uid=5&num=1&type=x | 403 type不合法
        no type               | get uid=5&num=1&referenceId=a | 403 type不合法
        empty type            | get uid=5&num=1&type=&referenceId=a | 403 type不合法
        type 0                | get uid=5&num=1&type=0&referenceId=a | 403 type不合法
        type 16               | get uid=5&num=1&type=16&referenceId=a | 403 type不合法
        type 19               | get uid=5&num=1&type=19&referenceId=a | 403 type不合法
        type 22               | get uid=5&num=1&type=22&referenceId=a | 403 type不合法
        type -17              | get uid=5&num=1&type=-17&referenceId=a | 403 type不合法
        type 17.5             | get {"uid":5,"num":1,"type":17.5,"referenceId":"a"} | 403 type不合法
        no referenceId        | get uid=5&num=1&type=17&message=LONG | 405 referenceId不能为空
        empty referenceId     | get uid=5&num=1&type=18&referenceId= | 405 referenceId不能为空
        referenceId 0         | get uid=5&num=1&type=17&referenceId=0 | 405 referenceId不能为空
        referenceId 0, spaced | get uid=5&num=1&type=17&referenceId= 0 | 405 referenceId不能为空
        referenceId 0 in JSON | get {"uid":5,"num":1,"type":17,"referenceId":0} | 405 referenceId不能为空
        referenceId "0"       | get {"uid":5,"num":1,"type":17,"referenceId":" 0 "} | 405 referenceId不能为空
        referenceId 0.0       | get {"uid":5,"num":1,"type":17,"referenceId":0.0} | 405 referenceId不能为空
        a blank referenceId   | get {"uid":5,"num":1,"type":17,"referenceId":"  "} | 405 referenceId不能为空
        a fraction            | get {"uid":5,"num":1,"type":17,"referenceId":100.0} | 405 referenceId不能为空
        an exponent           | get {"uid":5,"num":1,"type":17,"referenceId":1e2} | 405 referenceId不能为空
        marsId 0              | add uid=5&num=1&type=17&marsId=0 | 405 referenceId不能为空
        referenceId null      | get {"uid":5,"num":1,"type":17,"referenceId":null} | 405 referenceId不能为空
        referenceId a list    | get {"uid":5,"num":1,"type":17,"referenceId":["a"]} | 405 referenceId不能为空
        referenceId too long  | get uid=5&num=1&type=17&referenceId=LONG&message=LONGLONG | 500 参数长度不合法:referenceId
        message too long      | get uid=5&num=1&type=17&referenceId=a&message=LONGLONG | 500 参数长度不合法:message
        and nothing happened  | total uid=5 | {"code":"20111130-152530","total":0}
        nor is it in the list | lists uid=5 | {"coinlist":[],"limit":20,"page":1,"page_total":0,"total":0}
    "#;
    gateway.check_table(&table.replace("LONG", &long)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_spelling_of_the_parameters_counts() {
    let gateway = TestGateway::start().await;
    let table = r#"
        num 1               | get uid=5&num=1&type=17&referenceId=a                     | {"currency":"1","uid":5}
        numbers in JSON     | get {"uid":5,"num":1,"type":17,"referenceId":1}           | {"currency":"2","uid":5}
        texts in JSON       | get {"uid":"5","num":"1","type":"17","referenceId":"2"}   | {"currency":"3","uid":5}
        fractions of zero   | get {"uid":5.0,"num":1.0,"type":17.0,"referenceId":"3"}   | {"currency":"4","uid":5}
        an exponent         | get {"uid":5,"num":1e2,"type":17,"referenceId":"4"}       | {"currency":"104","uid":5}
        type 18             | get uid=5&num=1&type=18&referenceId=a                     | {"currency":"105","uid":5}
        with pid            | get uid=5&num=1&type=18&referenceId=b&pid=11111111        | {"currency":"106","uid":5}
        pid as text         | get {"uid":5,"num":1,"type":18,"referenceId":"c","pid":"1"} | {"currency":"107","uid":5}
        pid empty           | get uid=5&num=1&type=18&referenceId=d&pid=                | {"currency":"108","uid":5}
        pid is no number    | get uid=5&num=1&type=18&referenceId=e&pid=x               | {"currency":"109","uid":5}
        pid beyond 2^63     | get uid=5&num=1&type=18&referenceId=f&pid=9223372036854775808 | {"currency":"110","uid":5}
        pid a list          | get {"uid":5,"num":1,"type":18,"referenceId":"g","pid":[]} | {"currency":"111","uid":5}
        as add              | add uid=5&num=1&type=18&referenceId=h                     | {"currency":"112","uid":5}
        by marsId           | add uid=5&num=1&type=18&marsId=h                          | {"currency":"112","uid":5}
        by marsId, in JSON  | get {"uid":5,"num":1,"type":18,"marsId":"h"}              | {"currency":"112","uid":5}
        beside an empty one | add uid=5&num=1&type=18&referenceId=&marsId=h             | {"currency":"112","uid":5}
        the first one named | add uid=5&num=1&type=18&marsId=other&referenceId=h        | {"currency":"112","uid":5}
        white space         | get {"uid":" 5","num":"1\n","type":"18 ","referenceId":"h"} | {"currency":"112","uid":5}
        the same            | get uid=5&num=1&type=18&referenceId=h                     | {"currency":"112","uid":5}
        add refuses alike   | add num=1&type=18&referenceId=h                           | 400 请先登录
        a long number       | get {"uid":7,"num":1,"type":18,"referenceId":20160316123456789012345} | {"currency":"1","uid":7}
        its neighbour       | get {"uid":7,"num":1,"type":18,"referenceId":20160316123456789012346} | {"currency":"2","uid":7}
        the first, as text  | get uid=7&num=1&type=18&referenceId=20160316123456789012345 | {"currency":"1","uid":7}
        pid 0 is none       | get uid=7&num=1&type=18&referenceId=p&pid=0               | {"currency":"3","uid":7}
        the largest num     | get uid=6&num=1000000000&type=18&referenceId=a            | {"currency":"1000000000","uid":6}
        and more            | get uid=6&num=1000000000&type=18&referenceId=b            | {"currency":"2000000000","uid":6}
        the largest uid     | get uid=9223372036854775807&num=1&type=18&referenceId=a   | {"currency":"1","uid":9223372036854775807}
    "#;
    gateway.check_table(table).await;
    let answered = gateway.post_form("app.yohocoin.get", "uid=5&num=1&type=18&referenceId=i");
    let answer = crate::test_gateway::sealed(200, r#"{"currency":"113","uid":5}"#, "ok");
    assert_eq!(answered.await, answer, "by form");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_limited_in_characters() {
    let gateway = TestGateway::start().await;
    let (ascii, chinese) = ("a".repeat(128), "德".repeat(128));
    let table = r#"
        128 characters          | get uid=5&num=1&type=18&referenceId=ASCII            | {"currency":"1","uid":5}
        128 Chinese characters  | get uid=5&num=1&type=18&referenceId=CHINESE          | {"currency":"2","uid":5}
        129 characters          | get uid=5&num=1&type=18&referenceId=ASCIIb           | 500 参数长度不合法:referenceId
        129 Chinese characters  | get uid=5&num=1&type=18&referenceId=CHINESEb         | 500 参数长度不合法:referenceId
        message 255             | get uid=5&num=1&type=18&referenceId=a&message=SHORT  | {"currency":"3","uid":5}
        message 256             | get uid=5&num=1&type=18&referenceId=b&message=SHORTb | 500 参数长度不合法:message
        message is no text      | get {"uid":5,"num":1,"type":18,"referenceId":"c","message":["x"]} | {"currency":"4","uid":5}
    "#;
    let short = format!("{chinese}{}", &ascii[1..]);
    let table = table.replace("ASCII", &ascii).replace("CHINESE", &chinese);
    gateway.check_table(&table.replace("SHORT", &short)).await;
    let data = format!(
        r#"{{"coinlist":[{{"date":"2026-05-20 11:30:32","key":"c","message":"合格评价c","num":1,"title":"合格评价","type":18}},{{"date":"2026-05-20 11:30:32","key":"a","message":"{short}","num":1,"title":"合格评价","type":18}}],"limit":2,"page":1,"page_total":2,"total":4}}"#
    );
    gateway
        .check_table(&format!("kept whole | lists uid=5&limit=2 | {data}"))
        .await;
}

/// Balances beyond 32 bits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn balances_exceed_32_bits() {
    let gateway = TestGateway::start().await;
    super::list_rows::earn(&gateway, 5, 11, 1_000_000_000_000, None).await;
    let table = r#"
        it stands | total uid=5                                           | {"code":"20111130-152530","total":1000000000000}
        and grows | get uid=5&num=1000000000&type=18&referenceId=a        | {"currency":"1001000000000","uid":5}
        and falls | subtract uid=5&num=-1000000000&type=19&orderCode=A    | {"currency":"1000000000000","uid":5}
        shown     | overview uid=5                                        | {"nearExpCoinNum":0,"notice":"","yohocoin_num":1000000000000}
    "#;
    gateway.check_table(table).await;
    gateway.audit().await;
}
