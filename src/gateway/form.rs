//! Decodes form-URL-encoded text: a query or the body of a form.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::parameters::Pair;

/// The largest number of parameters in a request's query and form together.
const MAX_PAIRS: usize = 256;
/// The largest size of a request's query and form together (bytes), before decoding.
pub const MAX_SIZE: usize = 64 << 10;

/// Appends the decoded pairs of a form, in their order. Returns `None` if a decoded name or value is not UTF-8, if the form exceeds
/// [`MAX_SIZE`], or if there are more than 256 pairs: the sender of a form is not authenticated yet.
pub fn read<'a>(form: &'a [u8], pairs: &mut Vec<Pair<'a>>) -> Option<()> {
    if form.len() > MAX_SIZE {
        return None;
    }
    let parts = form.split(|&byte| byte == b'&');
    for pair in parts.filter(|pair| !pair.is_empty()) {
        if pairs.len() == MAX_PAIRS {
            return None;
        }
        let at = pair.iter().position(|&byte| byte == b'=');
        let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
        pairs.push((decode(name)?, decode(value)?));
    }
    Some(())
}

fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
    if !text.iter().any(|byte| b"+%".contains(byte)) {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    let spaced: Vec<u8> = text
        .iter()
        .map(|&byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    let decoded = percent_decode(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(decoded.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_comes_back() {
        for text in ["", "a b+c&d=e%f", "一", "-_.*~/?"] {
            let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            assert_eq!(decode(encoded.as_bytes()).as_deref(), Some(text));
        }
        assert_eq!(decode(b"%FF"), None);
        assert_eq!(decode(b"\xff"), None);
    }

    #[test]
    fn a_form_has_bounds() {
        let read = |form: &str| super::read(form.as_bytes(), &mut Vec::new()).is_some();
        assert!(read(&"a&".repeat(MAX_PAIRS)));
        assert!(!read(&"a&".repeat(MAX_PAIRS + 1)));
        assert!(read(&"a".repeat(MAX_SIZE)));
        assert!(!read(&"a".repeat(MAX_SIZE + 1)));
        let mut pairs = Vec::new();
        assert!(super::read(b"a&b", &mut pairs).is_some());
        assert!(super::read("a&".repeat(MAX_PAIRS - 1).as_bytes(), &mut pairs).is_none());
    }
}
