//! `/getUserInfo`: profile and scores of a user.

use entity::member;
use sea_orm::{ActiveModelTrait, Database, Set};

use super::client::{error, ok};
use crate::test_gateway::TestGateway;

const PATH: &str = "/getUserInfo";

#[tokio::test(flavor = "multi_thread")]
async fn profile_and_scores_are_answered() {
    let gateway = TestGateway::with_community().await;
    let zeros = (1..=9)
        .map(|n| format!(r#""score{n}":"0""#))
        .collect::<Vec<_>>()
        .join(",");
    let without_profile = ok(&format!(r#"{{"user_token":"a","userInfo":{{{zeros}}}}}"#));
    assert_eq!(
        gateway.get_signed(PATH, "user_token=a&token=x").await,
        without_profile
    );
    assert_eq!(
        gateway.get_signed(PATH, "user_token=a").await,
        without_profile
    );

    gateway.notify("a 1 post t1").await;
    gateway.notify("b>a 1 like t2").await;
    let db = Database::connect(gateway.database_url()).await.unwrap();
    let known = member::ActiveModel {
        user_key: Set(Some("a".into())),
        nickname: Set(Some("小\"一".into())),
        sex: Set(Some(2)),
        birthday: Set(Some(631123200)),
        signature: Set(Some("你好".into())),
        ..Default::default()
    };
    known.insert(&db).await.unwrap();
    let info = r#"{"user_token":"a","userInfo":{"nickname":"小\"一","sex":2,"birthday":631123200,"signature":"你好","score1":"10","score2":"7","score3":"0","score4":"3","score5":"0","score6":"0","score7":"0","score8":"0","score9":"0"}}"#;
    assert_eq!(
        gateway.get_signed(PATH, "user_token=a&token=x").await,
        ok(info)
    );
    // The answer to the actor's own action includes the profile too.
    let answer = r#"{"action_token":"t3","user_info":{"user_token":"a","score1":"20","score2":"12"},"userInfo":{"nickname":"小\"一","sex":2,"birthday":631123200,"signature":"你好"}}"#;
    assert_eq!(gateway.notify("a 1 post t3").await, ok(answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_calls_are_refused() {
    let gateway = TestGateway::with_community().await;
    assert_eq!(
        gateway.get_signed(PATH, "token=x").await,
        error("缺少参数user_token")
    );
    assert_eq!(gateway.get_path(PATH).await, error("请求超时"));
    let end = gateway.now() / 1000;
    let query = format!("{PATH}?user_token=a&appKey=testappkey&endtimestamp={end}&sign=x");
    assert_eq!(gateway.get_path(&query).await, error("签名验证不通过"));
    // The platform signs the parameters that it appends, not those of the configured address. `token` is a parameter of this
    // path.
    let (_, body) = gateway
        .get_path(&format!(
            "{PATH}?channel=1&{}",
            super::client::sign_query(&format!(
                "user_token=a&token=x&appKey=testappkey&endtimestamp={end}"
            ))
        ))
        .await;
    assert!(body.contains(r#""msg":"ok""#), "{body}");
    let (_, body) = gateway
        .get_path(&format!(
            "{PATH}?token=1&{}",
            super::client::sign_query(&format!(
                "user_token=a&appKey=testappkey&endtimestamp={end}"
            ))
        ))
        .await;
    assert_eq!(body, error("签名验证不通过").1);
}
