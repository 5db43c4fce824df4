//! The community's protocol as far as the benchmark uses it: signed callbacks and their expected answers.

use crate::protocol::hex_md5;

/// The key of the application.
pub(crate) const APP_KEY: &str = "app-of-the-gateway-benchmark";
/// The secret that signs its callbacks.
pub(crate) const APP_SECRET: &str = "community-secret-of-the-gateway-benchmark";
/// The action whose rule earns points.
pub(crate) const ACTION: &str = "bench_post";
/// The points that the action scores.
pub(crate) const POINTS: i64 = 5;

/// The callback for an action of a user, valid until `end` (seconds since 1970 UTC).
pub(crate) fn action_request(user: i64, token: &str, end: u64) -> Vec<u8> {
    // Sorted by name: action, action_token, appKey, appSecret, endtimestamp, to_id, to_user_token, user_token.
    let signed = format!("{ACTION}{token}{APP_KEY}{APP_SECRET}{end}00{user}");
    let sign = hex_md5(&[signed.as_bytes()]);
    format!(
        "GET /userActionNotify?user_token={user}&to_user_token=0&to_id=0&action={ACTION}&action_token={token}\
         &appKey={APP_KEY}&endtimestamp={end}&sign={sign} HTTP/1.1\r\n\
         Host: 127.0.0.1\r\nUser-Agent: gateway-bench\r\nAccept: */*\r\n\r\n"
    )
    .into_bytes()
}

/// The answer to [`action_request`]; `balance` is the balance after it.
pub(crate) fn action_answer(user: i64, token: &str, balance: i64) -> Vec<u8> {
    format!(
        r#"{{"code":200,"msg":"ok","data":{{"action_token":"{token}","user_info":{{"user_token":"{user}","score2":"{balance}"}},"userInfo":{{}}}}}}"#
    )
    .into_bytes()
}
