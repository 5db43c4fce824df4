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

/// Both answers keep the lengths of the document: texts are cut, and what means nothing when cut is left out.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_as_short_as_the_document_allows() {
    let gateway = TestGateway::with_community().await;
    let db = Database::connect(gateway.database_url()).await.unwrap();
    let text = |length: usize| Some("字".repeat(length));
    let insert = async |user: &str, more: usize| {
        let member = member::ActiveModel {
            user_key: Set(Some(user.into())),
            nickname: Set(text(25 + more)),
            phone: Set(text(20 + more)),
            avatar: Set(text(255 + more)),
            real_name: Set(text(25 + more)),
            birthday: Set(Some([99_999_999_999, 100_000_000_000][more])),
            qq: Set(text(25 + more)),
            signature: Set(text(100 + more)),
            ..Default::default()
        };
        member.insert(&db).await.unwrap();
    };
    insert("most", 0).await;
    insert("more", 1).await;
    let [name, line] = [25, 100].map(|length| "字".repeat(length));
    let [phone, avatar] = [20, 255].map(|length| "字".repeat(length));
    let most = format!(
        r#""nickname":"{name}","phone":"{phone}","avatar":"{avatar}","real_name":"{name}","birthday":99999999999,"qq":"{name}","signature":"{line}""#
    );
    let more = format!(r#""nickname":"{name}","real_name":"{name}","signature":"{line}""#);
    for (user, info) in [("most", most), ("more", more)] {
        let (_, body) = gateway
            .get_signed(PATH, &format!("user_token={user}"))
            .await;
        let answer = format!(r#""userInfo":{{{info},"score1""#);
        assert!(body.contains(&answer), "{body}");
        let (_, body) = gateway.notify(&format!("{user} 1 none {user}")).await;
        assert!(
            body.ends_with(&format!(r#""userInfo":{{{info}}}}}}}"#)),
            "{body}"
        );
    }
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
