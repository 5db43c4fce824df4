//! `/userActionNotify`: the checks, their order, and what the signature covers.

use super::client::{error, ok, sign_action, sign_query};
use crate::test_gateway::TestGateway;

const PATH: &str = "/userActionNotify";

async fn send(gateway: &TestGateway, query: &str) -> (u16, String) {
    gateway.get_path(&format!("{PATH}?{query}")).await
}

/// The sample request of the protocol's document, with the secret for which its sign is valid.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_sample_is_accepted() {
    let toml = "osx.app_key = 'testappKey'\nosx.app_secret = 'testsecret'";
    let gateway = TestGateway::with_config(toml).await;
    gateway.set_time("2018-03-09 09:44:18");
    let sample = "user_token=14359234985&to_user_token=14359234956&to_id=256&action=osx_thread_add\
                  &action_token=1520559498658924&endtimestamp=1520559858&appKey=testappKey\
                  &sign=284dd169610caa4305b8e255830ad9de";
    let data = r#"{"action_token":"1520559498658924","user_info":{"user_token":"14359234985"},"to_user_info":{"to_user_token":"14359234956"},"userInfo":{}}"#;
    assert_eq!(send(&gateway, sample).await, ok(data));
    assert_eq!(
        send(&gateway, &sample.replace("284dd", "284DD")).await,
        ok(data)
    );
    for (from, to, refusal) in [
        ("=1520559858", "=1520559859", "签名验证不通过"),
        ("256", "257", "签名验证不通过"),
        ("284dd", "384dd", "签名验证不通过"),
        (
            "&sign=284dd169610caa4305b8e255830ad9de",
            "",
            "签名验证不通过",
        ),
        ("testappKey", "testappkey", "参数错误，秘钥key不正确"),
    ] {
        let changed = sample.replace(from, to);
        assert_eq!(send(&gateway, &changed).await, error(refusal), "{changed}");
    }
    gateway.set_time("2018-03-09 09:44:18.999");
    assert_eq!(send(&gateway, sample).await, ok(data), "the last second");
    gateway.set_time("2018-03-09 09:44:19");
    assert_eq!(send(&gateway, sample).await, error("请求超时"));
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_run_in_the_documented_order() {
    let gateway = TestGateway::with_community().await;
    let now = gateway.now() / 1000;
    let valid = |end: i64| sign_action("a>b 5 post t1", end);
    let (expired, key, forged) = ("请求超时", "参数错误，秘钥key不正确", "签名验证不通过");
    let all_wrong = valid(now - 1)
        .replace("testappkey", "x")
        .replace("sign=", "sign=0");
    let key_wrong = valid(now)
        .replace("testappkey", "x")
        .replace("sign=", "sign=0");
    let rows = [
        (all_wrong, expired),
        (key_wrong, key),
        (valid(now).replace("sign=", "sign=0"), forged),
        (valid(now - 1), expired),
        (valid(now).replace("&endtimestamp=", "&end="), expired),
        (
            valid(now).replace("&endtimestamp=", "&endtimestamp=x"),
            expired,
        ),
        (
            valid(now).replace("&endtimestamp=", "&endtimestamp=-"),
            expired,
        ),
        (valid(now).replace("&appKey=testappkey", ""), key),
        (valid(now).replace("&appKey=testappkey", "&appKey="), key),
        (String::new(), expired),
    ];
    for (query, refusal) in rows {
        assert_eq!(send(&gateway, &query).await, error(refusal), "{query}");
    }
    assert_eq!(send(&gateway, "a=%FF").await, error("参数格式不对"));
    // None of the refused calls has recorded the token.
    gateway.check_actions(r#"a>b 5 post t1 | "user_info":{"user_token":"a","score1":"10","score2":"5"},"to_user_info":{"to_user_token":"b"}"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_configured_keys_every_call_is_refused() {
    let gateway = TestGateway::start().await;
    let end = gateway.now() / 1000;
    for key in ["appKey=testappkey", "appKey=", "x=y"] {
        let query = sign_query(&format!(
            "user_token=a&action=post&action_token=t&{key}&endtimestamp={end}"
        ));
        let answer = send(&gateway, &query).await;
        assert_eq!(answer, error("参数错误，秘钥key不正确"), "{query}");
    }
}

/// The address configured at the platform may have parameters of its own, which the platform does not sign.
#[tokio::test(flavor = "multi_thread")]
async fn the_signature_covers_the_platforms_parameters() {
    let gateway = TestGateway::with_community().await;
    let end = gateway.now() / 1000 + 5;
    let own = |token: &str| {
        format!(
            "user_token=a&to_user_token=0&to_id=0&action=none&action_token={token}&appKey=testappkey&endtimestamp={end}"
        )
    };
    let answer = |token: &str| {
        ok(&format!(
            r#"{{"action_token":"{token}","user_info":{{"user_token":"a"}},"userInfo":{{}}}}"#
        ))
    };
    let unsigned_extra = format!("channel=x&token=y&{}", sign_query(&own("t1")));
    assert_eq!(send(&gateway, &unsigned_extra).await, answer("t1"));
    let signed_extra = sign_query(&format!("channel=x&{}", own("t2")));
    let refused = send(&gateway, &signed_extra).await;
    assert_eq!(refused, error("签名验证不通过"));
    // If a name occurs twice, the first value is signed and used.
    let twice = format!("{}&action_token=t5", sign_query(&own("t4")));
    assert_eq!(send(&gateway, &twice).await, answer("t4"));
    let twice = format!("action_token=t5&{}", sign_query(&own("t4")));
    assert_eq!(send(&gateway, &twice).await, error("签名验证不通过"));
    // An `appSecret` in the request does not replace the configured secret.
    let own_secret = format!("{}&appSecret=testsecret", sign_query(&own("t6")));
    assert_eq!(send(&gateway, &own_secret).await, answer("t6"));
    let own_secret = sign_query(&own("t7")).replace("&sign", "&appSecret=x&sign");
    assert_eq!(send(&gateway, &own_secret).await, answer("t7"));
    // The signature covers decoded values.
    let odd = sign_query(&own("t 8+%&中文".replace('&', "").as_str()));
    assert_eq!(send(&gateway, &odd).await, answer("t 8+%中文"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_checked() {
    let gateway = TestGateway::with_community().await;
    let long = "字".repeat(256);
    let most = "字".repeat(255);
    let whole = "user_token=a&to_user_token=b&to_id=5&action=post&action_token=t";
    for (from, to, refusal) in [
        ("user_token=a&", "", "缺少参数user_token"),
        ("user_token=a&", "user_token=&", "缺少参数user_token"),
        ("action=post", "action=", "缺少参数action"),
        ("&action_token=t", "", "缺少参数action_token"),
        (
            "user_token=a&",
            &format!("user_token={long}&"),
            "参数长度不合法:user_token",
        ),
        (
            "to_user_token=b",
            &format!("to_user_token={long}"),
            "参数长度不合法:to_user_token",
        ),
        ("to_id=5", &format!("to_id={long}"), "参数长度不合法:to_id"),
        (
            "action=post",
            &format!("action={long}"),
            "参数长度不合法:action",
        ),
        (
            "action_token=t",
            &format!("action_token={long}"),
            "参数长度不合法:action_token",
        ),
        (
            "user_token=a&",
            "user_token=a\0&",
            "参数格式不对:user_token",
        ),
        (
            "action_token=t",
            "action_token=\u{1b}[2Jt",
            "参数格式不对:action_token",
        ),
    ] {
        let changed = whole.replacen(from, to, 1);
        assert_eq!(
            gateway.get_signed(PATH, &changed).await,
            error(refusal),
            "{changed}"
        );
    }
    let most = format!(
        "user_token={most}&to_user_token={most}a&to_id={most}&action={most}&action_token={most}"
    )
    .replace("字a", "a");
    let (_, body) = gateway.get_signed(PATH, &most).await;
    assert!(body.contains(r#""msg":"ok""#), "{body}");
    // The two ways to say that there is no counterpart.
    for (token, counterpart) in [("t1", ""), ("t2", "&to_user_token=0&to_id=0")] {
        let call = format!("user_token=c&action=none&action_token={token}{counterpart}");
        let data = format!(
            r#"{{"action_token":"{token}","user_info":{{"user_token":"c"}},"userInfo":{{}}}}"#
        );
        assert_eq!(gateway.get_signed(PATH, &call).await, ok(&data));
    }
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internal_error_answers_500() {
    let gateway = TestGateway::with_community().await;
    gateway.ledger().close().await;
    for (path, parameters) in [
        (PATH, "user_token=a&action=post&action_token=t"),
        ("/getUserInfo", "user_token=a"),
    ] {
        let (status, body) = gateway.get_signed(path, parameters).await;
        assert_eq!(status, 500);
        assert_eq!(body, r#"{"code":500,"msg":"error","data":"系统错误"}"#);
    }
}
