//! The section `[openapi]`: the partners of the open platform, with their secrets and permissions.

use std::collections::BTreeSet;
use std::time::Duration;

use super::limits::{self, Limits};
use super::reader::{Invalid, Section};
use super::secret::Secret;

/// `[openapi]`.
#[derive(Clone, Debug)]
pub struct Openapi {
    /// How far the Timestamp of a request may be from the current time, before or after.
    pub window: Duration,
    /// The partners; their OpenIds are unique.
    pub partners: Vec<Partner>,
}

/// `[[openapi.partners]]`.
#[derive(Clone, Debug)]
pub struct Partner {
    /// The OpenId, of 1 to 128 characters without spaces.
    pub open_id: String,
    /// The GrantCode that belongs to the OpenId.
    pub grant_code: Secret,
    /// The key of the Token, an HMAC.
    pub secret: Secret,
    /// The previous key, accepted too while the partner rotates.
    pub previous_secret: Option<Secret>,
    /// The Actions that the partner may call.
    pub allow: Vec<String>,
    /// The fields that the Token covers.
    pub sign: SignedFields,
    /// The networks, the rate and the points.
    pub limits: Limits,
}

/// The fields of a request that its Token covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedFields {
    /// OpenId, GrantCode, Timestamp and Nonce, as the clients of the platform sign.
    Envelope,
    /// The same fields, Action and Params.
    Full,
}

/// The most characters of an OpenId, a GrantCode or an Action.
const MAX_CHARS: usize = 128;

/// Reads `[openapi]`.
pub(super) fn openapi(section: &mut Section<'_, '_>) -> Option<Openapi> {
    let window = section.integer("window_seconds", 1..=86_400);
    let mut seen = BTreeSet::new();
    let partners = match section.has("partners") {
        true => section.tables("partners", |section| {
            let partner = partner(section)?;
            if seen.insert(partner.open_id.clone()) {
                return Some(partner);
            }
            let message = "another partner has the same open_id".to_owned();
            section.error("open_id", section.location.clone(), message)
        }),
        false => Some(Vec::new()),
    };
    Some(Openapi {
        window: Duration::from_secs(window?),
        partners: partners?,
    })
}

fn partner(section: &mut Section<'_, '_>) -> Option<Partner> {
    let expected = format!("1 to {MAX_CHARS} characters without spaces");
    let open_id = section.parsed("open_id", &expected, name);
    let grant_code = section
        .parsed("grant_code", &expected, name)
        .map(Secret::new);
    let secret = section.secret("secret");
    let previous_secret = section.optional_secret("previous_secret");
    let allow = section.list("allow", limits::PATTERN, limits::pattern);
    let limits = limits::limits(section);
    let sign = match section.has("sign") {
        true => section.choice(
            "sign",
            &[
                ("envelope", SignedFields::Envelope),
                ("full", SignedFields::Full),
            ],
        ),
        false => Some(SignedFields::Envelope),
    };
    Some(Partner {
        open_id: open_id?,
        grant_code: grant_code?,
        secret: secret?,
        previous_secret: previous_secret?,
        allow: allow?,
        sign: sign?,
        limits: limits?,
    })
}

fn name(text: &str) -> Result<String, Invalid> {
    let blank = text.is_empty() || text.contains(char::is_whitespace);
    if blank || text.chars().nth(MAX_CHARS).is_some() {
        return Err(Invalid::Malformed);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{good, read};

    use super::*;

    const PARTNER: &str =
        "[[openapi.partners]]\nopen_id = 'o'\ngrant_code = 'g'\nsecret = 's'\nallow = []\n";

    fn errors(text: &str) -> String {
        read(text, &[]).expect_err("should be refused").to_string()
    }

    #[test]
    fn there_are_no_partners_by_default() {
        let openapi = good("", &[]).openapi;
        assert_eq!(openapi.window, Duration::from_secs(300));
        assert!(openapi.partners.is_empty());
    }

    #[test]
    fn partners_are_read() {
        let more = "[[openapi.partners]]\nopen_id = 'p'\ngrant_code = 'h'\nsecret_env = 'NEW'\n\
                    previous_secret_env = 'OLD'\nallow = ['a.b', 'c']\nsign = 'full'\n";
        let text = format!("[openapi]\nwindow_seconds = 5\n{PARTNER}{more}");
        let openapi = good(&text, &[("NEW", "n"), ("OLD", "o")]).openapi;
        assert_eq!(openapi.window, Duration::from_secs(5));
        let [first, second] = &openapi.partners[..] else {
            panic!("{openapi:?}");
        };
        assert_eq!(first.open_id, "o");
        assert_eq!(first.grant_code.reveal(), "g");
        assert_eq!(first.secret.reveal(), "s");
        assert!(first.previous_secret.is_none());
        assert!(first.allow.is_empty());
        assert_eq!(first.sign, SignedFields::Envelope);
        assert_eq!(second.secret.reveal(), "n");
        let previous = second.previous_secret.as_ref().map(Secret::reveal);
        assert_eq!(previous, Some("o"));
        assert_eq!(second.allow, ["a.b", "c"]);
        assert_eq!(second.sign, SignedFields::Full);
        let shown = format!("{openapi:?}");
        assert!(
            !shown.contains("\"g\"") && !shown.contains("\"s\""),
            "{shown}"
        );
    }

    #[test]
    fn a_variable_may_hold_all_partners() {
        let table = "[{open_id='o', grant_code='g', secret='s', allow=['x']}]";
        let config = good(PARTNER, &[("POINTGATE__OPENAPI__PARTNERS", table)]);
        assert_eq!(config.openapi.partners[0].allow, ["x"]);
        assert_eq!(config.openapi.partners.len(), 1);
    }

    #[test]
    fn errors_name_their_lines() {
        assert_eq!(
            errors(&format!("{PARTNER}{PARTNER}")),
            "gateway.toml:6: [openapi.partners.2] open_id: another partner has the same open_id"
        );
        assert_eq!(
            errors(
                "[[openapi.partners]]\nopen_id = 'a b'\nsecrt = 'hush'\nallow = 'all'\nsign = 'no'"
            ),
            "gateway.toml:1: [openapi.partners.1] grant_code: is missing\n\
             gateway.toml:1: [openapi.partners.1] secret: is missing\n\
             gateway.toml:2: [openapi.partners.1] open_id: must be 1 to 128 characters without spaces\n\
             gateway.toml:3: [openapi.partners.1] secrt: unknown key; did you mean \"secret\"?\n\
             gateway.toml:4: [openapi.partners.1] allow: must be a list, not a string; each entry must be the name of a method, or \
             the beginning of names and *\n\
             gateway.toml:5: [openapi.partners.1] sign: must be one of \"envelope\", \"full\""
        );
        assert_eq!(
            errors("[openapi]\nwindow_seconds = 0\npartners = ['x']"),
            "gateway.toml:2: [openapi] window_seconds: must be an integer from 1 to 86400\n\
             gateway.toml:3: [openapi.partners] 1: must be a table, not a string"
        );
        assert_eq!(
            errors("openapi.partners = 5"),
            "gateway.toml:1: [openapi] partners: must be a list of tables, not an integer"
        );
    }
}
