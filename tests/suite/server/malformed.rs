//! Malformed requests: each is answered in the envelope, and the next valid request still works.

use crate::test_gateway::{Answer, TestGateway, fault, md5, sealed, signed_query};

const JSON: Option<&str> = Some("application/json");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn malformed() -> Answer {
    fault(500, "参数格式不对")
}

fn no_user() -> Answer {
    sealed(404, "{}", "uid为空！")
}

fn total(coins: i64) -> Answer {
    let data = format!(r#"{{"code":"20111130-152530","total":{coins}}}"#);
    sealed(200, &data, "yoho coin total")
}

/// Sends a valid request over the connection pool that the malformed request used.
async fn still_works(gateway: &TestGateway, after: &str) {
    let answered = gateway.call("app.yohocoin.total", "uid=5").await;
    assert_eq!(answered, total(0), "after {after}");
}

/// Posts each body with a valid signature and checks the answer.
async fn bodies(rows: Vec<(&str, Option<&str>, Vec<u8>, Answer)>) {
    let gateway = TestGateway::start().await;
    let query = signed_query("app.yohocoin.total");
    for (name, kind, body, answer) in rows {
        assert_eq!(gateway.post(&query, kind, body).await, answer, "{name}");
        still_works(&gateway, name).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_json_body_that_is_no_object_is_refused() {
    let rows = [
        ("no JSON", "nonsense"),
        ("a list", r#"[{"uid":5}]"#),
        ("an empty list", "[]"),
        ("a number", "5"),
        ("a text", r#""uid""#),
        ("null", "null"),
        ("true", "true"),
        ("a form", "uid=5"),
        ("cut off", r#"{"uid":5"#),
        ("only a bracket", "{"),
        ("more behind it", r#"{"uid":5}{"uid":5}"#),
        ("other quotes", "{'uid':5}"),
        ("no quotes", "{uid:5}"),
        ("a comma too many", r#"{"uid":5,}"#),
        ("a comment", r#"{"uid":5/*5*/}"#),
        ("NaN", r#"{"uid":NaN}"#),
        ("hex", r#"{"uid":0x5}"#),
        ("a zero in front", r#"{"uid":05}"#),
        ("half a mark", "\u{fef}{\"uid\":5}"),
        ("half an escape", r#"{"uid":5,"a":"\ud80"}"#),
        ("a raw newline", "{\"uid\":\"5\n\"}"),
    ];
    let rows = rows.map(|(name, body)| (name, JSON, body.as_bytes().to_vec(), malformed()));
    bodies(rows.to_vec()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_utf_8_is_refused() {
    let utf_16 = "{\"uid\":5}".encode_utf16().flat_map(u16::to_le_bytes);
    bodies(vec![
        ("in JSON", JSON, b"{\"uid\":\"\xff\"}".to_vec(), malformed()),
        (
            "in a name in JSON",
            JSON,
            b"{\"\xff\":5}".to_vec(),
            malformed(),
        ),
        (
            "GBK in JSON",
            JSON,
            b"{\"uid\":\"\xd6\xd0\"}".to_vec(),
            malformed(),
        ),
        (
            "in JSON that no method reads",
            JSON,
            b"{\"uid\":5,\"a\":[\"\xff\"]}".to_vec(),
            malformed(),
        ),
        ("UTF-16", JSON, utf_16.collect(), malformed()),
        ("in a form", FORM, b"a=\xff".to_vec(), malformed()),
        ("in a name in a form", FORM, b"\xff=1".to_vec(), malformed()),
        ("encoded in a form", FORM, b"a=%FF".to_vec(), malformed()),
        (
            "a form without a name",
            None,
            b"\xff\xfe\xfd".to_vec(),
            malformed(),
        ),
        ("noise", JSON, (0..=255).collect(), malformed()),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_another_content_type_is_refused() {
    let part = "--x\r\nContent-Disposition: form-data; name=\"uid\"\r\n\r\n5\r\n--x--\r\n";
    bodies(vec![
        (
            "multipart",
            Some("multipart/form-data; boundary=x"),
            part.into(),
            malformed(),
        ),
        ("text", Some("text/plain"), "uid=5".into(), malformed()),
        (
            "XML",
            Some("application/xml"),
            "<uid>5</uid>".into(),
            malformed(),
        ),
        (
            "nothing",
            Some("multipart/form-data; boundary=x"),
            Vec::new(),
            no_user(),
        ),
        ("only spaces", JSON, b" \r\n\t ".to_vec(), no_user()),
        ("nothing that is JSON", JSON, Vec::new(), no_user()),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_nesting_is_handled() {
    let deep = 8_000;
    let (lists, objects) = ("[".repeat(deep), r#"{"a":"#.repeat(deep));
    let closed = format!("{lists}{}", "]".repeat(deep));
    let closed_objects = format!("{objects}1{}", "}".repeat(deep));
    let within = format!(r#"{{"uid":5,"a":{closed}}}"#);
    bodies(vec![
        ("lists", JSON, lists.into(), malformed()),
        ("lists, closed", JSON, closed.into(), malformed()),
        ("objects", JSON, objects.clone().into(), malformed()),
        (
            "objects, closed, without a user",
            JSON,
            closed_objects.into(),
            no_user(),
        ),
        ("objects as a form", FORM, objects.into(), malformed()),
        ("lists in a valid object", JSON, within.into(), total(0)),
        (
            "not so deep",
            JSON,
            r#"{"a":[[[{"b":[]}]]],"uid":5}"#.into(),
            total(0),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extreme_numbers_are_handled() {
    let nines = "9".repeat(10_000);
    bodies(vec![
        (
            "10,000 digits",
            JSON,
            format!(r#"{{"uid":"{nines}"}}"#).into(),
            no_user(),
        ),
        (
            "a number of 300 digits",
            JSON,
            format!(r#"{{"uid":{}}}"#, &nines[..300]).into(),
            no_user(),
        ),
        (
            "a fraction of 10,000 digits",
            JSON,
            format!(r#"{{"uid":5.1{nines}}}"#).into(),
            no_user(),
        ),
        ("a tiny number", JSON, r#"{"uid":5e-400}"#.into(), no_user()),
        ("a huge number", JSON, r#"{"uid":1e400}"#.into(), no_user()),
        (
            "NUL in a number",
            JSON,
            r#"{"uid":"5\u0000"}"#.into(),
            no_user(),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unusual_parameter_names_are_handled() {
    let many: String = (0..2000).map(|i| format!(r#""p{i}":{i},"#)).collect();
    let same = r#""uid":6,"#.repeat(2000);
    bodies(vec![
        (
            "NUL in a name",
            JSON,
            r#"{"\u0000":1,"uid":5}"#.into(),
            total(0),
        ),
        ("an empty name", JSON, r#"{"":1,"uid":5}"#.into(), total(0)),
        (
            "escaped names and digits",
            JSON,
            r#"{"\u0075id":"\u0035"}"#.into(),
            total(0),
        ),
        (
            "a pair of halves",
            JSON,
            r#"{"a":"\ud83d\ude00","uid":5}"#.into(),
            total(0),
        ),
        (
            "a name twice",
            JSON,
            r#"{"uid":5,"uid":"x"}"#.into(),
            total(0),
        ),
        (
            "a name twice, bad first",
            JSON,
            r#"{"uid":"x","uid":5}"#.into(),
            no_user(),
        ),
        (
            "null first",
            JSON,
            r#"{"uid":null,"uid":5}"#.into(),
            no_user(),
        ),
        (
            "2,000 names",
            JSON,
            format!(r#"{{{many}"uid":5}}"#).into(),
            total(0),
        ),
        (
            "one name 2,000 times",
            JSON,
            format!(r#"{{{same}"uid":"x"}}"#).into(),
            total(0),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_is_no_utf_8_is_refused() {
    let gateway = TestGateway::start().await;
    let signed = signed_query("app.yohocoin.total");
    for bad in [
        "%FF",
        "%C3%28",
        "%C0%AF",
        "%ED%A0%80",
        "%E4%B8",
        "%F4%90%80%80",
        "%d6%d0",
    ] {
        for query in [
            format!("{signed}&uid={bad}"),
            format!("{signed}&{bad}=1"),
            bad.to_owned(),
            format!("method={bad}"),
        ] {
            assert_eq!(gateway.get(&query).await, malformed(), "{query}");
            assert_eq!(
                gateway.post("", FORM, query.clone()).await,
                malformed(),
                "{query}"
            );
        }
        still_works(&gateway, bad).await;
    }
}

/// Nobody has proved who sent it, so query and form are bounded before they are decoded, sorted and hashed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_and_form_are_bounded() {
    let gateway = TestGateway::start().await;
    // The signature sorts the names: client_type, method, p…, private_key, uid.
    let query = |more: &str| {
        let text = format!(
            "client_type=android&method=app.yohocoin.total&{more}&private_key=k-android&uid=5"
        );
        format!(
            "uid=5&{more}&method=app.yohocoin.total&client_type=android&client_secret={}",
            md5(&text)
        )
    };
    let parameters = |count: usize| {
        let more: Vec<String> = (0..count - 4).map(|i| format!("p{i:04}={i}")).collect();
        query(&more.join("&"))
    };
    let bytes = |count: usize| query(&format!("p={}", "1".repeat(count - query("p=").len())));
    for (sent, answer) in [
        (parameters(256), total(0)),
        (parameters(257), malformed()),
        (parameters(4000), malformed()),
        (bytes(60_000), total(0)),
        (bytes(64 << 10), total(0)),
        ("a&".repeat(257), malformed()),
    ] {
        let size = sent.len();
        // The HTTP parser reads no longer URLs.
        if size <= 60_000 {
            assert_eq!(gateway.get(&sent).await, answer, "{size} bytes of query");
        }
        let form = gateway.post("", FORM, sent.clone()).await;
        assert_eq!(form, answer, "{size} bytes of form");
    }
    let too_large = (413, r#"{"code":413,"message":"请求体过大"}"#.to_owned());
    let longer = gateway.post("", FORM, bytes((64 << 10) + 1)).await;
    assert_eq!(longer, too_large);
    let mebibyte = gateway.post("", FORM, "a&".repeat(1 << 19)).await;
    assert_eq!(mebibyte, too_large);
    // Both together, and repetitions, count.
    let (sent, form) = (parameters(256), "uid=5".to_owned());
    assert_eq!(gateway.post(&sent, FORM, form).await, malformed());
    let repeated = format!("{}&{}", parameters(4 + 1), "uid=6&".repeat(252));
    assert_eq!(gateway.get(&repeated).await, malformed());
    still_works(&gateway, "large requests").await;
}

/// A control character inside a value is signed like any other character, but not stored: such a reference or message is invalid. (At
/// the end of a value those up to U+0020 are white space to Java's trim, by which clients sign.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_with_control_characters_counts_as_absent() {
    let gateway = TestGateway::start().await;
    let table = r#"
        reference   | get {"uid":6,"num":1,"type":18,"referenceId":"a\u0000b"} | 405 referenceId不能为空
        order       | subtract {"uid":6,"num":-1,"type":19,"orderCode":"\u0000"} | 406 orderCode不能为空
        order       | return {"uid":6,"num":1,"type":22,"orderCode":"A\u0000"} | 406 orderCode不能为空
        escape      | get {"uid":6,"num":1,"type":18,"referenceId":"a\u001b[2Jb"} | 405 referenceId不能为空
        line        | subtract {"uid":6,"num":-1,"type":19,"orderCode":"a\nb"} | 406 orderCode不能为空
        delete      | return {"uid":6,"num":1,"type":22,"orderCode":"a\u007fb"} | 406 orderCode不能为空
        C1          | get {"uid":6,"num":1,"type":18,"referenceId":"a\u009bb"} | 405 referenceId不能为空
        message     | get {"uid":6,"num":1,"type":18,"referenceId":"a","message":"\u0000"} | {"currency":"1","uid":6}
        message     | get {"uid":7,"num":1,"type":18,"referenceId":"a","message":"\u001b[2J"} | {"currency":"1","uid":7}
        default     | lists uid=7 | {"coinlist":[{"date":"2026-05-20 11:30:32","key":"a","message":"合格评价a","num":1,"title":"合格评价","type":18}],"limit":20,"page":1,"page_total":1,"total":1}
        queryType   | lists {"uid":6,"queryType":"1\u0000"} | 403 queryType不合法
        day         | lists {"uid":6,"beginTime":"2026-05-2\u0000"} | 402 beginTime不合法
        only a      | lists uid=6 | {"coinlist":[{"date":"2026-05-20 11:30:32","key":"a","message":"合格评价a","num":1,"title":"合格评价","type":18}],"limit":20,"page":1,"page_total":1,"total":1}
    "#;
    gateway.check_table(table).await;
    let (get, reference) = ("app.yohocoin.get", "uid=6&num=1&type=18&referenceId=a\0b");
    let answer = fault(405, "referenceId不能为空");
    assert_eq!(gateway.call(get, reference).await, answer, "in the query");
    assert_eq!(gateway.post_form(get, reference).await, answer, "in a form");
    let method = gateway.call("app.yohocoin.\0total", "uid=5").await;
    assert_eq!(method, fault(501, "method不存在"));
    gateway.audit().await;
}
