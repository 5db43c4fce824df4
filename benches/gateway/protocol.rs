//! YOHO's protocol as far as the benchmark uses it: signed requests and their expected answers.

use md5::{Digest, Md5};

/// The salt of `md5` in answers, shared by all servers of a run.
pub(crate) const SALT: &str = "salt-of-the-gateway-benchmark";
/// The private key of `client_type=android`.
pub(crate) const PRIVATE_KEY: &str = "key-of-the-gateway-benchmark";
/// The content type of answers.
pub(crate) const CONTENT_TYPE: &str = "application/json;charset=UTF-8";

/// The request for the balance of a member.
pub(crate) fn total_request(uid: i64) -> Vec<u8> {
    let uid = uid.to_string();
    request(vec![
        ("client_type", "android"),
        ("method", "app.yohocoin.total"),
        ("uid", &uid),
    ])
}

/// The answer to [`total_request`].
pub(crate) fn total_answer(balance: i64) -> Vec<u8> {
    let data = format!(r#"{{"code":"20111130-152530","total":{balance}}}"#);
    sealed(&data, "yoho coin total")
}

/// The request that gives a member coins for a review.
pub(crate) fn get_request(uid: i64, num: i64, reference: &str) -> Vec<u8> {
    let (uid, num) = (uid.to_string(), num.to_string());
    request(vec![
        ("client_type", "android"),
        ("method", "app.yohocoin.get"),
        ("num", &num),
        ("referenceId", reference),
        ("type", "18"),
        ("uid", &uid),
    ])
}

/// The answer to [`get_request`]; `balance` is the balance after it.
pub(crate) fn get_answer(uid: i64, balance: i64) -> Vec<u8> {
    let data = format!(r#"{{"currency":"{balance}","uid":{uid}}}"#);
    sealed(&data, "ok")
}

/// The `client_secret` of these parameters.
pub(crate) fn client_secret(params: &[(&str, &str)]) -> String {
    let mut params = params.to_vec();
    params.push(("private_key", PRIVATE_KEY));
    params.sort_unstable();
    let pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={}", value.trim()))
        .collect();
    hex_md5(&[pairs.join("&").as_bytes()])
}

/// A GET of `/gateway` with signed parameters. No value may need URL encoding.
fn request(params: Vec<(&str, &str)>) -> Vec<u8> {
    let secret = client_secret(&params);
    let query: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let query = query.join("&");
    format!(
        "GET /gateway?{query}&client_secret={secret} HTTP/1.1\r\n\
         Host: 127.0.0.1\r\nUser-Agent: gateway-bench\r\nAccept: */*\r\n\r\n"
    )
    .into_bytes()
}

fn sealed(data: &str, message: &str) -> Vec<u8> {
    let md5 = hex_md5(&[SALT.as_bytes(), b":", data.as_bytes()]);
    format!(r#"{{"alg":"SALT_MD5","code":200,"data":{data},"md5":"{md5}","message":"{message}"}}"#)
        .into_bytes()
}

/// The MD5 of the concatenated parts, as lower-case hex.
pub(crate) fn hex_md5(parts: &[&[u8]]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    let nibble = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('?');
    let mut hex = String::with_capacity(32);
    for byte in md5.finalize() {
        hex.push(nibble(byte >> 4));
        hex.push(nibble(byte & 15));
    }
    hex
}
