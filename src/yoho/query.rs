//! Reads parameters from the query, from a form body, and from a JSON body.

use crate::gateway::dialect::Request;
use crate::gateway::form;
use crate::gateway::parameters::Parameters;

/// Reads the parameters that `client_secret` covers, those of the query and then of the form, and separates a JSON body, which it
/// does not cover. Returns `None` if a text is not UTF-8 or the body is neither a form nor JSON.
///
/// Some of the document's clients send JSON under a form's content type, so a body that starts with `{` is JSON under any content
/// type.
pub fn read<'a>(request: &Request<'a>) -> Option<(Parameters, Option<&'a [u8]>)> {
    let mut parameters = Parameters::default();
    form::read(request.query.as_bytes(), &mut parameters)?;
    let body = request.body.trim_ascii();
    let content_type = request.headers.get("content-type").unwrap_or_default();
    let content_type = content_type.to_ascii_lowercase();
    if body.is_empty() {
        return Some((parameters, None));
    }
    if body.starts_with(b"{") || content_type.contains("json") {
        return Some((parameters, Some(body)));
    }
    if !content_type.is_empty() && !content_type.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    form::read(body, &mut parameters)?;
    Some((parameters, None))
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
        let (parameters, json) = read(&request)?;
        let texts = parameters
            .texts()
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
    }
}
