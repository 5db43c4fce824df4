//! `client_secret`: what is signed, with which key, and the faults that precede the choice of a method.

use super::table::cells;
use crate::test_gateway::{ANDROID_KEY, Answer, TestGateway, client_secret, fault, md5, sealed};

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const JSON: Option<&str> = Some("application/json");

/// A gateway in which user 5 has 5 coins and user 6 has 6, so that an answer shows whose it is.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::start().await;
    let table = r#"
        five | get uid=5&num=5&type=18&referenceId=a | {"currency":"5","uid":5}
        six  | get uid=6&num=6&type=18&referenceId=a | {"currency":"6","uid":6}
    "#;
    gateway.check_table(table).await;
    gateway
}

fn total(coins: i64) -> Answer {
    let data = format!(r#"{{"code":"20111130-152530","total":{coins}}}"#);
    sealed(200, &data, "yoho coin total")
}

fn forged() -> Answer {
    fault(500, "数据验证错误.")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_test_vector_is_accepted() {
    let gateway = TestGateway::start().await;
    let text = "app_version=3.8.2&client_type=android&method=app.yohocoin.total&private_key=k-android&uid=50030141";
    assert_eq!(md5(text), "ad2ff50506daf9b8e947a95f801bc409");
    let query = "method=app.yohocoin.total&uid=50030141&client_type=android&app_version=3.8.2\
                 &client_secret=ad2ff50506daf9b8e947a95f801bc409";
    assert_eq!(gateway.get(query).await, total(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_or_wrong_signature_is_refused() {
    let gateway = gateway().await;
    // A name, the query after method and uid, and the fault's message, empty for a success.
    let table = r#"
        no secret                  | client_type=android                               | 缺少client_secret
        empty secret               | client_type=android&client_secret=                | 缺少client_secret
        first secret empty         | client_type=android&client_secret=&client_secret=RIGHT | 缺少client_secret
        neither                    |                                                   | 缺少client_secret
        no platform                | client_secret=RIGHT                               | 不接受此平台
        empty platform             | client_type=&client_secret=RIGHT                  | 不接受此平台
        unknown platform           | client_type=windows&client_secret=RIGHT           | 不接受此平台
        its empty key              | client_type=windows&client_secret=EMPTY           | 不接受此平台
        without a key              | client_type=windows&client_secret=NONE            | 不接受此平台
        mismatch                   | client_type=android&client_secret=0123456789abcdef0123456789abcdef | 数据验证错误.
        another platform's key     | client_type=android&client_secret=IPHONE          | 数据验证错误.
        one character too many     | client_type=android&client_secret=RIGHT0          | 数据验证错误.
        51 characters              | client_type=android&client_secret=RIGHT0123456789012345678 | 数据验证错误.
        one more parameter         | client_type=android&client_secret=RIGHT&x=1       | 数据验证错误.
        a space in front           | client_type=android&client_secret=+RIGHT          | 数据验证错误.
        another uid                | client_type=android&client_secret=SIX             | 数据验证错误.
        this one is right          | client_type=android&client_secret=RIGHT           |
    "#;
    let text = "client_type=android&method=app.yohocoin.total&private_key=k-android&uid=5";
    let windows = "client_type=windows&method=app.yohocoin.total&private_key=&uid=5";
    let secrets = [
        ("RIGHT", md5(text)),
        ("SIX", md5(&text.replace("uid=5", "uid=6"))),
        ("IPHONE", md5(&text.replace("k-android", "k-iphone"))),
        ("EMPTY", md5(windows)),
        ("NONE", md5(&windows.replace("&private_key=", ""))),
    ];
    for line in table.lines().filter(|line| line.contains('|')) {
        let [name, query, message] = cells(line);
        let mut query = query.to_owned();
        for (placeholder, secret) in &secrets {
            query = query.replace(placeholder, secret);
        }
        let answer = match message {
            "" => total(5),
            message => fault(500, message),
        };
        let query = format!("method=app.yohocoin.total&uid=5&{query}");
        assert_eq!(gateway.get(&query).await, answer, "{name}: {query}");
        let (query, form) = query.split_once('&').unwrap();
        let posted = gateway.post(query, FORM, form.to_owned()).await;
        assert_eq!(posted, answer, "{name}, in a form: {form}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_signature_covers_sorted_decoded_parameters() {
    let gateway = gateway().await;
    // A name, the query without method and secret, and the text that is signed.
    let table = r#"
        ANDROID                | client_type=ANDROID&uid=5               | client_type=ANDROID&METHOD&KEY&uid=5
        iPhone                 | client_type=iPhone&uid=5                | client_type=iPhone&METHOD&private_key=k-iphone&uid=5
        another order          | uid=5&client_type=android               | client_type=android&METHOD&KEY&uid=5
        q, debug_data, /api    | client_type=android&uid=5&q=1&debug_data=2&%2Fapi=3&/api=4 | client_type=android&METHOD&KEY&uid=5
        only these very names  | client_type=android&uid=5&Q=1&api=2     | Q=1&api=2&client_type=android&METHOD&KEY&uid=5
        the first uid counts   | client_type=android&uid=5&uid=6         | client_type=android&METHOD&KEY&uid=5
        by bytes               | client_type=android&uid=5&a=1&B=2&_=3&%E4%B8%AD=4 | B=2&_=3&a=1&client_type=android&METHOD&KEY&uid=5&中=4
        trimmed, then sorted   | client_type=android&uid=5&%09x=+1+2+%0A | client_type=android&METHOD&KEY&uid=5&x= 1 2
        as pairs, not as parts | client_type=android&uid=5&x+=1          | client_type=android&METHOD&KEY&uid=5&x =1
        the same without value | client_type=android&uid=5&x+=           | client_type=android&METHOD&KEY&uid=5&x =
        plus is a space        | client_type=android&uid=5&x=1+2         | client_type=android&METHOD&KEY&uid=5&x=1 2
        %2B is a plus          | client_type=android&uid=5&x=1%2B2       | client_type=android&METHOD&KEY&uid=5&x=1+2
        percent                | client_type=android&uid=5&x=100%25&y=%2541 | client_type=android&METHOD&KEY&uid=5&x=100%&y=%41
        a bare percent         | client_type=android&uid=5&x=%zz&y=%     | client_type=android&METHOD&KEY&uid=5&x=%zz&y=%
        & and = in a value     | client_type=android&uid=5&x=a%26b%3Dc   | client_type=android&METHOD&KEY&uid=5&x=a&b=c
        = not encoded          | client_type=android&uid=5&x=a=b         | client_type=android&METHOD&KEY&uid=5&x=a=b
        Chinese                | client_type=android&uid=5&x=%E4%B8%AD%E6%96%87 | client_type=android&METHOD&KEY&uid=5&x=中文
        empty values           | client_type=android&uid=5&x=&y&z=+      | client_type=android&METHOD&KEY&uid=5&x=&y=&z=
        empty pairs            | &&client_type=android&&uid=5&           | client_type=android&METHOD&KEY&uid=5
        one's own private_key  | client_type=android&uid=5&private_key=mine | client_type=android&METHOD&KEY&uid=5
        another debug word     | client_type=android&uid=5&debug=xyz     | client_type=android&debug=xyz&METHOD&KEY&uid=5
    "#;
    for line in table.lines().filter(|line| line.contains('|')) {
        let [name, query, text] = cells(line);
        let text = text.replace("METHOD", "method=app.yohocoin.total");
        let text = text.replace("KEY", "private_key=k-android");
        for secret in [md5(&text), md5(&text).to_uppercase()] {
            let signed = format!("method=app.yohocoin.total&client_secret={secret}&{query}");
            assert_eq!(gateway.get(&signed).await, total(5), "{name}: {signed}");
            let posted = gateway.post("", FORM, signed.clone()).await;
            assert_eq!(posted, total(5), "{name}, in a form: {signed}");
        }
        let other = md5(&text.replace("uid=5", "uid=6"));
        let forgery = format!("method=app.yohocoin.total&client_secret={other}&{query}");
        assert_eq!(gateway.get(&forgery).await, forged(), "{name}: {forgery}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_key_in_the_request_is_ignored() {
    let gateway = gateway().await;
    for (sent, key) in [
        ("private_key=mine", "mine"),
        ("private_key=", ""),
        ("private_key", ""),
    ] {
        let text = format!("client_type=android&method=app.yohocoin.total&private_key={key}&uid=5");
        let query = format!(
            "{sent}&method=app.yohocoin.total&client_type=android&uid=5&client_secret={}",
            md5(&text)
        );
        assert_eq!(gateway.get(&query).await, forged(), "{query}");
        assert_eq!(
            gateway.post("", FORM, query.clone()).await,
            forged(),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_come_from_query_then_form_then_json() {
    let gateway = gateway().await;
    // A name, the query without its method, the body's type, the body, and the total or the fault's message.
    let table = r#"
        the query before a form | client_type=android&client_secret=FIVE&uid=5 | FORM | uid=6     | 5
        a form is signed        | client_type=android&client_secret=FIVE       | FORM | uid=5     | 5
        a form is signed        | client_type=android&client_secret=BARE       | FORM | uid=5     | 数据验证错误.
        a form by its full name | client_type=android&client_secret=FIVE       | APPLICATION/X-WWW-FORM-URLENCODED; charset=UTF-8 | uid=5 | 5
        a form by no name       | client_type=android&client_secret=FIVE       |      | uid=5     | 5
        JSON is not signed      | client_type=android&client_secret=BARE       | JSON | {"uid":5} | 5
        JSON is not signed      | client_type=android&client_secret=FIVE       | JSON | {"uid":5} | 数据验证错误.
        JSON by another name    | client_type=android&client_secret=BARE       | text/json; charset=utf-8 | {"uid":"6"} | 6
        JSON by a form's name   | client_type=android&client_secret=BARE       | FORM | {"uid":6} | 6
        JSON by no name         | client_type=android&client_secret=BARE       |      | {"uid":6} | 6
        the query before JSON   | client_type=android&client_secret=FIVE&uid=5 | JSON | {"uid":6} | 5
        also an empty one       | client_type=android&client_secret=NONE&uid=  | JSON | {"uid":6} | uid为空！
        the first in JSON       | client_type=android&client_secret=BARE       | JSON | {"uid":6,"uid":5} | 6
        a secret in JSON        | client_type=android                          | JSON | {"uid":5,"client_secret":"BARE"} | 缺少client_secret
        a platform in JSON      | client_secret=BARE                           | JSON | {"uid":5,"client_type":"android"} | 不接受此平台
    "#;
    let text = "client_type=android&method=app.yohocoin.total&private_key=k-android";
    let (bare, five, none) = (
        md5(text),
        md5(&format!("{text}&uid=5")),
        md5(&format!("{text}&uid=")),
    );
    let table = table
        .replace("BARE", &bare)
        .replace("FIVE", &five)
        .replace("NONE", &none);
    for line in table.lines().filter(|line| line.contains('|')) {
        let [name, query, kind, body, answer] = cells(line);
        let kind = match kind {
            "" => None,
            "FORM" => FORM,
            "JSON" => JSON,
            kind => Some(kind),
        };
        let answer = match answer {
            "5" => total(5),
            "6" => total(6),
            "uid为空！" => sealed(404, "{}", "uid为空！"),
            message => fault(500, message),
        };
        let query = format!("method=app.yohocoin.total&{query}");
        let answered = gateway.post(&query, kind, body.to_owned()).await;
        assert_eq!(answered, answer, "{name}: {query} {body}");
    }
    for body in [r#"{"uid":6}"#, r#" {"uid":"6"} "#] {
        assert_eq!(
            gateway.post_json("app.yohocoin.total", body).await,
            total(6),
            "{body}"
        );
    }
    assert_eq!(
        gateway.post_form("app.yohocoin.total", "uid=6").await,
        total(6)
    );
}

/// The original checks no length, and its own clients exceed those of the document. Only what is stored is limited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_stores_has_no_limit() {
    let gateway = gateway().await;
    let long = "一".repeat(500);
    for more in [
        "app_version=4.1.0.1603120001",
        "screen_size=1080.000000x1920.000000 and a half!!",
        "os_version=Android 6.0.1 HUAWEI NEXT-AL10 HUAWEINEXT",
        &format!("udid={long}&v={long}"),
    ] {
        let parameters = format!("uid=5&{more}");
        assert_eq!(
            gateway.call("app.yohocoin.total", &parameters).await,
            total(5),
            "{parameters}"
        );
        let form = gateway.post_form("app.yohocoin.total", &parameters).await;
        assert_eq!(form, total(5), "{parameters}");
        let (name, value) = more.split_once('=').unwrap();
        let json = format!(r#"{{"uid":5,"{name}":"{value}"}}"#);
        let answered = gateway.post_json("app.yohocoin.total", json.clone()).await;
        assert_eq!(answered, total(5), "{json}");
    }
    let stored = format!("uid=5&num=1&type=17&referenceId={long}");
    let answered = gateway.call("app.yohocoin.get", &stored).await;
    assert_eq!(answered, fault(500, "参数长度不合法:referenceId"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_methods_are_refused_after_the_signature() {
    let gateway = gateway().await;
    let unknown = || fault(501, "method不存在");
    for method in [
        "app.yohocoin.none",
        "APP.yohocoin.total",
        " app.yohocoin.total",
        "app.yohocoin",
        "/",
    ] {
        assert_eq!(gateway.call(method, "uid=5").await, unknown(), "{method:?}");
        assert_eq!(
            gateway.post_form(method, "uid=5").await,
            unknown(),
            "{method:?}"
        );
    }
    let absent = fault(501, "缺少method");
    assert_eq!(gateway.call("", "uid=5").await, absent, "empty");
    let secret = md5("client_type=android&private_key=k-android&uid=5");
    let query = format!("client_type=android&uid=5&client_secret={secret}");
    assert_eq!(gateway.get(&query).await, absent, "absent");
    assert_eq!(
        gateway.post("", FORM, query).await,
        absent,
        "absent from a form"
    );

    let forgery = "method=app.none&client_type=android&client_secret=0";
    assert_eq!(
        gateway.get(forgery).await,
        forged(),
        "the signature comes first"
    );
    assert_eq!(
        gateway.get("client_type=android&client_secret=0").await,
        forged()
    );
}

/// What is no MD5 is refused before anything is hashed; white space around one is trimmed as everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_has_the_form_of_an_md5() {
    let gateway = gateway().await;
    let parameters = [
        ("method", "app.yohocoin.total"),
        ("uid", "5"),
        ("client_type", "android"),
    ];
    let secret = client_secret(&parameters, ANDROID_KEY);
    let send = async |secret: &str| {
        let query = "method=app.yohocoin.total&uid=5&client_type=android";
        gateway
            .get(&format!("{query}&client_secret={secret}"))
            .await
    };
    for end in ["", "%00", "%0A", "%20", "+", "%E3%80%80"] {
        assert_eq!(send(&format!("{secret}{end}")).await, total(5), "{end}");
    }
    assert_eq!(send(&secret.to_uppercase()).await, total(5));
    let longer = format!("{secret}0");
    for bad in [&secret[..31], &longer, &"g".repeat(32), "0", "%E4%B8%80"] {
        assert_eq!(send(bad).await, forged(), "{bad}");
    }
    let unknown = "method=app.yohocoin.total&uid=5&client_type=windows&client_secret";
    for (secret, answer) in [("", "缺少client_secret"), ("0", "不接受此平台")] {
        let query = format!("{unknown}={secret}");
        assert_eq!(gateway.get(&query).await, fault(500, answer), "{secret}");
    }
}
