//! Decodes form-URL-encoded text: a query or the body of a form.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::parameters::{Parameters, Raw};

/// Appends the parameters of a form. Returns `None` if a decoded name or value is not UTF-8.
pub fn read(form: &[u8], parameters: &mut Parameters) -> Option<()> {
    for pair in form
        .split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
    {
        let at = pair.iter().position(|&byte| byte == b'=');
        let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
        parameters.push(decode(name)?, Raw::Text(decode(value)?));
    }
    Some(())
}

fn decode(text: &[u8]) -> Option<String> {
    let spaced: Cow<'_, [u8]> = match text.contains(&b'+') {
        true => text
            .iter()
            .map(|&byte| if byte == b'+' { b' ' } else { byte })
            .collect::<Vec<_>>()
            .into(),
        false => text.into(),
    };
    percent_decode(&spaced)
        .decode_utf8()
        .ok()
        .map(Cow::into_owned)
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
    }
}
