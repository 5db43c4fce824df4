//! `app.yohocoin.total`: the balance of a user, and invalid users.

use crate::test_gateway::{TestGateway, sealed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_valid_users_have_a_total() {
    let gateway = TestGateway::start().await;
    let table = r#"
        nobody yet         | total uid=50030141             | {"code":"20111130-152530","total":0}
        earns              | get uid=50030141&num=3000&type=18&referenceId=a | {"currency":"3000","uid":50030141}
        the document's     | total uid=50030141             | {"code":"20111130-152530","total":3000}
        number in JSON     | total {"uid":50030141}         | {"code":"20111130-152530","total":3000}
        text in JSON       | total {"uid":"50030141"}       | {"code":"20111130-152530","total":3000}
        fraction of zero   | total {"uid":50030141.0}       | {"code":"20111130-152530","total":3000}
        somebody else      | total uid=50030142             | {"code":"20111130-152530","total":0}
        the smallest       | total uid=1                    | {"code":"20111130-152530","total":0}
        the largest        | total uid=9223372036854775807  | {"code":"20111130-152530","total":0}
        absent             | total                          | sealed 404 uid为空！
        empty              | total uid=                     | sealed 404 uid为空！
        zero               | total uid=0                    | sealed 404 uid为空！
        negative           | total uid=-1                   | sealed 404 uid为空！
        letters            | total uid=x                    | sealed 404 uid为空！
        number and letters | total uid=5x                   | sealed 404 uid为空！
        white space        | total uid= 50030141            | {"code":"20111130-152530","total":3000}
        white space        | total uid=WIDE50030141WIDE     | {"code":"20111130-152530","total":3000}
        white space, JSON  | total {"uid":" 50030141\n"}   | {"code":"20111130-152530","total":3000}
        a space inside     | total uid=5 0                  | sealed 404 uid为空！
        nothing but space  | total uid=WIDE                 | sealed 404 uid为空！
        fraction           | total uid=5.5                  | sealed 404 uid为空！
        fraction of zero   | total uid=5.0                  | sealed 404 uid为空！
        full-width digits  | total uid=５                   | sealed 404 uid为空！
        2^63               | total uid=9223372036854775808  | sealed 404 uid为空！
        2^64 + 5           | total uid=18446744073709551621 | sealed 404 uid为空！
        2^63 in JSON       | total {"uid":9223372036854775808} | sealed 404 uid为空！
        1e30 in JSON       | total {"uid":1e30}             | sealed 404 uid为空！
        zero in JSON       | total {"uid":0}                | sealed 404 uid为空！
        fraction in JSON   | total {"uid":5.5}              | sealed 404 uid为空！
        null               | total {"uid":null}             | sealed 404 uid为空！
        true               | total {"uid":true}             | sealed 404 uid为空！
        a list             | total {"uid":[5]}              | sealed 404 uid为空！
        an object          | total {"uid":{"uid":5}}        | sealed 404 uid为空！
        another name       | total {"UID":5}                | sealed 404 uid为空！
        nothing in JSON    | total {}                       | sealed 404 uid为空！
    "#;
    let table = table.replace("WIDE", "\u{3000}");
    gateway.check_table(&table).await;
    // As it stands behind a line of a file, or behind a header of a proxy.
    for uid in ["50030141\n", "50030141\r\n", "\t50030141\0"] {
        let answered = gateway
            .call("app.yohocoin.total", &format!("uid={uid}"))
            .await;
        let data = r#"{"code":"20111130-152530","total":3000}"#;
        assert_eq!(answered, sealed(200, data, "yoho coin total"), "{uid:?}");
    }
}

/// Users with a common prefix have separate accounts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_have_separate_accounts() {
    let gateway = TestGateway::start().await;
    let table = r#"
        one  | get uid=1&num=1&type=18&referenceId=a  | {"currency":"1","uid":1}
        ten  | get uid=11&num=20&type=18&referenceId=a | {"currency":"20","uid":11}
        one  | total uid=1   | {"code":"20111130-152530","total":1}
        ten  | total uid=11  | {"code":"20111130-152530","total":20}
        none | total uid=111 | {"code":"20111130-152530","total":0}
    "#;
    gateway.check_table(table).await;
}
