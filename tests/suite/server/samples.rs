//! Sample secrets, which everybody knows, are for this machine alone: a proxy on it must not publish them.

use crate::program::{ProgramDir, text};
use crate::test_gateway::TestGateway;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarded_request_is_refused() {
    let samples = TestGateway::with_samples("").await;
    let own = TestGateway::start().await;
    let text = "示例密钥不接受代理转发的请求";
    for (path, refusal) in [
        (
            "/gateway?a=1",
            format!(r#"{{"code":403,"message":"{text}"}}"#),
        ),
        (
            "/api/v2",
            format!(r#"{{"status":false,"code":110006,"message":"{text}"}}"#),
        ),
        (
            "/userActionNotify?a=1",
            format!(r#"{{"code":403,"msg":"error","data":"{text}"}}"#),
        ),
    ] {
        for header in [
            "X-Forwarded-For",
            "x-real-ip",
            "Forwarded",
            "X-Forwarded-Proto",
            "Via",
        ] {
            let headers = [(header, "192.0.2.1")];
            let answer = samples.get_path_with(path, &headers).await;
            assert_eq!(answer, (403, refusal.clone()), "{path} {header}");
            let answer = own.get_path_with(path, &headers).await;
            assert_ne!(answer.1, refusal, "{path} {header} with own secrets");
        }
        let (_, answer) = samples.get_path(path).await;
        assert_ne!(answer, refusal, "{path} without a proxy");
    }
}

#[test]
fn a_trusted_proxy_stops_the_start() {
    let dir = ProgramDir::with_config("[server]\ntrusted_proxies = ['127.0.0.1']\n");
    let out = dir.run(&["check-config"]);
    assert!(!out.status.success());
    let output = text(&out.stderr);
    let error = "gateway.toml:2: [server] trusted_proxies: must be empty while settings hold sample secrets";
    assert!(output.contains(error), "{output}");
}
