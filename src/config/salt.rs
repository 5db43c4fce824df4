//! The salt of YOHO's responses. Clients verify with one salt at a time, so a change needs a date that they know.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::reader::{Invalid, Section};
use super::secret::Secret;

/// The salt of the field `md5`, and the one that replaces it.
#[derive(Clone, Debug)]
pub struct Salt {
    /// `salt`.
    pub current: Secret,
    /// `next_salt`, with the time from which it holds (ms since 1970 UTC).
    pub next: Option<(Secret, i64)>,
}

impl Salt {
    /// The salt at a time (ms since 1970 UTC).
    pub fn at(&self, now: i64) -> &Secret {
        match &self.next {
            Some((next, from)) if now >= *from => next,
            _ => &self.current,
        }
    }
}

/// Reads `salt`, `next_salt` and `next_salt_from`, which is local time.
pub(super) fn salt(section: &mut Section<'_, '_>, zone: &TimeZone) -> Option<Salt> {
    let current = section.secret("salt");
    let at = ["next_salt", "next_salt_from"].map(|key| section.location_of(key));
    let next = section.optional_secret("next_salt");
    let from = match section.optional("next_salt_from") {
        true => section
            .parsed(
                "next_salt_from",
                "a local time, YYYY-MM-DD HH:MM:SS",
                |text| {
                    let time: DateTime = text.parse().map_err(|_| Invalid::Malformed)?;
                    let time = time.to_zoned(zone.clone());
                    let time = time.map_err(|_| Invalid::Malformed)?;
                    Ok(time.timestamp().as_millisecond())
                },
            )
            .map(Some),
        false => Some(None),
    };
    let next = match (next?, from?) {
        (Some(next), Some(from)) => Some((next, from)),
        (None, None) => None,
        (Some(_), None) => {
            let message = "is missing beside next_salt".to_owned();
            let [at, _] = at;
            return section.error("next_salt_from", at, message);
        }
        (None, Some(_)) => {
            let message = "is missing beside next_salt_from".to_owned();
            let [_, at] = at;
            return section.error("next_salt", at, message);
        }
    };
    let current = current?;
    Some(Salt { current, next })
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{good, read};

    #[test]
    fn a_salt_changes_at_a_local_time() {
        let salt = good("yoho.salt = 'old'", &[]).yoho.salt;
        assert_eq!(salt.at(i64::MAX).reveal(), "old");
        let text =
            "[yoho]\nsalt = 'old'\nnext_salt_env = 'N'\nnext_salt_from = '2027-01-01 00:00:00'";
        let salt = good(text, &[("N", "new")]).yoho.salt;
        // Midnight in Shanghai.
        let from = 1_798_732_800_000;
        assert_eq!(salt.at(from - 1).reveal(), "old");
        assert_eq!(salt.at(from).reveal(), "new");
        assert!(!format!("{salt:?}").contains("new"));
    }

    #[test]
    fn both_parts_of_a_change_are_needed() {
        for (text, error) in [
            (
                "next_salt = 'n'",
                "gateway.toml:1: [yoho] next_salt_from: is missing beside next_salt",
            ),
            (
                "next_salt_from = '2027-01-01 00:00:00'",
                "gateway.toml:1: [yoho] next_salt: is missing beside next_salt_from",
            ),
            (
                "next_salt = 'n'\nyoho.next_salt_from = 'soon'",
                "gateway.toml:2: [yoho] next_salt_from: must be a local time, YYYY-MM-DD HH:MM:SS",
            ),
        ] {
            let errors = read(&format!("yoho.{text}"), &[]).unwrap_err();
            assert_eq!(errors.to_string(), error);
        }
    }
}
