//! Paths and HTTP methods: slashes do not matter, HEAD changes nothing, and what is not served is refused in an envelope.

use crate::program::Program;
use crate::test_gateway::{Answer, TestGateway, sealed};

const TOTAL: &str = "method=app.yohocoin.total&uid=5&debug=XYZ";
const EARN: &str = "method=app.yohocoin.get&uid=5&num=5&type=18&referenceId=a&debug=XYZ";

fn total() -> Answer {
    let data = r#"{"code":"20111130-152530","total":0}"#;
    sealed(200, data, "yoho coin total")
}

fn not_found() -> Answer {
    (404, r#"{"code":404,"message":"路径不存在"}"#.to_owned())
}

/// Sends a request without a body; returns its answer, and the header `Allow`.
async fn send(gateway: &TestGateway, method: &str, path: &str) -> (Answer, Option<String>) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(method, gateway.url(path));
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let allow = header("allow");
    assert_eq!(
        header("cache-control").as_deref(),
        Some("no-store"),
        "{path}"
    );
    let status = response.status().as_u16();
    ((status, response.text().await.unwrap()), allow)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slashes_do_not_matter() {
    let gateway = TestGateway::start().await;
    for path in [
        "/",
        "/gateway",
        "/gateway/",
        "//gateway",
        "//",
        "/gateway//",
        "/%67ateway",
    ] {
        let answered = gateway.get_path(&format!("{path}?{TOTAL}")).await;
        assert_eq!(answered, total(), "{path}");
    }
    let wrong_key = r#"{"code":200,"msg":"error","data":"请求超时"}"#;
    for path in ["/userActionNotify/", "//userActionNotify", "/getUserInfo//"] {
        let answered = gateway.get_path(path).await;
        assert_eq!(answered, (200, wrong_key.to_owned()), "{path}");
    }
    for (path, start) in [
        ("/healthz/", "ok\n"),
        ("//readyz", "ready\n"),
        ("/metrics/", "# HELP "),
    ] {
        let (status, body) = gateway.get_path(path).await;
        assert_eq!(status, 200, "{path}");
        assert!(body.starts_with(start), "{path}: {body}");
    }
    let (answer, _) = send(&gateway, "POST", "//api///v2/").await;
    let malformed = r#"{"status":false,"code":100002,"message":"参数格式不对"}"#;
    assert_eq!(answer, (200, malformed.to_owned()));
}

/// The community's methods are named by the path, whatever slashes it came with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_callback_with_a_slash_is_the_same_callback() {
    let gateway = TestGateway::with_config(
        "[osx]\napp_key = 'testappkey'\napp_secret = 'testsecret'\nmax_ahead_seconds = 2592000",
    )
    .await;
    gateway.set_now(1_405_495_100_000);
    // The values in the order of the names: appKey, appSecret, endtimestamp, token, user_token.
    let sign = crate::test_gateway::md5("testappkeytestsecret1405495206t1");
    let query =
        format!("user_token=1&token=t&appKey=testappkey&endtimestamp=1405495206&sign={sign}");
    let plain = gateway.get_path(&format!("/getUserInfo?{query}")).await;
    assert!(plain.1.contains(r#""msg":"ok""#), "{}", plain.1);
    let slashes = gateway.get_path(&format!("//getUserInfo/?{query}")).await;
    assert_eq!(slashes, plain);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_path_is_answered_in_json() {
    let gateway = TestGateway::start().await;
    for path in [
        "/favicon.ico",
        "/gateway/x",
        "/Gateway",
        "/api",
        "/api/v2/x",
        "/%FF",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let (answer, allow) = send(&gateway, method, path).await;
            assert_eq!((answer, allow), (not_found(), None), "{method} {path}");
        }
    }
    let (answer, _) = send(&gateway, "HEAD", "/favicon.ico").await;
    assert_eq!(answer, (404, String::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_served_is_refused_in_the_envelope() {
    let gateway = TestGateway::start().await;
    let message = "不支持的请求方法";
    let yoho = format!(r#"{{"code":405,"message":"{message}"}}"#);
    let partners = format!(r#"{{"status":false,"code":100002,"message":"{message}"}}"#);
    let community = format!(r#"{{"code":405,"msg":"error","data":"{message}"}}"#);
    for (path, methods, allow, body) in [
        (
            "/gateway",
            "OPTIONS PUT DELETE PATCH TRACE PROPFIND",
            "GET, POST, HEAD",
            &yoho,
        ),
        ("/", "OPTIONS PUT", "GET, POST, HEAD", &yoho),
        ("/api/v2", "OPTIONS GET PUT", "POST", &partners),
        ("/userActionNotify", "OPTIONS POST", "GET, HEAD", &community),
        ("/getUserInfo/", "POST", "GET, HEAD", &community),
        ("/healthz", "OPTIONS POST", "GET, HEAD", &yoho),
        ("/metrics", "POST", "GET, HEAD", &yoho),
    ] {
        for method in methods.split(' ') {
            let path = format!("{path}?{EARN}");
            let answered = send(&gateway, method, &path).await;
            let expected = ((405, body.clone()), Some(allow.to_owned()));
            assert_eq!(answered, expected, "{method} {path}");
        }
    }
    let (answer, allow) = send(&gateway, "HEAD", "/api/v2").await;
    assert_eq!(
        (answer, allow.as_deref()),
        ((405, String::new()), Some("POST"))
    );
    assert_eq!(gateway.get_path(&format!("/?{TOTAL}")).await, total());
}

/// A HEAD has the head of a GET and no body, and calls no method.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_changes_nothing() {
    let gateway = TestGateway::start().await;
    let json = "application/json;charset=UTF-8";
    for (path, status, kind) in [
        (format!("/gateway?{EARN}"), 200, Some(json)),
        (format!("/?{TOTAL}"), 200, Some(json)),
        ("/userActionNotify".to_owned(), 200, Some(json)),
        (
            "/healthz".to_owned(),
            200,
            Some("text/plain; charset=utf-8"),
        ),
        (
            "/readyz/".to_owned(),
            200,
            Some("text/plain; charset=utf-8"),
        ),
    ] {
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        // A body after the head would stand before the second answer.
        let two = format!("{head}HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let text = gateway.send_bytes(two.as_bytes()).await.unwrap();
        let answers: Vec<&str> = text.split_inclusive("\r\n\r\n").collect();
        assert_eq!(answers.len(), 2, "{path}: {text}");
        for answer in answers {
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{path}: {answer}"
            );
            let kind = kind.map(|kind| format!("content-type: {kind}\r\n"));
            assert!(
                answer.contains(&kind.unwrap_or_default()),
                "{path}: {answer}"
            );
        }
    }
    assert_eq!(gateway.get_path(&format!("/?{TOTAL}")).await, total());
    assert_eq!(gateway.audit().await.entries, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_reaches_no_method_is_logged_and_counted() {
    let mut program = Program::new().await;
    let client = program.client();
    for path in ["/nowhere?uid=13800000000", "/healthz"] {
        let post = client.http.post(format!("{}{path}", client.base));
        post.send().await.unwrap();
    }
    for code in [404, 405] {
        let line = program
            .wait_for_log(&format!("method=- code={code} "))
            .await;
        assert!(line.contains(" id="), "{line}");
    }
    assert!(
        !program.log().contains("13800000000"),
        "a number of a telephone"
    );
    let metrics = client.http.get(format!("{}/metrics", client.base));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    for code in [404, 405] {
        let line = format!(r#"pointgate_requests_total{{dialect="-",method="-",code="{code}"}} 1"#);
        assert!(metrics.contains(&line), "{metrics}");
    }
}
