//! The open platform's protocol as far as the benchmark uses it: signed envelopes and their expected answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// The OpenId of the partner.
pub(crate) const OPEN_ID: &str = "partner-of-the-gateway-benchmark";
/// The GrantCode of its envelopes.
pub(crate) const GRANT_CODE: &str = "code-of-the-gateway-benchmark";
/// The key of its Tokens.
pub(crate) const SECRET: &str = "secret-of-the-gateway-benchmark";
/// The Action that it calls.
pub(crate) const ACTION: &str = "user.user-points-records";
/// Rows per page.
pub(crate) const ROWS: usize = 10;
/// The placeholder for an unknown digit in an expected answer.
pub(crate) const ANY_DIGIT: u8 = 0;

/// A row of a member's history: points for a review.
pub(crate) struct Row {
    /// The balance before.
    pub(crate) previous: i64,
    /// The points earned.
    pub(crate) points: i64,
    /// The reference of the review.
    pub(crate) reference: String,
}

/// The request for the newest rows of a member; `timestamp` is in seconds since 1970 UTC.
pub(crate) fn records_request(uid: i64, timestamp: u64, nonce: u64) -> Vec<u8> {
    let token = token(&format!(
        "GrantCode={GRANT_CODE}&Nonce={nonce}&OpenId={OPEN_ID}&Timestamp={timestamp}"
    ));
    let params = format!(r#"{{"user_id":{uid},"page_size":{ROWS}}}"#);
    let body = [
        ("OpenId", OPEN_ID),
        ("GrantCode", GRANT_CODE),
        ("Timestamp", &timestamp.to_string()),
        ("Nonce", &nonce.to_string()),
        ("Token", &token),
        ("Action", ACTION),
    ]
    .map(|(name, value)| format!(r#""{name}":"{value}","#))
    .concat();
    let body = format!(r#"{{{body}"Params":{params}}}"#);
    format!(
        "POST /api/v2 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: gateway-bench\r\nAccept: */*\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The answer to [`records_request`] for a member with these rows, newest first; the digits of their times are open.
pub(crate) fn records_answer(rows: &[Row]) -> Vec<u8> {
    let time = "0000-00-00 00:00:00".replace('0', &char::from(ANY_DIGIT).to_string());
    let json = |row: &Row| {
        let (previous, points, review) = (row.previous, row.points, &row.reference);
        let sums = format!(
            r#""previous_point":{previous},"type":1,"sub_type":0,"sub_name":"","points":{points}"#
        );
        let texts =
            format!(r#""desc":"合格评价","created_at":"{time}","change_text":"合格评价{review}""#);
        format!("{{{sums},{texts}}}")
    };
    let total = rows.len();
    let rows = rows.iter().map(json).collect::<Vec<_>>().join(",");
    let page = format!(r#""current_page":1,"per_page":{ROWS},"last_page":1,"total":{total}"#);
    format!(
        r#"{{"status":true,"code":0,"message":"success","data":{{{page},"item_list":[{rows}]}}}}"#
    )
    .into_bytes()
}

/// The answer to a replayed request.
pub(crate) fn replayed_answer() -> Vec<u8> {
    r#"{"status":false,"code":110005,"message":"Nonce已被使用"}"#.into()
}

/// The Token over a text, form-encoded.
fn token(text: &str) -> String {
    let mut mac =
        Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    let token = STANDARD.encode(mac.finalize().into_bytes());
    form_urlencoded::byte_serialize(token.as_bytes()).collect()
}
