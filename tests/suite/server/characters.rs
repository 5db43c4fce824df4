//! Characters that a client should have percent-encoded in a URL: they are read as if it had.

use percent_encoding::NON_ALPHANUMERIC;

use crate::test_gateway::{ANDROID_KEY, Answer, TestGateway, client_secret, fault, md5, sealed};

const COMMUNITY: &str =
    "[osx]\napp_key = 'testappkey'\napp_secret = 'testsecret'\nmax_ahead_seconds = 2592000";

/// Sends a GET of a URL as it stands; returns status and body.
async fn get(gateway: &TestGateway, url: &[u8]) -> Answer {
    let rest = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let request = [b"GET ", url, rest].concat();
    let text = gateway.send_bytes(&request).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.strip_prefix("HTTP/1.1 ").unwrap();
    (status[..3].parse().unwrap(), body.to_owned())
}

/// The signature covers the characters, however they are written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raw_characters_of_a_signed_request_are_read() {
    let gateway = TestGateway::start().await;
    let data = r#"{"code":"20111130-152530","total":0}"#;
    for name in [
        "签到",
        "张三\"<>'",
        "{}|\\^`[]",
        "é",
        "😀",
        "a;b,c:d@e!f$g*h(i)j",
    ] {
        let parameters = [
            ("client_type", "android"),
            ("method", "app.yohocoin.total"),
            ("name", name),
            ("uid", "5"),
        ];
        let secret = client_secret(&parameters, ANDROID_KEY);
        let pairs = parameters.map(|(name, value)| format!("{name}={value}"));
        let url = format!("/gateway?{}&client_secret={secret}", pairs.join("&"));
        let answered = get(&gateway, url.as_bytes()).await;
        assert_eq!(answered, sealed(200, data, "yoho coin total"), "{name}");
        let url = url.replace("uid=5", "uid=6");
        let forged = get(&gateway, url.as_bytes()).await;
        assert_eq!(forged, fault(500, "数据验证错误."), "{name}");
    }
}

/// The community's sender encodes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raw_characters_of_a_callback_are_read() {
    let gateway = TestGateway::with_config(COMMUNITY).await;
    gateway.set_now(1_405_495_100_000);
    for token in ["张三", "a\"b", "<张三>"] {
        let sign = md5(&format!("testappkeytestsecret1405495206t{token}"));
        let url = format!(
            "/getUserInfo?user_token={token}&token=t&appKey=testappkey&endtimestamp=1405495206&sign={sign}"
        );
        let (status, body) = get(&gateway, url.as_bytes()).await;
        assert_eq!(status, 200, "{body}");
        let shown = serde_json::Value::from(token).to_string();
        assert!(body.contains(&format!(r#""user_token":{shown}"#)), "{body}");
    }
}

/// Bytes that are not UTF-8 are refused in the envelope: read loosely, two different texts would have one meaning, and MD5 extends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raw_bytes_that_are_no_utf_8_are_refused() {
    let gateway = TestGateway::with_config(COMMUNITY).await;
    for bytes in [
        &b"\xff"[..],
        b"\xd6\xd0",
        b"\xe4\xb8",
        b"\x80",
        b"\xed\xa0\x80",
    ] {
        let answered = get(&gateway, &[b"/gateway?uid=5&name=", bytes].concat()).await;
        assert_eq!(answered, fault(500, "参数格式不对"), "{bytes:?}");
        let answered = get(
            &gateway,
            &[b"/userActionNotify?user_token=", bytes].concat(),
        )
        .await;
        let malformed = r#"{"code":200,"msg":"error","data":"参数格式不对"}"#;
        assert_eq!(answered, (200, malformed.to_owned()), "{bytes:?}");
    }
    let (status, _) = get(&gateway, b"/\xff").await;
    assert_eq!(status, 404);
}

/// The padding of MD5 for a text of this length (bytes).
fn padding(length: usize) -> Vec<u8> {
    let zeros = (55 + 64 - length % 64) % 64;
    let mut padding = vec![0x80];
    padding.resize(1 + zeros, 0);
    padding.extend((length as u64 * 8).to_le_bytes());
    padding
}

fn md5_of_bytes(bytes: &[u8]) -> String {
    use md5::Digest as _;
    let digest = md5::Md5::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who has seen a signature can make that of the text with MD5's padding and anything behind it, without the key. The padding is not
/// UTF-8, so such a text must have no reading.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extended_signature_is_refused() {
    let gateway = TestGateway::with_config(COMMUNITY).await;
    gateway.set_now(1_405_495_100_000);
    let malformed = || fault(500, "参数格式不对");
    let encoded =
        |bytes: &[u8]| percent_encoding::percent_encode(bytes, NON_ALPHANUMERIC).to_string();

    let seen = "client_type=android&method=app.yohocoin.total&private_key=k-android&uid=5";
    let more = [padding(seen.len()), b"0".to_vec()].concat();
    let secret = md5_of_bytes(&[seen.as_bytes(), &more].concat());
    let signed = format!("client_type=android&method=app.yohocoin.total&client_secret={secret}");
    let uid = encoded(&[b"5", &more[..]].concat());
    assert_eq!(
        gateway.get(&format!("{signed}&uid={uid}")).await,
        malformed()
    );
    let form = Some("application/x-www-form-urlencoded");
    for body in [
        format!("uid={uid}").into_bytes(),
        [b"uid=5", &more[..]].concat(),
    ] {
        assert_eq!(gateway.post(&signed, form, body).await, malformed());
    }

    let seen = "testappkeytestsecret1405495206t5";
    let more = [padding(seen.len()), b"0".to_vec()].concat();
    let sign = md5_of_bytes(&[seen.as_bytes(), &more].concat());
    let token = encoded(&[b"5", &more[..]].concat());
    let path = format!(
        "/getUserInfo?user_token={token}&token=t&appKey=testappkey&endtimestamp=1405495206&sign={sign}"
    );
    let refused = r#"{"code":200,"msg":"error","data":"参数格式不对"}"#;
    assert_eq!(gateway.get_path(&path).await, (200, refused.to_owned()));
}

/// The bytes of a body stay as they are, also where they look like a request with raw characters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_never_touched() {
    let gateway = TestGateway::start().await;
    let parameters = [("client_type", "android"), ("method", "app.yohocoin.total")];
    let signed = client_secret(&parameters, ANDROID_KEY);
    let query = format!("client_type=android&method=app.yohocoin.total&client_secret={signed}");
    let inside = "GET /签到\" HTTP/1.1\r\nHost: x\r\n\r\n";
    let json = serde_json::json!({ "uid": 5, "text": inside }).to_string();
    let json = format!("\r\n{json}\r\n");
    let length = json.len();
    let request = format!(
        "POST /gateway?{query}&q=签 HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{json}"
    );
    let last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let requests = format!("{request}{request}{last}");
    let text = gateway.send_bytes(requests.as_bytes()).await.unwrap();
    let data = r#"{"code":"20111130-152530","total":0}"#;
    let (_, total) = sealed(200, data, "yoho coin total");
    assert_eq!(text.matches(&total).count(), 2, "{text}");
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
    assert!(text.ends_with("\r\n\r\nok\n"), "{text}");
}
