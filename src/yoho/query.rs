//! Reads parameters from the query, from a form body, and from a JSON body.

use crate::gateway::dialect::Request;
use crate::gateway::form;
use crate::gateway::json;
use crate::gateway::parameters::Pair;

/// Reads the parameters of the query.
///
/// Returns `None` if a text is not UTF-8, or if the query is too large.
pub fn read<'a>(request: &Request<'a>) -> Option<Vec<Pair<'a>>> {
    let mut pairs = Vec::with_capacity(16);
    form::read(request.query.as_bytes(), &mut pairs)?;
    Some(pairs)
}

/// Appends the parameters of a form body to those of the query, or returns a JSON body, which `client_secret` does not cover.
/// Returns `None` if a text is not UTF-8, if the body is neither a form nor JSON, or if query and form together are too large.
///
/// Some of the document's clients send JSON under a form's content type, so a body that starts with `{` is JSON under any content
/// type.
pub fn read_body<'a>(request: &Request<'a>, pairs: &mut Vec<Pair<'a>>) -> Option<Option<&'a [u8]>> {
    let body = json::without_mark(request.body).trim_ascii();
    if body.is_empty() {
        return Some(None);
    }
    let content_type = request.headers.get("content-type").unwrap_or_default();
    let content_type = content_type.to_ascii_lowercase();
    if body.starts_with(b"{") || content_type.contains("json") {
        return Some(Some(body));
    }
    let is_form =
        content_type.is_empty() || content_type.starts_with("application/x-www-form-urlencoded");
    if !is_form || request.query.len() + body.len() > form::MAX_SIZE {
        return None;
    }
    form::read(body, pairs)?;
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::context::RequestId;

    fn decoded(
        query: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Option<(Vec<(String, String)>, bool)> {
        let id = RequestId::new("r1").unwrap();
        let headers = content_type.map(|kind| [("Content-Type", kind)]);
        let request = Request {
            id: &id,
            now: 0,
            path: "",
            query,
            headers: match &headers {
                Some(headers) => headers,
                None => &[] as &[(&str, &str); 0],
            },
            body,
            addresses: &[],
        };
        let mut pairs = read(&request)?;
        let json = read_body(&request, &mut pairs)?;
        let texts = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Some((texts, json.is_some()))
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|&(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn query_then_form() {
        let form = Some("application/x-www-form-urlencoded; charset=UTF-8");
        let both = pairs(&[("a", "1"), ("b", "x y"), ("a", "2"), ("c", "")]);
        assert_eq!(decoded("a=1&b=x+y", form, b"a=2&c"), Some((both, false)));
        assert_eq!(
            decoded("", None, b"\xef\xbb\xbfa=%E4%B8%80%2B"),
            Some((pairs(&[("a", "一+")]), false))
        );
        assert_eq!(
            decoded("", None, b"a=%E4%B8%80%2B"),
            Some((pairs(&[("a", "一+")]), false))
        );
        assert_eq!(
            decoded("&&a==b&", None, b""),
            Some((pairs(&[("a", "=b")]), false))
        );
    }

    #[test]
    fn json_is_found_and_not_signed() {
        for kind in [
            Some("application/json"),
            Some("application/x-www-form-urlencoded"),
            None,
        ] {
            assert_eq!(
                decoded("a=1", kind, b" {\"b\":1}"),
                Some((pairs(&[("a", "1")]), true))
            );
        }
        assert_eq!(
            decoded("", Some("application/json"), b"nonsense"),
            Some((vec![], true))
        );
    }

    #[test]
    fn what_is_neither() {
        assert_eq!(decoded("a=%FF", None, b""), None);
        assert_eq!(decoded("", None, b"a=\xff"), None);
        assert_eq!(
            decoded("", Some("multipart/form-data; boundary=x"), b"--x"),
            None
        );
        assert_eq!(decoded("", Some("text/plain"), b"a=1"), None);
        let half = "a".repeat(form::MAX_SIZE / 2);
        assert!(decoded(&half, None, half.as_bytes()).is_some());
        assert_eq!(decoded(&half, None, format!("{half}a").as_bytes()), None);
    }
}
