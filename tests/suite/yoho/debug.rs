//! QA's `debug` parameter: who may skip the signature with it, and that it skips nothing else.

use crate::test_gateway::{Answer, TestGateway, fault, sealed};

fn balance() -> Answer {
    let data = r#"{"code":"20111130-152530","total":0}"#;
    sealed(200, data, "yoho coin total")
}

fn no_secret() -> Answer {
    fault(500, "缺少client_secret")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_replaces_the_signature_from_this_machine() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("debug", "debug=XYZ", balance()),
        (
            "debug and a wrong secret",
            "debug=XYZ&client_type=android&client_secret=0",
            balance(),
        ),
        (
            "debug and no known platform",
            "debug=XYZ&client_type=windows&client_secret=0",
            balance(),
        ),
        ("the first counts", "debug=XYZ&debug=abc", balance()),
        ("the first counts", "debug=abc&debug=XYZ", no_secret()),
        ("no debug", "", no_secret()),
        ("empty", "debug=", no_secret()),
        ("another", "debug=abc", no_secret()),
        ("small letters", "debug=xyz", no_secret()),
        ("debug and more", "debug=XYZ+", no_secret()),
        ("another name", "Debug=XYZ", no_secret()),
        (
            "not instead of a right secret",
            "debug=abc&client_type=android&client_secret=0",
            fault(500, "数据验证错误."),
        ),
    ];
    for (name, value, answer) in rows {
        let query = format!("method=app.yohocoin.total&uid=5&{value}");
        assert_eq!(gateway.get(&query).await, answer, "{name}: {query}");
    }
    let query = "method=app.yohocoin.total&uid=5";
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(
        gateway.post(query, form, "debug=XYZ").await,
        balance(),
        "in a form"
    );
    let json = gateway.post(query, Some("application/json"), r#"{"debug":"XYZ"}"#);
    assert_eq!(json.await, no_secret(), "in JSON");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_configured_debug_the_parameter_means_nothing() {
    let gateway = TestGateway::with_config("[yoho]\ndebug = \"\"").await;
    for value in ["debug=XYZ", "debug=", "debug"] {
        let query = format!("method=app.yohocoin.total&uid=5&{value}");
        assert_eq!(gateway.get(&query).await, no_secret(), "{value}");
    }
    let signed = gateway.call("app.yohocoin.total", "uid=5&debug=XYZ").await;
    assert_eq!(signed, balance(), "signed like any other");

    let gateway = TestGateway::with_config("[yoho]\ndebug = \"质检\"").await;
    assert_eq!(
        gateway.call_with_debug("app.yohocoin.total", "uid=5").await,
        no_secret()
    );
    let query = "method=app.yohocoin.total&uid=5&debug=%E8%B4%A8%E6%A3%80";
    assert_eq!(gateway.get(query).await, balance(), "another value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_is_accepted_from_configured_addresses_only() {
    let rows = [
        (r#"["192.0.2.0/24"]"#, no_secret()),
        (r#"["127.0.0.2"]"#, no_secret()),
        (r#"["::1"]"#, no_secret()),
        ("[]", no_secret()),
        (r#"["192.0.2.0/24", "127.0.0.1"]"#, balance()),
        (r#"["::ffff:127.0.0.1"]"#, balance()),
    ];
    for (from, answer) in rows {
        let gateway = TestGateway::with_config(&format!("[yoho]\ndebug_from = {from}")).await;
        let answered = gateway.call_with_debug("app.yohocoin.total", "uid=5").await;
        assert_eq!(answered, answer, "debug_from = {from}");
    }
}

const QUERY: &str = "method=app.yohocoin.total&uid=5&debug=XYZ";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_is_refused_through_an_unknown_proxy() {
    let gateway = TestGateway::start().await;
    assert_eq!(gateway.get(QUERY).await, balance(), "without a header");
    for header in [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", ""),
        ("x-real-ip", "127.0.0.1"),
        ("X-REAL-IP", "::1"),
        ("Forwarded", "for=127.0.0.1"),
        ("Forwarded", "proto=https"),
    ] {
        let answered = gateway.get_with(QUERY, &[header]).await;
        assert_eq!(answered, no_secret(), "{header:?}");
    }
    let signed = crate::test_gateway::signed_query("app.yohocoin.total");
    let answered = gateway
        .get_with(&signed, &[("X-Forwarded-For", "203.0.113.9")])
        .await;
    assert_eq!(
        answered,
        sealed(404, "{}", "uid为空！"),
        "a signature counts from anywhere"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_uses_the_address_that_a_trusted_proxy_names() {
    let gateway = TestGateway::with_config("[server]\ntrusted_proxies = [\"127.0.0.1\"]").await;
    let rows: [(&[(&str, &str)], Answer); 17] = [
        (&[], balance()),
        (&[("X-Forwarded-For", "127.0.0.1")], balance()),
        (&[("X-Forwarded-For", "127.0.0.9")], balance()),
        (&[("X-Forwarded-For", "::1")], balance()),
        (&[("X-Forwarded-For", "203.0.113.9, 127.0.0.9")], balance()),
        (&[("X-Real-IP", "127.0.0.1")], balance()),
        (&[("Forwarded", "for=127.0.0.1")], balance()),
        (
            &[("Forwarded", "for=\"[::1]:4711\";proto=https")],
            balance(),
        ),
        (&[("X-Forwarded-For", "203.0.113.9")], no_secret()),
        (
            &[("X-Forwarded-For", "127.0.0.1, 203.0.113.9")],
            no_secret(),
        ),
        (
            &[("X-Forwarded-For", "203.0.113.9, 127.0.0.1")],
            no_secret(),
        ),
        (
            &[
                ("X-Forwarded-For", "127.0.0.1"),
                ("X-Forwarded-For", "203.0.113.9"),
            ],
            no_secret(),
        ),
        (&[("X-Forwarded-For", "unknown")], no_secret()),
        (&[("X-Real-IP", "203.0.113.9")], no_secret()),
        (&[("Forwarded", "for=203.0.113.9")], no_secret()),
        (
            &[
                ("Forwarded", "for=127.0.0.1"),
                ("X-Forwarded-For", "203.0.113.9"),
            ],
            no_secret(),
        ),
        (
            &[
                ("X-Real-IP", "127.0.0.1"),
                ("X-Forwarded-For", "203.0.113.9"),
            ],
            no_secret(),
        ),
    ];
    for (headers, answer) in rows {
        assert_eq!(
            gateway.get_with(QUERY, headers).await,
            answer,
            "{headers:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_skips_nothing_but_the_signature() {
    let gateway = TestGateway::start().await;
    let rows = [
        ("app.yohocoin.total", "uid=", sealed(404, "{}", "uid为空！")),
        ("app.yohocoin.get", "num=1", fault(400, "请先登录")),
        (
            "app.yohocoin.get",
            "uid=5&num=0",
            fault(402, "获取的有货币不合法"),
        ),
        (
            "app.yohocoin.get",
            "uid=5&num=1&type=1",
            fault(403, "type不合法"),
        ),
        (
            "app.yohocoin.get",
            "uid=5&num=1&type=17",
            fault(405, "referenceId不能为空"),
        ),
        (
            "app.yohocoin.subtract",
            "uid=5&num=-1&type=19&orderCode=A",
            fault(407, "有货币不足"),
        ),
        (
            "app.yohocoin.return",
            "uid=5&num=1&type=22&orderCode=A",
            fault(409, "订单未使用有货币"),
        ),
        ("app.none", "uid=5", fault(501, "method不存在")),
        ("", "uid=5", fault(501, "缺少method")),
    ];
    for (method, parameters, answer) in rows {
        let answered = gateway.call_with_debug(method, parameters).await;
        assert_eq!(answered, answer, "{method} {parameters}");
    }
    // The example of the protocol's document.
    let body =
        r#"{ "uid": 50030199, "num": 100, "type": 18, "referenceId": 123456789, "pid": 11111111 }"#;
    let answered = gateway
        .post("method=app.yohocoin.get&debug=XYZ", None, body)
        .await;
    assert_eq!(
        answered,
        sealed(200, r#"{"currency":"100","uid":50030199}"#, "ok")
    );
}

/// The word of the documents is public, so it opens no gateway that has keys of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_built_in_word_works_only_with_the_sample_keys() {
    let query = "method=app.yohocoin.total&uid=5&debug=XYZ";
    let own_keys = TestGateway::with_config("# no debug = \n").await;
    assert_eq!(own_keys.get(query).await, no_secret());
    let named = TestGateway::with_config("[yoho]\ndebug = 'XYZ'\n").await;
    assert_eq!(named.get(query).await, balance());
    let samples = TestGateway::with_samples("[yoho]\nsalt = 'fake-salt'\n# no debug =\n").await;
    assert_eq!(samples.get(query).await, balance());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_calls_its_methods_and_is_counted() {
    let methods = "debug_methods = ['app.yohocoin.total', 'status.*']";
    let gateway = TestGateway::with_config(&format!("[yoho]\n{methods}\n")).await;
    let call = async |query: &str| gateway.get(&format!("{query}&debug=XYZ")).await;
    assert_eq!(call("method=app.yohocoin.total&uid=5").await, balance());
    let lists = call("method=app.yohocoin.lists&uid=5").await;
    assert_eq!(lists, fault(506, "无权调用此method"));
    let (_, metrics) = gateway.get_path("/metrics").await;
    assert!(
        metrics.contains("pointgate_debug_requests_total 2\n"),
        "{metrics}"
    );
}
