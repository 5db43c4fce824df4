//! The request signature `client_secret`, as protocols.md part 1 has it.

use crate::config::Secret;
use crate::sign::md5_hex;

/// Query and form parameters that are not signed.
const UNSIGNED: [&str; 4] = ["client_secret", "q", "debug_data", "/api"];

/// Signs decoded query and form parameters with the key of their `client_type`: all but the unsigned ones, and `private_key`, sorted
/// by name, as trimmed `name=value` joined by `&`, in lower-case hex MD5. A repeated name counts with its first value.
pub fn client_secret<'a>(
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
    key: &'a Secret,
) -> String {
    // A client's own `private_key` cannot take the place of the real one.
    let mut signed = vec![("private_key", key.reveal())];
    signed.extend(parameters.filter(|(name, _)| !UNSIGNED.contains(name)));
    // The sort is stable, so the first of equal names stays first.
    signed.sort_by_key(|(name, _)| *name);
    signed.dedup_by_key(|(name, _)| *name);
    let mut text = String::with_capacity(256);
    for (name, value) in signed {
        if !text.is_empty() {
            text.push('&');
        }
        // The pair is trimmed, not its parts: white space beside the `=` stays.
        text.push_str(name.trim_start());
        text.push('=');
        text.push_str(value.trim_end());
    }
    md5_hex(&[text.as_bytes()])
}
