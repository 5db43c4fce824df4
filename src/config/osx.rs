//! The section `[osx]`: the community platform, its scores, and the rules by which actions score.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use regex_lite::Regex;

use super::limits;
use super::reader::{Invalid, Section};
use super::secret::Secret;

/// `[osx]`.
#[derive(Clone, Debug)]
pub struct Osx {
    /// The keys that the platform signs with; `None` = every request is refused.
    pub keys: Option<Keys>,
    /// The networks from which requests are accepted; empty = all.
    pub from: Vec<IpNet>,
    /// The most points that all actions of a local day may bring together; `None` = no limit.
    pub max_points_per_day: Option<i64>,
    /// How far ahead the `endtimestamp` of a request may be.
    pub max_ahead: Duration,
    /// Parameters of the callback URL that the platform signs beside its own.
    pub callback_parameters: Vec<String>,
    /// The meaning of the parameter `user_token`.
    pub user_token: UserToken,
    /// The form of a user token, which matches it as a whole; `None` = any.
    pub user_token_pattern: Option<Regex>,
    /// The assets of score1 to score9, in this order.
    pub scores: [String; SCORES],
    /// The rules by the name of their action.
    pub rules: BTreeMap<String, Rule>,
}

/// The number of scores of the platform.
pub const SCORES: usize = 9;

/// `app_key` and `app_secret`, which are set together.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The public id of the application, of 1 to 255 characters without spaces.
    pub app_key: String,
    /// The key that signs its requests.
    pub app_secret: Secret,
    /// The previous key, accepted too while the platform changes over.
    pub previous_app_secret: Option<Secret>,
}

/// The meaning of the parameter `user_token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserToken {
    /// The user_key of a member: the name on the community and the health platform.
    UserKey,
    /// The uid of a member: the number in the shop.
    Uid,
}

/// `[[osx.rules]]`: the scores of one action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The scores of the acting user, as (index from 0, points); negative points are taken. No entry is zero.
    pub user: Vec<(usize, i64)>,
    /// The scores of the other user, likewise.
    pub to_user: Vec<(usize, i64)>,
    /// How often a day the action scores for one acting user; `None` = always.
    pub daily_max: Option<i64>,
    /// The text of the rows in a member's history, of 1 to 255 characters on one line.
    pub message: Option<String>,
}

/// The most characters of an action, a message or the app_key.
const MAX_CHARS: usize = 255;
/// The largest absolute value of points in a rule, and the largest daily_max.
const MAX_AMOUNT: i64 = 1_000_000_000;

/// The largest max_ahead_seconds: the platform retries for 32 hours.
const MAX_AHEAD_SECONDS: i64 = 30 * 86_400;
/// The parameters that the platform itself sends, beside those of [`callback_parameter`]'s range.
const OWN_PARAMETERS: [&str; 9] = [
    "user_token",
    "to_user_token",
    "to_id",
    "action",
    "action_token",
    "appKey",
    "token",
    "sign",
    "endtimestamp",
];

/// Reads `[osx]`.
pub(super) fn osx(section: &mut Section<'_, '_>) -> Option<Osx> {
    let expected = format!("1 to {MAX_CHARS} characters without spaces");
    let app_secret = section.optional_secret("app_secret");
    let previous = section.optional_secret("previous_app_secret");
    let app_key = match section.has("app_key") {
        true => section.parsed("app_key", &expected, token).map(Some),
        false => Some(None),
    };
    let keys = match (app_key, app_secret) {
        (Some(Some(app_key)), Some(Some(app_secret))) => previous.map(|previous_app_secret| {
            Some(Keys {
                app_key,
                app_secret,
                previous_app_secret,
            })
        }),
        (Some(None), Some(None)) if !matches!(previous, Some(Some(_))) => Some(None),
        (Some(None), Some(None)) => {
            let message = "must be set together with app_secret".to_owned();
            section.error("previous_app_secret", section.location.clone(), message)
        }
        (Some(_), Some(_)) => {
            let message = "must be set together with app_secret".to_owned();
            section.error("app_key", section.location.clone(), message)
        }
        // `section` has recorded the error.
        (None, _) | (_, None) => None,
    };
    let from = limits::from(section);
    let max_points_per_day = limits::max_points_per_day(section);
    let max_ahead = section.integer("max_ahead_seconds", 60..=MAX_AHEAD_SECONDS);
    let expected = "a parameter's name: 1 to 255 characters without spaces";
    let callback_parameters = section.list("callback_parameters", expected, callback_parameter);
    let user_token_pattern = match section.has("user_token_pattern") {
        true => section
            .parsed("user_token_pattern", "a regular expression", pattern)
            .map(Some),
        false => Some(None),
    };
    let choices = [("user_key", UserToken::UserKey), ("uid", UserToken::Uid)];
    let user_token = section.choice("user_token", &choices);
    let scores = section.section("scores", scores);
    let mut rules = BTreeMap::new();
    let all = section.tables("rules", |section| {
        let (action, rule) = rule(section)?;
        if rules.insert(action, rule).is_none() {
            return Some(());
        }
        let message = "another rule has the same action".to_owned();
        section.error("action", section.location.clone(), message)
    });
    all?;
    Some(Osx {
        keys: keys?,
        from: from?,
        max_points_per_day: max_points_per_day?,
        max_ahead: Duration::from_secs(max_ahead?),
        callback_parameters: callback_parameters?,
        user_token: user_token?,
        user_token_pattern: user_token_pattern?,
        scores: scores?,
        rules,
    })
}

/// The name of a signed parameter of the callback URL. Values are signed in the order of their names, without separators, so nothing
/// may stand between the secret and the ten digits of the time.
fn callback_parameter(name: &str) -> Result<String, Invalid> {
    if OWN_PARAMETERS.contains(&name) {
        let reason = format!("{name:?} is a parameter of the platform's own");
        return Err(Invalid::Because(reason));
    }
    if ("appSecret".."endtimestamp").contains(&name) {
        let reason = format!(
            "{name:?} sorts between appSecret and endtimestamp, so its value could be taken for a part of the time; rename it in \
             the callback URL"
        );
        return Err(Invalid::Because(reason));
    }
    token(name)
}

fn pattern(text: &str) -> Result<Regex, Invalid> {
    let whole = Regex::new(&format!(r"\A(?:{text})\z"));
    whole.map_err(|error| Invalid::Because(format!("must be a regular expression: {error}")))
}

fn scores(section: &mut Section<'_, '_>) -> Option<[String; SCORES]> {
    let expected = format!("the name of an asset: {ASSET_NAME}");
    let names: Vec<String> = (1..=SCORES)
        .filter_map(|number| section.parsed(&format!("score{number}"), &expected, asset))
        .collect();
    names.try_into().ok()
}

fn rule(section: &mut Section<'_, '_>) -> Option<(String, Rule)> {
    let expected = format!("the name of an action: 1 to {MAX_CHARS} characters without spaces");
    let action = section.parsed("action", &expected, token);
    let user = points(section, "user");
    let to_user = points(section, "to_user");
    let daily_max = match section.has("daily_max") {
        true => section.integer("daily_max", 1..=MAX_AMOUNT).map(Some),
        false => Some(None),
    };
    let expected = format!("1 to {MAX_CHARS} characters on one line");
    let message = match section.has("message") {
        true => section.parsed("message", &expected, line).map(Some),
        false => Some(None),
    };
    let rule = Rule {
        user: user?,
        to_user: to_user?,
        daily_max: daily_max?,
        message: message?,
    };
    Some((action?, rule))
}

/// Reads an optional table of points, such as `{ score1 = 10, score2 = -5 }`.
fn points(section: &mut Section<'_, '_>, key: &str) -> Option<Vec<(usize, i64)>> {
    if !section.has(key) {
        return Some(Vec::new());
    }
    section.section(key, |section| {
        section.hint("the scores are score1 to score9");
        let mut points = Vec::new();
        for index in 0..SCORES {
            let score = format!("score{}", index + 1);
            if section.has(&score) {
                points.push((index, section.integer(&score, -MAX_AMOUNT..=MAX_AMOUNT)?));
            }
        }
        points.retain(|(_, amount)| *amount != 0);
        Some(points)
    })
}

fn token(text: &str) -> Result<String, Invalid> {
    match text.contains(char::is_whitespace) {
        true => Err(Invalid::Malformed),
        false => line(text),
    }
}

fn line(text: &str) -> Result<String, Invalid> {
    let blank = text.trim().is_empty() || text.contains(char::is_control);
    if blank || text.chars().nth(MAX_CHARS).is_some() {
        return Err(Invalid::Malformed);
    }
    Ok(text.to_owned())
}

/// The form of an asset name, for error messages.
pub(super) const ASSET_NAME: &str = "1 to 16 characters of a-z, 0-9 and _, starting with a letter";

/// Whether `text` is a valid asset name; [`ASSET_NAME`] says which are.
pub(super) fn is_asset(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 16
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn asset(text: &str) -> Result<String, Invalid> {
    match is_asset(text) {
        true => Ok(text.to_owned()),
        false => Err(Invalid::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{good, read};

    use super::*;

    fn errors(text: &str) -> String {
        read(text, &[]).expect_err("should be refused").to_string()
    }

    #[test]
    fn it_is_off_by_default_and_has_rules() {
        let osx = good("", &[]).osx;
        assert!(osx.keys.is_none());
        assert_eq!(osx.user_token, UserToken::UserKey);
        let scores = [
            "exp", "fly", "buy", "gong", "one", "two", "three", "four", "five",
        ];
        assert_eq!(osx.scores, scores);
        for action in [
            "osapi_com_sendThread",
            "osapi_com_postAdd_thread",
            "osapi_com_postAdd_post",
            "osapi_com_deleteCom_user",
            "osapi_common_doSupport_thread",
            "osapi_common_doDelSupport_thread",
            "osapi_common_collect",
            "osapi_common_delCollect",
            "osapi_user_follow_yes",
            "osapi_user_follow_no",
            "osapi_user_qiandao",
            "admin_com_management_essence",
            "admin_com_thread_delete",
        ] {
            let rule = &osx.rules[action];
            assert!(
                !rule.user.is_empty() || !rule.to_user.is_empty(),
                "{action}"
            );
            assert!(rule.message.is_some(), "{action}");
        }
    }

    /// An action that undoes another one takes the same points back, as often a day as they can be earned.
    #[test]
    fn the_rules_undo_each_other() {
        let rules = good("", &[]).osx.rules;
        for (done, undone) in [
            ("osapi_com_sendThread", "osapi_com_deleteCom_user"),
            (
                "osapi_common_doSupport_thread",
                "osapi_common_doDelSupport_thread",
            ),
            ("osapi_common_collect", "osapi_common_delCollect"),
            ("osapi_user_follow_yes", "osapi_user_follow_no"),
        ] {
            let (done, undone) = (&rules[done], &rules[undone]);
            let negated = |points: &[(usize, i64)]| -> Vec<(usize, i64)> {
                points
                    .iter()
                    .map(|(score, amount)| (*score, -amount))
                    .collect()
            };
            assert_eq!(negated(&done.user), undone.user);
            assert_eq!(negated(&done.to_user), undone.to_user);
            assert_eq!(done.daily_max, undone.daily_max);
        }
    }

    #[test]
    fn it_is_read() {
        let text = "[osx]\napp_key = 'k'\napp_secret = 's'\nuser_token = 'uid'\n\
                    [osx.scores]\nscore2 = 'coin'\n\
                    [[osx.rules]]\naction = 'a'\nuser = { score1 = 10, score9 = -5, score3 = 0 }\n\
                    daily_max = 3\nmessage = '发帖 奖励'\n\
                    [[osx.rules]]\naction = 'b'\nto_user.score2 = 1\n";
        let osx = good(text, &[]).osx;
        let keys = osx.keys.unwrap();
        assert_eq!((&*keys.app_key, keys.app_secret.reveal()), ("k", "s"));
        assert_eq!(osx.user_token, UserToken::Uid);
        assert_eq!((&*osx.scores[0], &*osx.scores[1]), ("exp", "coin"));
        let a = Rule {
            user: vec![(0, 10), (8, -5)],
            to_user: Vec::new(),
            daily_max: Some(3),
            message: Some("发帖 奖励".to_owned()),
        };
        let b = Rule {
            to_user: vec![(1, 1)],
            ..Rule::default()
        };
        let rules = BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
        assert_eq!(
            osx.rules, rules,
            "the rules above replace the committed ones"
        );
        assert!(good("osx.rules = []", &[]).osx.rules.is_empty());
    }

    #[test]
    fn errors_name_their_lines() {
        assert_eq!(
            errors("[osx]\napp_key = 'k'"),
            "gateway.toml:1: [osx] app_key: must be set together with app_secret"
        );
        assert_eq!(
            errors("[osx]\nuser_token = 'name'\n[osx.scores]\nscore1 = 'Exp'\nscore10 = 'x'"),
            "gateway.toml:2: [osx] user_token: must be one of \"user_key\", \"uid\"\n\
             gateway.toml:4: [osx.scores] score1: must be the name of an asset: 1 to 16 characters of a-z, 0-9 and _, \
             starting with a letter\n\
             gateway.toml:5: [osx.scores] score10: unknown key; did you mean \"score1\"?"
        );
        assert_eq!(
            errors(
                "[[osx.rules]]\naction = 'a'\nuser = { score0 = 1 }\ndaily_max = 0\n\
                 [[osx.rules]]\naction = 'b'\n[[osx.rules]]\naction = 'b'"
            ),
            "gateway.toml:3: [osx.rules.1.user] score0: unknown key; the scores are score1 to score9\n\
             gateway.toml:4: [osx.rules.1] daily_max: must be an integer from 1 to 1000000000\n\
             gateway.toml:7: [osx.rules.3] action: another rule has the same action"
        );
    }
}
