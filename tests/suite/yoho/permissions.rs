//! What a client may do: methods, networks, JSON, rate and points, and its previous key.

use crate::program::{Program, ProgramDir, text};
use crate::test_gateway::{Answer, TestGateway, client_secret, fault};

const WEB: &str = "[yoho.clients.Web]\nkey = 'k-web'\n";

fn forbidden() -> Answer {
    fault(506, "无权调用此method")
}

fn over() -> Answer {
    fault(508, "超出限额")
}

/// A signed query of the client `web`.
fn query(method: &str, parameters: &str, key: &str) -> String {
    let mut pairs = vec![("method", method), ("client_type", "web")];
    let more = parameters.split('&').filter(|pair| !pair.is_empty());
    pairs.extend(more.map(|pair| pair.split_once('=').unwrap()));
    let secret = client_secret(&pairs, key);
    let pairs: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
    format!("{}&client_secret={secret}", pairs.join("&"))
}

async fn call(gateway: &TestGateway, method: &str, parameters: &str) -> Answer {
    gateway.get(&query(method, parameters, "k-web")).await
}

/// Credits coins to user 5 under a reference. Returns the balance, or the refusal.
async fn earn(gateway: &TestGateway, num: i64, reference: &str) -> Result<String, Answer> {
    let parameters = format!("uid=5&num={num}&type=18&referenceId={reference}");
    let answer = call(gateway, "app.yohocoin.get", &parameters).await;
    let data: Option<serde_json::Value> = serde_json::from_str(&answer.1).ok();
    let balance = data.and_then(|it| Some(it["data"]["currency"].as_str()?.to_owned()));
    balance.ok_or(answer)
}

fn code(answer: &Answer) -> i64 {
    let body: serde_json::Value = serde_json::from_str(&answer.1).unwrap();
    body["code"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_calls_what_it_is_allowed() {
    let config = format!("{WEB}allow = ['app.yohocoin.total', 'app.yohocoin.get', 'status.*']\n");
    let gateway = TestGateway::with_config(&config).await;
    for (method, parameters, expected) in [
        ("app.yohocoin.total", "uid=5", 200),
        ("app.yohocoin.add", "uid=5&num=1&type=18&referenceId=r", 200),
        (
            "status.add_diamond",
            "user_key=a&count=1&change_type=x",
            200,
        ),
        (
            "app.yohocoin.subtract",
            "uid=5&num=-1&type=19&orderCode=o",
            506,
        ),
        ("app.yohocoin.lists", "uid=5", 506),
        ("app.unknown", "", 501),
    ] {
        let answer = call(&gateway, method, parameters).await;
        assert_eq!(code(&answer), expected, "{method}: {}", answer.1);
    }
    let forged = query("app.yohocoin.lists", "uid=5", "k-other");
    assert_eq!(
        gateway.get(&forged).await,
        fault(500, "数据验证错误."),
        "the signature comes first"
    );
    // Other clients, from the short form, may still call everything.
    assert_eq!(
        code(&gateway.call("app.yohocoin.total", "uid=5").await),
        200
    );
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_calls_from_its_networks() {
    let proxies = "[server]\ntrusted_proxies = ['127.0.0.1']\n";
    let config = format!("{proxies}{WEB}from = ['203.0.113.0/24']\n");
    let gateway = TestGateway::with_config(&config).await;
    let query = query("app.yohocoin.total", "uid=5", "k-web");
    assert_eq!(gateway.get(&query).await, forbidden());
    for (address, is_allowed) in [("203.0.113.9", true), ("203.0.114.9", false)] {
        let answer = gateway
            .get_with(&query, &[("X-Forwarded-For", address)])
            .await;
        assert_eq!(code(&answer) == 200, is_allowed, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_be_refused_json() {
    let json = r#"{"uid":5,"num":1,"type":18,"referenceId":"r"}"#;
    let send = async |config: &str| {
        let gateway = TestGateway::with_config(config).await;
        let query = query("app.yohocoin.get", "", "k-web");
        gateway.post(&query, Some("application/json"), json).await
    };
    assert_eq!(code(&send(WEB).await), 200);
    assert_eq!(code(&send(&format!("{WEB}json = 'accept'\n")).await), 200);
    assert_eq!(send(&format!("{WEB}json = 'refuse'\n")).await, forbidden());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_has_a_rate() {
    let gateway = TestGateway::with_config(&format!("{WEB}rate_per_second = 2\n")).await;
    let mut codes = Vec::new();
    for _ in 0..40 {
        let answer = call(&gateway, "app.yohocoin.total", "uid=5").await;
        if code(&answer) != 200 {
            assert_eq!(answer, fault(507, "请求过于频繁"));
        }
        codes.push(code(&answer));
    }
    assert_eq!(codes[..2], [200, 200]);
    assert!(codes.contains(&507), "{codes:?}");
    // One client's rate is no other client's.
    assert_eq!(
        code(&gateway.call("app.yohocoin.total", "uid=5").await),
        200
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gives_so_many_points() {
    let config = format!("{WEB}max_points = 50\nmax_points_per_day = 100\n");
    let mut gateway = TestGateway::with_config(&config).await;
    assert_eq!(earn(&gateway, 51, "a").await, Err(over()), "in one request");
    assert_eq!(earn(&gateway, 50, "a").await.as_deref(), Ok("50"));
    assert_eq!(earn(&gateway, 40, "b").await.as_deref(), Ok("90"));
    assert_eq!(earn(&gateway, 11, "c").await, Err(over()), "in a day");
    let diamonds = "user_key=a&count=11&change_type=x";
    let diamonds = call(&gateway, "status.add_diamond", diamonds).await;
    assert_eq!(diamonds, over(), "all credits count together");
    gateway.restart().await;
    assert_eq!(
        earn(&gateway, 11, "c").await,
        Err(over()),
        "after a restart"
    );
    // A retry of what counted is no second time, and what was refused may come again.
    assert_eq!(earn(&gateway, 40, "b").await.as_deref(), Ok("90"));
    assert_eq!(earn(&gateway, 10, "c").await.as_deref(), Ok("100"));
    assert_eq!(earn(&gateway, 10, "c").await.as_deref(), Ok("100"));
    assert_eq!(earn(&gateway, 1, "d").await, Err(over()));
    // Spending and giving back are no credits.
    let spend = "uid=5&num=-30&type=19&orderCode=o";
    assert_eq!(
        code(&call(&gateway, "app.yohocoin.subtract", spend).await),
        200
    );
    let back = "uid=5&num=30&type=22&orderCode=o";
    assert_eq!(
        code(&call(&gateway, "app.yohocoin.return", back).await),
        200
    );
    // Other clients have no limit.
    let other = "uid=5&num=500&type=18&referenceId=e";
    assert_eq!(code(&gateway.call("app.yohocoin.get", other).await), 200);
    gateway.set_time("2026-05-21 00:00:00");
    assert_eq!(
        earn(&gateway, 50, "f").await.as_deref(),
        Ok("650"),
        "the next local day"
    );
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_previous_key_is_accepted_too() {
    let config = format!("{WEB}previous_key = 'k-old'\n");
    let gateway = TestGateway::with_config(&config).await;
    for (key, expected) in [("k-web", 200), ("k-old", 200), ("k-older", 500), ("", 500)] {
        let answer = gateway
            .get(&query("app.yohocoin.total", "uid=5", key))
            .await;
        assert_eq!(code(&answer), expected, "{key}");
    }
}

/// The sample keys of the built-in defaults are gone once the file has clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_replace_the_sample_keys() {
    let own = format!("[yoho]\nsalt = 'own'\n{WEB}");
    let gateway = TestGateway::with_samples(&own).await;
    let pairs = [
        ("method", "app.yohocoin.total"),
        ("client_type", "android"),
        ("uid", "5"),
    ];
    let secret = client_secret(&pairs, "sample-key-for-trying-out-android");
    let query =
        format!("method=app.yohocoin.total&client_type=android&uid=5&client_secret={secret}");
    assert_eq!(gateway.get(&query).await, fault(500, "不接受此平台"));
}

#[test]
fn an_unknown_method_stops_the_start() {
    let dir = ProgramDir::with_config(&format!(
        "[yoho]\nsalt = 's'\ndebug = ''\n{WEB}allow = ['app.yohocoin.*', 'app.other.*']\n"
    ));
    let out = dir.run(&["check-config"]);
    assert!(!out.status.success());
    let output = text(&out.stderr);
    let expected = "yoho.clients: web may call app.other.*, but there is no such method";
    assert!(output.contains(expected), "{output}");
}

/// The short form works, and the start says what to write instead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_short_form_is_pointed_out() {
    let program = Program::new().await;
    let log = program.log();
    assert!(
        log.contains("[yoho.client_keys] lets android call everything"),
        "{log}"
    );
    assert!(log.contains("[yoho.clients.android]"), "{log}");
    let client = Program::start(
        &ProgramDir::with_config(&format!(
            "[server]\nlisten = '127.0.0.1:0'\n[yoho]\nsalt = 's'\ndebug = ''\n{WEB}"
        )),
        &[],
    )
    .await;
    assert!(!client.log().contains("client_keys"), "{}", client.log());
}
