//! `app.yoho.yohocoin`: the balance, and the coins that expire by the end of this year with the notice about them.

use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_users_are_refused() {
    let gateway = TestGateway::start().await;
    let table = r#"
        absent   | overview                         | 404 uid为空！
        empty    | overview uid=                    | 404 uid为空！
        zero     | overview uid=0                   | 404 uid为空！
        negative | overview uid=-5                  | 404 uid为空！
        letters  | overview uid=x                   | 404 uid为空！
        2^63     | overview uid=9223372036854775808 | 404 uid为空！
    "#;
    gateway.check_table(table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coins_that_expire_this_year_are_noticed() {
    let gateway = TestGateway::start().await;
    let table = r#"
        nobody yet       | overview uid=5     | {"nearExpCoinNum":0,"notice":"","yohocoin_num":0}
        of 2026          | get uid=5&num=100&type=18&referenceId=a | {"currency":"100","uid":5}
        not this year    | overview uid=5     | {"nearExpCoinNum":0,"notice":"","yohocoin_num":100}
        at 2026-12-31 23:59:59.999
        not this year    | overview uid=5     | {"nearExpCoinNum":0,"notice":"","yohocoin_num":100}
        at 2027-01-01 00:00:00
        this year        | overview uid=5     | {"nearExpCoinNum":100,"notice":"您有100个YOHO币即将于2027年12月31日过期，请尽快使用","yohocoin_num":100}
        of 2027          | get uid=5&num=5&type=18&referenceId=b | {"currency":"105","uid":5}
        these are others | overview {"uid":5} | {"nearExpCoinNum":100,"notice":"您有100个YOHO币即将于2027年12月31日过期，请尽快使用","yohocoin_num":105}
        at 2028-01-01 00:00:00
        now it is theirs | overview uid=5     | {"nearExpCoinNum":5,"notice":"您有5个YOHO币即将于2028年12月31日过期，请尽快使用","yohocoin_num":5}
        at 2029-01-01 00:00:00
        nothing is left  | overview uid=5     | {"nearExpCoinNum":0,"notice":"","yohocoin_num":0}
    "#;
    gateway.check_table(table).await;
}

/// With expiry by days, all lots that expire this year count, and none of the next year.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_lots_of_this_year_are_noticed() {
    let gateway = TestGateway::with_config("[yoho.expiry]\nrule = \"days\"\ndays = 30").await;
    let table = r#"
        until 19 June        | get uid=5&num=1&type=18&referenceId=a  | {"currency":"1","uid":5}
        at 2026-06-01 00:00:00
        until 1 July         | get uid=5&num=20&type=18&referenceId=b | {"currency":"21","uid":5}
        both                 | overview uid=5 | {"nearExpCoinNum":21,"notice":"您有21个YOHO币即将于2026年12月31日过期，请尽快使用","yohocoin_num":21}
        at 2026-06-20 00:00:00
        one                  | overview uid=5 | {"nearExpCoinNum":20,"notice":"您有20个YOHO币即将于2026年12月31日过期，请尽快使用","yohocoin_num":20}
        at 2026-12-01 00:00:00
        until 31 December    | get uid=5&num=300&type=18&referenceId=c | {"currency":"300","uid":5}
        at 2026-12-02 00:00:00
        until the next year  | get uid=5&num=4000&type=18&referenceId=d | {"currency":"4300","uid":5}
        only the first       | overview uid=5 | {"nearExpCoinNum":300,"notice":"您有300个YOHO币即将于2026年12月31日过期，请尽快使用","yohocoin_num":4300}
    "#;
    gateway.check_table(table).await;
}
