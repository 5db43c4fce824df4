//! One `sign` has one reading. The signature covers values without separators, so digits can move between neighbours.

use crate::test_gateway::{Answer, TestGateway};

use super::client::{COMMUNITY, error, sign_action, sign_query};

fn forged() -> Answer {
    error("签名验证不通过")
}

fn is_ok((status, body): &Answer) -> bool {
    *status == 200 && body.contains(r#""msg":"ok""#)
}

async fn send(gateway: &TestGateway, query: &str) -> Answer {
    gateway
        .get_path(&format!("/userActionNotify?{query}"))
        .await
}

/// A signed action and others with the same signature: the values moved, the text unchanged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digits_do_not_move_between_values() {
    let gateway = TestGateway::with_community().await;
    let end = gateway.now() / 1000 + 600;
    let query = sign_action("234>11 5 post t1", end);
    assert!(is_ok(&send(&gateway, &query).await), "the first reading");
    for (from, to) in [
        (
            ["&to_user_token=11&", "user_token=234&"],
            ["&to_user_token=112&", "user_token=34&"],
        ),
        (
            ["&to_id=5&", "&to_user_token=11&"],
            ["&to_id=51&", "&to_user_token=1&"],
        ),
        (
            ["&action=post&", "&action_token=t1&"],
            ["&action=pos&", "&action_token=tt1&"],
        ),
    ] {
        let moved = query.replace(from[0], to[0]).replace(from[1], to[1]);
        assert_ne!(moved, query);
        assert_eq!(send(&gateway, &moved).await, forged(), "{moved}");
    }
    // The time has ten digits, so none of them moves to `to_id` or comes from it.
    for (time, object) in [
        (format!("{end}5"), ""),
        (end.to_string()[..9].to_owned(), "0"),
    ] {
        let moved = query.replace(
            &format!("endtimestamp={end}"),
            &format!("endtimestamp={time}"),
        );
        let moved = moved.replace("to_id=5", &format!("to_id={object}"));
        assert_eq!(send(&gateway, &moved).await, error("请求超时"), "{moved}");
    }
    let repeat = send(&gateway, &query).await;
    assert!(
        is_ok(&repeat),
        "a retry with the same reading: {}",
        repeat.1
    );
    gateway.audit().await;
}

/// A repeat with a fresh signature scores nothing, and yet fixes the reading of that signature.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_action_fixes_its_reading_too() {
    let gateway = TestGateway::with_community().await;
    let end = gateway.now() / 1000 + 600;
    assert!(is_ok(
        &send(&gateway, &sign_action("234>11 5 post t1", end)).await
    ));
    let fresh = sign_action("234>11 5 post t1", end + 1);
    assert!(is_ok(&send(&gateway, &fresh).await));
    let moved = fresh.replace("&action=post&", "&action=pos&");
    let moved = moved.replace("&action_token=t1&", "&action_token=tt1&");
    assert_eq!(send(&gateway, &moved).await, forged());
    assert!(is_ok(&send(&gateway, &fresh).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readings_outlive_a_restart() {
    let mut gateway = TestGateway::with_community().await;
    let end = gateway.now() / 1000 + 600;
    let query = sign_action("234>11 5 post t1", end);
    assert!(is_ok(&send(&gateway, &query).await));
    let moved = query.replace("&to_user_token=11&", "&to_user_token=112&");
    let moved = moved.replace("user_token=234&", "user_token=34&");
    gateway.restart().await;
    assert_eq!(send(&gateway, &moved).await, forged());
    // Once it has expired, the time alone refuses it; `purge` may forget it then.
    gateway.set_now(end * 1000 + 1000);
    assert_eq!(send(&gateway, &moved).await, error("请求超时"));
}

/// The signature of a profile's reader opens no other profile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_has_its_own_signature() {
    let gateway = TestGateway::with_community().await;
    let end = gateway.now() / 1000 + 600;
    let profile = async |query: &str| gateway.get_path(&format!("/getUserInfo?{query}")).await;
    let common = format!("appKey=testappkey&endtimestamp={end}");
    let query = sign_query(&format!("token=s1&user_token=234&{common}"));
    assert!(is_ok(&profile(&query).await));
    let moved = query.replace("token=s1&user_token=234", "token=s12&user_token=34");
    assert_eq!(profile(&moved).await, forged());
    assert!(is_ok(&profile(&query).await));
}

/// Without them empty, no value is the whole of its neighbour's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_own_parameter_is_empty() {
    let gateway = TestGateway::with_community().await;
    let full = "user_token=1&to_user_token=2&to_id=3&action=post&action_token=t";
    for name in [
        "user_token",
        "to_user_token",
        "to_id",
        "action",
        "action_token",
    ] {
        let pairs = full.split('&').map(|pair| match pair.split_once('=') {
            Some((known, _)) if known == name => format!("{name}="),
            _ => pair.to_owned(),
        });
        let query: Vec<String> = pairs.collect();
        let answer = gateway
            .get_signed("/userActionNotify", &query.join("&"))
            .await;
        assert_eq!(answer, error(&format!("缺少参数{name}")), "{name}");
    }
    for name in ["appKey", "endtimestamp"] {
        let end = gateway.now() / 1000 + 600;
        let all = format!("{full}&appKey=testappkey&endtimestamp={end}");
        let value = all
            .split('&')
            .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        let emptied = all.replace(&format!("{name}={}", value.unwrap()), &format!("{name}="));
        let text = match name {
            "appKey" => "参数错误，秘钥key不正确",
            _ => "请求超时",
        };
        assert_eq!(
            send(&gateway, &sign_query(&emptied)).await,
            error(text),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_is_not_far_ahead() {
    let gateway = TestGateway::with_community().await;
    let now = gateway.now() / 1000;
    let day = 86_400;
    for (end, is_good) in [
        (now, true),
        (now - 1, false),
        (now + day, true),
        (now + day + 1, false),
    ] {
        let answer = send(&gateway, &sign_action(&format!("1 0 post t{end}"), end)).await;
        match is_good {
            true => assert!(is_ok(&answer), "{end}: {}", answer.1),
            false => assert_eq!(answer, error("请求超时"), "{end}"),
        }
    }
    let short = COMMUNITY.replace("[osx]", "[osx]\nmax_ahead_seconds = 60");
    let gateway = TestGateway::with_config(&short).await;
    assert_eq!(
        send(&gateway, &sign_action("1 0 post t1", now + 61)).await,
        error("请求超时")
    );
    assert!(is_ok(
        &send(&gateway, &sign_action("1 0 post t1", now + 60)).await
    ));
}

/// Parameters of the callback URL: ignored where they stand unsigned, signed where they are named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_of_the_callback_url() {
    let gateway = TestGateway::with_community().await;
    let signed = "user_token=1&action=post&action_token=t1&site=7";
    let refused = gateway.get_signed("/userActionNotify", signed).await;
    assert_eq!(refused, forged(), "not a signed parameter");
    let end = gateway.now() / 1000 + 600;
    let unsigned = format!(
        "site=7&{}&user_token=9&zone=1",
        sign_action("1 0 post t1", end)
    );
    assert!(
        is_ok(&send(&gateway, &unsigned).await),
        "unsigned, and ignored"
    );

    let named = COMMUNITY.replace("[osx]", "[osx]\ncallback_parameters = ['site']");
    let gateway = TestGateway::with_config(&named).await;
    assert!(is_ok(
        &gateway.get_signed("/userActionNotify", signed).await
    ));
    let all = format!("{signed}&zone=1");
    assert_eq!(
        gateway.get_signed("/userActionNotify", &all).await,
        forged()
    );
    assert!(is_ok(
        &send(&gateway, &sign_action("1 0 post t2", end)).await
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pattern_refuses_what_is_no_member() {
    let pattern = COMMUNITY.replace("[osx]", "[osx]\nuser_token_pattern = '1[0-9]{3}|admin'");
    let gateway = TestGateway::with_config(&pattern).await;
    for (call, wrong) in [
        ("1234>1235 0 post t1", None),
        ("admin 0 post t2", None),
        ("123>1235 0 post t3", Some("user_token")),
        ("12345 0 post t4", Some("user_token")),
        ("xadmin 0 post t5", Some("user_token")),
        ("1234>1 0 like t6", Some("to_user_token")),
    ] {
        let answer = gateway.notify(call).await;
        match wrong {
            None => assert!(is_ok(&answer), "{call}: {}", answer.1),
            Some(name) => assert_eq!(answer, error(&format!("参数格式不对:{name}")), "{call}"),
        }
    }
    let profile = gateway.get_signed("/getUserInfo", "user_token=12345").await;
    assert_eq!(profile, error("参数格式不对:user_token"));
}
