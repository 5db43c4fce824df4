//! Byte order marks and half surrogate pairs, which real clients write: they refuse nobody.

use crate::test_gateway::{Answer, TestGateway, md5, sealed, signed_query};

const JSON: Option<&str> = Some("application/json");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn total() -> Answer {
    let data = r#"{"code":"20111130-152530","total":0}"#;
    sealed(200, data, "yoho coin total")
}

/// .NET and Windows write a mark before UTF-8, and PHP and JavaScript half a pair where they cut a text within an emoji.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_and_half_a_pair_refuse_nobody() {
    let marked = "\u{feff}{\"uid\":5}";
    let rows = [
        ("a mark", JSON, marked),
        ("a mark under another type", FORM, marked),
        (
            "a mark before white space",
            JSON,
            "\u{feff} \r\n{\"uid\":5}",
        ),
        ("half a pair", JSON, r#"{"uid":5,"a":"\ud800"}"#),
        ("the other half", JSON, r#"{"uid":5,"a":"\uDC00"}"#),
        ("half a pair in a name", JSON, r#"{"uid":5,"\ud800":1}"#),
        (
            "two first halves",
            JSON,
            r#"{"uid":5,"a":["\ud800\ud800"]}"#,
        ),
    ];
    let gateway = TestGateway::start().await;
    let query = signed_query("app.yohocoin.total");
    for (name, kind, body) in rows {
        assert_eq!(gateway.post(&query, kind, body).await, total(), "{name}");
    }
    let no_user = sealed(404, "{}", "uid为空！");
    for (kind, body) in [(JSON, "\u{feff}"), (FORM, "\u{feff} ")] {
        assert_eq!(gateway.post(&query, kind, body).await, no_user, "{body:?}");
    }
}

/// The signature of a form covers its names without the mark, since the method reads them so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_behind_a_mark_is_read() {
    let gateway = TestGateway::start().await;
    let text = "client_type=android&method=app.yohocoin.total&private_key=k-android&uid=5";
    let query = format!(
        "method=app.yohocoin.total&client_type=android&client_secret={}",
        md5(text)
    );
    // An encoded mark is white space to JavaScript's trim, with which newer clients sign.
    for body in ["uid=5", "\u{feff}uid=5", "%EF%BB%BFuid=5"] {
        assert_eq!(gateway.post(&query, FORM, body).await, total(), "{body}");
    }
}
