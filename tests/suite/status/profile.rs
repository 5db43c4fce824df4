//! Profile, light and follows of a member.

use entity::{follow, member};
use sea_orm::{Database, EntityTrait};

use crate::osx::client::{COMMUNITY, ok};
use crate::test_gateway::TestGateway;

/// The `userInfo` of user `a`, without scores.
async fn info(gateway: &TestGateway) -> String {
    let (_, body) = gateway.get_signed("/getUserInfo", "user_token=a").await;
    let info = body.split(r#""userInfo":{"#).nth(1).unwrap();
    let info = info.split(r#""score1""#).next().unwrap();
    info.trim_end_matches(',').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn given_fields_are_set_and_the_others_stay() {
    let gateway = TestGateway::with_config(COMMUNITY).await;
    assert_eq!(info(&gateway).await, "");
    gateway
        .check_table(
            r#"
            all     | broadcast.passport.user_profile_changed {"user_key":"a","avatar_url":"http://x/y.png","sex_type":2,"height":165.5,"begin_weight":"58","user_name":"小一","description":"你好","birthday":"1990-01-31","location":"上海"} | {"user_key":"a"}
            "#,
        )
        .await;
    let profile = r#""nickname":"小一","avatar":"http://x/y.png","sex":2,"birthday":633715200,"signature":"你好""#;
    assert_eq!(info(&gateway).await, profile);
    gateway
        .check_table(
            r#"
            one     | broadcast.passport.user_profile_changed {"user_key":"a","user_name":"二"} | {"user_key":"a"}
            none    | broadcast.passport.user_profile_changed {"user_key":"a","user_name":"","sex_type":null,"birthday":"","height":""} | {"user_key":"a"}
            line    | status.update_profile {"user_key":"a","description":"再见"} | {"user_key":"a"}
            another | status.update_profile {"user_key":"b","description":"b"} | {"user_key":"b"}
            seconds | broadcast.passport.user_profile_changed {"user_key":"a","birthday":0,"sex_type":"男"} | {"user_key":"a"}
            "#,
        )
        .await;
    let profile =
        r#""nickname":"二","avatar":"http://x/y.png","sex":1,"birthday":0,"signature":"再见""#;
    assert_eq!(info(&gateway).await, profile);
    // The answer to an action has the same profile.
    let answer = format!(
        r#"{{"action_token":"t","user_info":{{"user_token":"a"}},"userInfo":{{{profile}}}}}"#
    );
    assert_eq!(gateway.notify("a 1 none t").await, ok(&answer));
}

/// An empty text clears what was stored, and the answers to the platform say so. The platform requires a nickname.
#[tokio::test(flavor = "multi_thread")]
async fn texts_can_be_cleared() {
    let gateway = TestGateway::with_config(COMMUNITY).await;
    let full = r#"broadcast.passport.user_profile_changed {"user_key":"a","user_name":"n","avatar_url":"u","description":"d","location":"l"}"#;
    for (call, profile) in [
        (
            r#"status.update_profile {"user_key":"a","description":""}"#,
            r#""nickname":"n","avatar":"u","signature":"""#,
        ),
        (
            "status.update_profile user_key=a&description=",
            r#""nickname":"n","avatar":"u","signature":"""#,
        ),
        (
            r#"broadcast.passport.user_profile_changed {"user_key":"a","user_name":"","avatar_url":"","description":"","location":""}"#,
            r#""nickname":"n","avatar":"","signature":"""#,
        ),
        (
            r#"broadcast.passport.user_profile_changed {"user_key":"a","avatar_url":null,"description":null}"#,
            r#""nickname":"n","avatar":"u","signature":"d""#,
        ),
    ] {
        for call in [full, call] {
            let table = format!(r#"x | {call} | {{"user_key":"a"}}"#);
            gateway.check_table(&table).await;
        }
        assert_eq!(info(&gateway).await, profile, "{call}");
    }
    let db = Database::connect(gateway.database_url()).await.unwrap();
    let member = member::Entity::find().one(&db).await.unwrap().unwrap();
    assert_eq!(member.location.as_deref(), Some("l"));
}

/// The line breaks of a text are stored, and the platform, which shows one line, gets blanks.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_may_have_several_lines() {
    let gateway = TestGateway::with_config(COMMUNITY).await;
    gateway
        .check_table(r#"lines | status.update_profile {"user_key":"a","description":"一\r\n二\n三\t四"} | {"user_key":"a"}"#)
        .await;
    assert_eq!(info(&gateway).await, r#""signature":"一 二 三 四""#);
    let db = Database::connect(gateway.database_url()).await.unwrap();
    let member = member::Entity::find().one(&db).await.unwrap().unwrap();
    assert_eq!(member.signature.as_deref(), Some("一\r\n二\n三\t四"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birthday_has_several_forms() {
    let gateway = TestGateway::with_config(COMMUNITY).await;
    for birthday in [
        r#""19900131""#,
        "19900131",
        r#""1990/1/31""#,
        r#""1990-01-31T00:00:00+08:00""#,
        "633715200",
    ] {
        let table = format!(
            r#"
            other | broadcast.passport.user_profile_changed {{"user_key":"a","birthday":0}} | {{"user_key":"a"}}
            this  | broadcast.passport.user_profile_changed {{"user_key":"a","birthday":{birthday}}} | {{"user_key":"a"}}
            "#
        );
        gateway.check_table(&table).await;
        assert_eq!(
            info(&gateway).await,
            r#""birthday":633715200"#,
            "{birthday}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_come_in_the_documented_order() {
    let gateway = TestGateway::start().await;
    let long = "字".repeat(1025);
    let table = r#"
        nobody       | broadcast.passport.user_profile_changed {"user_name":"x"}                | 400 user_key不能为空
        nobody       | status.update_profile {"description":"x"}                                | 400 user_key不能为空
        no line      | status.update_profile {"user_key":"a"}                                    | 402 description不合法
        null         | status.update_profile {"user_key":"a","description":null}                 | 402 description不合法
        a bell       | status.update_profile {"user_key":"a","description":"x\u0007y"}           | 402 description不合法
        escape       | status.update_profile {"user_key":"\u001b[2J","description":"x"}          | 400 user_key不能为空
        long line    | status.update_profile {"user_key":"a","description":"LONG"}               | 500 参数长度不合法:description
        sex          | broadcast.passport.user_profile_changed {"user_key":"a","sex_type":3}     | 402 sex_type不合法
        height       | broadcast.passport.user_profile_changed {"user_key":"a","height":"tall"}  | 402 height不合法
        weight       | broadcast.passport.user_profile_changed {"user_key":"a","begin_weight":-5} | 402 begin_weight不合法
        birthday     | broadcast.passport.user_profile_changed {"user_key":"a","birthday":"1990-02-30"} | 402 birthday不合法
        a year       | broadcast.passport.user_profile_changed {"user_key":"a","birthday":1990}  | 402 birthday不合法
        milliseconds | broadcast.passport.user_profile_changed {"user_key":"a","birthday":633715200000} | 402 birthday不合法
        address      | broadcast.passport.user_profile_changed {"user_key":"a","avatar_url":"x\ny"} | 402 avatar_url不合法
        name         | broadcast.passport.user_profile_changed {"user_key":"a","user_name":{}}   | 402 user_name不合法
        nobody       | status.extend_light {"time":1}                                            | 400 user_key不能为空
        no days      | status.extend_light {"user_key":"a"}                                      | 402 time不合法
        0 days       | status.extend_light {"user_key":"a","time":0}                             | 402 time不合法
        -1 days      | status.extend_light {"user_key":"a","time":-1}                            | 402 time不合法
        100 years    | status.extend_light {"user_key":"a","time":36501}                         | 402 time不合法
        nobody       | status.follow_public_account {"account":"shop"}                           | 400 user_key不能为空
        no account   | status.follow_public_account {"user_key":"a"}                             | 403 account不合法
        another      | status.follow_public_account {"user_key":"a","account":"Shop"}            | 403 account不合法
        "#;
    gateway.check_table(&table.replace("LONG", &long)).await;
}

/// The light is extended from now or from its end, whichever is later.
#[tokio::test(flavor = "multi_thread")]
async fn extend_light_adds_days() {
    let gateway = TestGateway::start().await;
    gateway
        .check_table(
            r#"
            at 2026-05-20 11:30:32
            ten days     | status.extend_light {"user_key":"a","time":10}   | {"light_until":"2026-05-30 11:30:32"}
            another      | status.extend_light {"user_key":"b","time":"1"}  | {"light_until":"2026-05-21 11:30:32"}
            at 2026-05-25 00:00:00
            ten more     | status.extend_light {"user_key":"a","time":10}   | {"light_until":"2026-06-09 11:30:32"}
            it went out  | status.extend_light {"user_key":"b","time":1}    | {"light_until":"2026-05-26 00:00:00"}
            "#,
        )
        .await;
}

/// However often it is extended, no light lasts beyond the year 2999.
#[tokio::test(flavor = "multi_thread")]
async fn a_light_ends_with_the_year_2999() {
    let gateway = TestGateway::start().await;
    let extend = r#"x | status.extend_light {"user_key":"a","time":36500} |"#;
    for years in 1..90 {
        let call = r#"{"user_key":"a","time":36500}"#;
        let (_, body) = gateway.post_json("status.extend_light", call).await;
        if years > 9 {
            assert!(
                body.contains(r#""light_until":"2999-12-31 23:59:59""#),
                "{body}"
            );
        }
    }
    gateway
        .check_table(&format!(
            r#"{extend} {{"light_until":"2999-12-31 23:59:59"}}"#
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_are_stored_once() {
    let gateway = TestGateway::start().await;
    gateway
        .check_table(
            r#"
            shop     | status.follow_public_account {"user_key":"a","account":"shop"}    | {"account":"shop","followed":true}
            again    | status.follow_public_account {"user_key":"a","account":"shop"}    | {"account":"shop","followed":true}
            service  | status.follow_public_account {"user_key":"a","account":"service"} | {"account":"service","followed":true}
            "#,
        )
        .await;
    let db = Database::connect(gateway.database_url()).await.unwrap();
    let follows = follow::Entity::find().all(&db).await.unwrap();
    let mut accounts: Vec<&str> = follows
        .iter()
        .map(|follow| follow.account.as_str())
        .collect();
    accounts.sort_unstable();
    assert_eq!(accounts, ["service", "shop"]);
}
