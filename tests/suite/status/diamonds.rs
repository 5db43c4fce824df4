//! Diamonds: `add_diamond`, `reduce_diamond` with and without `with_prevent`, and `sports_envious.v2`.

use futures_util::future::join_all;

use crate::program::{CONFIG, Client, Program, ProgramDir};
use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread")]
async fn faults_come_in_the_documented_order() {
    let gateway = TestGateway::start().await;
    let long = "k".repeat(65);
    let table = r#"
        nothing           | status.add_diamond {}                                                       | 400 user_key不能为空
        no user           | status.add_diamond {"user_key":"","count":"x"}                              | 400 user_key不能为空
        a list            | status.add_diamond {"user_key":["a"]}                                       | 400 user_key不能为空
        too long a user   | status.add_diamond {"user_key":"LONG","count":1,"change_type":"T"}          | 500 参数长度不合法:user_key
        no count          | status.add_diamond {"user_key":"a","change_type":"T"}                        | 402 count不合法
        count 0           | status.add_diamond {"user_key":"a","count":0,"change_type":"T"}              | 402 count不合法
        count -1          | status.add_diamond {"user_key":"a","count":-1,"change_type":"T"}             | 402 count不合法
        count 1.5         | status.add_diamond {"user_key":"a","count":1.5,"change_type":"T"}            | 402 count不合法
        count 1e9 + 1     | status.add_diamond {"user_key":"a","count":1000000001,"change_type":"T"}     | 402 count不合法
        no change_type    | status.add_diamond {"user_key":"a","count":1}                                | 402 change_type不合法
        identity a list   | status.add_diamond {"user_key":"a","count":1,"change_type":"T","identity":[]} | 402 identity不合法
        reduce: nothing   | status.reduce_diamond {}                                                    | 400 user_key不能为空
        reduce: no count  | status.reduce_diamond {"user_key":"a"}                                       | 402 count不合法
        reduce: no type   | status.reduce_diamond {"user_key":"a","count":1}                             | 402 change_type不合法
        reduce: prevent   | status.reduce_diamond {"user_key":"a","count":1,"change_type":"T","with_prevent":true} | 405 identity不能为空
        reduce: prevent 1 | status.reduce_diamond {"user_key":"a","count":1,"change_type":"T","with_prevent":"1","identity":""} | 405 identity不能为空
        reduce: too few   | status.reduce_diamond {"user_key":"a","count":1,"change_type":"T"}           | 407 钻石不足
        sports: nothing   | status.sports_envious.v2 {}                                                 | 400 user_key不能为空
        sports: no number | status.sports_envious.v2 {"user_key":"a"}                                    | 402 envious不合法
        sports: 0         | status.sports_envious.v2 {"user_key":"a","envious":0}                        | 402 envious不合法
        sports: much      | status.sports_envious.v2 {"user_key":"a","envious":-1000000001}              | 402 envious不合法
        sports: too few   | status.sports_envious.v2 {"user_key":"a","envious":-1}                       | 407 钻石不足
        without its v2    | status.sports_envious {"user_key":"a","envious":1}                           | 501 method不存在
        "#;
    gateway.check_table(&table.replace("LONG", &long)).await;
    assert_eq!(gateway.audit().await.entries, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn diamonds_are_added_and_reduced() {
    let gateway = TestGateway::start().await;
    gateway
        .check_table(
            r#"
            add             | status.add_diamond {"user_key":"a","count":100,"change_type":"签到"}            | {"diamonds":100,"user_key":"a"}
            add again       | status.add_diamond {"user_key":"a","count":"100","change_type":"签到"}          | {"diamonds":200,"user_key":"a"}
            in a query      | status.add_diamond user_key=a&count=1&change_type=T                            | {"diamonds":201,"user_key":"a"}
            another's       | status.add_diamond {"user_key":"b","count":1,"change_type":"T"}                 | {"diamonds":1,"user_key":"b"}
            reduce          | status.reduce_diamond {"user_key":"a","count":51,"change_type":"T"}             | {"diamonds":150,"user_key":"a"}
            too many        | status.reduce_diamond {"user_key":"a","count":151,"change_type":"T"}            | 407 钻石不足
            sports          | status.sports_envious.v2 {"user_key":"a","envious":100}                         | {"diamonds":250,"user_key":"a"}
            against it      | status.sports_envious.v2 {"user_key":"a","envious":-250}                        | {"diamonds":0,"user_key":"a"}
            none left       | status.sports_envious.v2 {"user_key":"a","envious":-1}                          | 407 钻石不足
            a uuid          | status.add_diamond {"user_key":"bfefda8d-f63d-4d56-b1f9-d022062c290d","count":7,"change_type":"T"} | {"diamonds":7,"user_key":"bfefda8d-f63d-4d56-b1f9-d022062c290d"}
            "#,
        )
        .await;
    assert_eq!(gateway.audit().await.points, 8);
}

/// With an identity, a change counts once per user, change_type and direction.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_counts_once() {
    let gateway = TestGateway::start().await;
    gateway
        .check_table(
            r#"
            add              | status.add_diamond {"user_key":"a","count":100,"change_type":"T","identity":5}    | {"diamonds":100,"user_key":"a"}
            again            | status.add_diamond {"user_key":"a","count":100,"change_type":"T","identity":"5"}  | {"diamonds":100,"user_key":"a"}
            something else   | status.add_diamond {"user_key":"a","count":10,"change_type":"T","identity":6}     | {"diamonds":110,"user_key":"a"}
            the first, again | status.add_diamond {"user_key":"a","count":100,"change_type":"T","identity":5}    | {"diamonds":100,"user_key":"a"}
            other content    | status.add_diamond {"user_key":"a","count":99,"change_type":"T","identity":5}     | 410 identity已被使用
            other type       | status.add_diamond {"user_key":"a","count":99,"change_type":"U","identity":5}     | {"diamonds":209,"user_key":"a"}
            other user       | status.add_diamond {"user_key":"b","count":99,"change_type":"T","identity":5}     | {"diamonds":99,"user_key":"b"}
            a long number    | status.add_diamond {"user_key":"c","count":" 5 ","change_type":"T","identity":20160316123456789012345} | {"diamonds":5,"user_key":"c"}
            its digits       | status.add_diamond {"user_key":"c","count":"5\n","change_type":"T","identity":"20160316123456789012345"} | {"diamonds":5,"user_key":"c"}
            another          | status.add_diamond {"user_key":"c","count":5.0,"change_type":"T","identity":20160316123456789012346} | {"diamonds":10,"user_key":"c"}
            reduce           | status.reduce_diamond {"user_key":"a","count":9,"change_type":"T","identity":5}   | {"diamonds":200,"user_key":"a"}
            reduce again     | status.reduce_diamond {"user_key":"a","count":9,"change_type":"T","identity":5}   | {"diamonds":200,"user_key":"a"}
            reduce other     | status.reduce_diamond {"user_key":"a","count":8,"change_type":"T","identity":5}   | 410 identity已被使用
            "#,
        )
        .await;
}

/// With `with_prevent`, reductions take back what the addition of the same identity brought, in one part or in several, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn with_prevent_takes_no_more_than_the_addition_brought() {
    let gateway = TestGateway::start().await;
    gateway
        .check_table(
            r#"
            enough diamonds  | status.add_diamond {"user_key":"a","count":1000,"change_type":"X"}                 | {"diamonds":1000,"user_key":"a"}
            add              | status.add_diamond {"user_key":"a","count":10,"change_type":"T","identity":5}      | {"diamonds":1010,"user_key":"a"}
            too many         | status.reduce_diamond {"user_key":"a","count":500,"change_type":"T","identity":5,"with_prevent":true} | {"diamonds":1000,"user_key":"a"}
            again            | status.reduce_diamond {"user_key":"a","count":500,"change_type":"T","identity":5,"with_prevent":true} | {"diamonds":1000,"user_key":"a"}
            nothing is left  | status.reduce_diamond {"user_key":"a","count":1,"change_type":"T","identity":5,"with_prevent":true} | {"diamonds":1000,"reduced":false,"user_key":"a"}
            another          | status.add_diamond {"user_key":"a","count":10,"change_type":"T","identity":6}      | {"diamonds":1010,"user_key":"a"}
            a part           | status.reduce_diamond {"user_key":"a","count":4,"change_type":"T","identity":6,"with_prevent":true} | {"diamonds":1006,"user_key":"a"}
            another part     | status.reduce_diamond {"user_key":"a","count":5,"change_type":"T","identity":6,"with_prevent":true} | {"diamonds":1001,"user_key":"a"}
            a part, again    | status.reduce_diamond {"user_key":"a","count":4,"change_type":"T","identity":6,"with_prevent":true} | {"diamonds":1006,"user_key":"a"}
            a part, again    | status.reduce_diamond {"user_key":"a","count":5,"change_type":"T","identity":6,"with_prevent":true} | {"diamonds":1001,"user_key":"a"}
            the rest         | status.reduce_diamond {"user_key":"a","count":9,"change_type":"T","identity":6,"with_prevent":true} | {"diamonds":1000,"user_key":"a"}
            nothing is left  | status.reduce_diamond {"user_key":"a","count":2,"change_type":"T","identity":6,"with_prevent":true} | {"diamonds":1000,"reduced":false,"user_key":"a"}
            without a guard  | status.reduce_diamond {"user_key":"a","count":3,"change_type":"T","identity":6}    | 410 identity已被使用
            a third          | status.add_diamond {"user_key":"a","count":10,"change_type":"T","identity":7}      | {"diamonds":1010,"user_key":"a"}
            without a guard  | status.reduce_diamond {"user_key":"a","count":7,"change_type":"T","identity":7}    | {"diamonds":1003,"user_key":"a"}
            the rest         | status.reduce_diamond {"user_key":"a","count":9,"change_type":"T","identity":7,"with_prevent":true} | {"diamonds":1000,"user_key":"a"}
            the same, again  | status.reduce_diamond {"user_key":"a","count":7,"change_type":"T","identity":7,"with_prevent":true} | {"diamonds":1003,"user_key":"a"}
            "#,
        )
        .await;
    gateway.audit().await;
}

/// Two programs that take back parts of one addition at once take no more than it brought.
#[tokio::test(flavor = "multi_thread")]
async fn two_programs_take_back_an_addition_once() {
    let dir = ProgramDir::with_config(CONFIG);
    let programs = [
        Program::start(&dir, &[]).await,
        Program::start(&dir, &[]).await,
    ];
    let clients = [programs[0].client(), programs[1].client()];
    let change = async |client: &Client, method: &str, count: i64, identity: &str| {
        let count = count.to_string();
        let with_prevent = if method.contains("reduce") { "1" } else { "" };
        let all = [
            ("method", method),
            ("user_key", "a"),
            ("count", &count),
            ("change_type", "T"),
            ("identity", identity),
            ("with_prevent", with_prevent),
        ];
        client.call_ok(&all).await["diamonds"].as_i64().unwrap()
    };
    change(&clients[0], "status.add_diamond", 1000, "0").await;
    for identity in 1..20 {
        let identity = identity.to_string();
        change(&clients[0], "status.add_diamond", 10, &identity).await;
        // 1 + 2 + 3 + 4 + 5 are more than 10.
        let parts = (1..6).map(|part| {
            let client = &clients[usize::try_from(part).unwrap() % 2];
            change(client, "status.reduce_diamond", part, &identity)
        });
        join_all(parts).await;
    }
    assert_eq!(
        change(&clients[0], "status.add_diamond", 1, "last").await,
        1001
    );
    programs[0].audit();
}

/// With `with_prevent`, a reduction counts only if the addition of the same identity does, and only once.
#[tokio::test(flavor = "multi_thread")]
async fn with_prevent_reduces_only_a_counted_addition() {
    let gateway = TestGateway::start().await;
    gateway
        .check_table(
            r#"
            enough diamonds  | status.add_diamond {"user_key":"a","count":50,"change_type":"X"}                   | {"diamonds":50,"user_key":"a"}
            nothing stands   | status.reduce_diamond {"user_key":"a","count":5,"change_type":"T","identity":5,"with_prevent":true} | {"diamonds":50,"reduced":false,"user_key":"a"}
            add              | status.add_diamond {"user_key":"a","count":5,"change_type":"T","identity":5}       | {"diamonds":55,"user_key":"a"}
            another type     | status.reduce_diamond {"user_key":"a","count":5,"change_type":"U","identity":5,"with_prevent":true} | {"diamonds":55,"reduced":false,"user_key":"a"}
            another identity | status.reduce_diamond {"user_key":"a","count":5,"change_type":"T","identity":6,"with_prevent":true} | {"diamonds":55,"reduced":false,"user_key":"a"}
            another user     | status.reduce_diamond {"user_key":"b","count":5,"change_type":"T","identity":5,"with_prevent":true} | {"diamonds":0,"reduced":false,"user_key":"b"}
            it stands        | status.reduce_diamond {"user_key":"a","count":5,"change_type":"T","identity":5,"with_prevent":true} | {"diamonds":50,"user_key":"a"}
            the same, again  | status.reduce_diamond {"user_key":"a","count":5,"change_type":"T","identity":5,"with_prevent":true} | {"diamonds":50,"user_key":"a"}
            taken back       | status.reduce_diamond {"user_key":"a","count":4,"change_type":"T","identity":5,"with_prevent":true} | {"diamonds":50,"reduced":false,"user_key":"a"}
            not asked for    | status.reduce_diamond {"user_key":"a","count":1,"change_type":"T","identity":7,"with_prevent":false} | {"diamonds":49,"user_key":"a"}
            add              | status.add_diamond {"user_key":"c","count":5,"change_type":"T","identity":5}       | {"diamonds":5,"user_key":"c"}
            spent since      | status.sports_envious.v2 {"user_key":"c","envious":-5}                             | {"diamonds":0,"user_key":"c"}
            too few          | status.reduce_diamond {"user_key":"c","count":5,"change_type":"T","identity":5,"with_prevent":true} | 407 钻石不足
            "#,
        )
        .await;
    gateway.audit().await;
}
