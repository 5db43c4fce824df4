//! The section `[status]`: member status, payments, and the community actions that count as posts or comments.

use super::reader::{Invalid, Section};
use super::secret::Secret;

/// `[status]`.
#[derive(Clone, Debug)]
pub struct Status {
    /// The public key of Ping++, in PEM; `None` = every event is refused.
    pub pingpp_public_key: Option<Secret>,
    /// The community actions that count as posts.
    pub posts: Vec<String>,
    /// The community actions that count as comments.
    pub comments: Vec<String>,
    /// The assets that a payment awards to its payer, one point a cent.
    pub award: Vec<String>,
    /// The ids of the apps of Ping++ whose payments are awarded; empty = any.
    pub apps: Vec<String>,
    /// The currency of the payments that are awarded, such as `cny`; `None` = any.
    pub currency: Option<String>,
}

/// Reads `[status]`.
pub(super) fn status(section: &mut Section<'_, '_>) -> Option<Status> {
    let pingpp_public_key = section.optional_secret("pingpp_public_key");
    let report = section.section("report", |section| {
        let expected = "the name of a community action";
        let posts = section.list("posts", expected, action);
        let comments = section.list("comments", expected, action);
        Some((posts?, comments?))
    });
    let pay = section.section("pay", |section| {
        let award = section.section("award", award);
        let apps = section.list(
            "apps",
            "the id of an app of Ping++, such as \"app_1Gqj58ynP0mHeX1q\"",
            app,
        );
        let currency = match section.has("currency") {
            true => section
                .parsed(
                    "currency",
                    "a currency in three small letters, such as \"cny\"",
                    currency,
                )
                .map(Some),
            false => Some(None),
        };
        Some((award?, apps?, currency?))
    });
    let (posts, comments) = report?;
    let (award, apps, currency) = pay?;
    Some(Status {
        pingpp_public_key: pingpp_public_key?,
        posts,
        comments,
        award,
        apps,
        currency,
    })
}

/// Reads `{ diamond = "amount" }`, which has one key per asset.
fn award(section: &mut Section<'_, '_>) -> Option<Vec<String>> {
    let assets: Vec<String> = section.entries.keys().cloned().collect();
    let mut valid = Vec::with_capacity(assets.len());
    for asset in &assets {
        let amount = section.parsed(asset, "\"amount\"", |text| match text {
            "amount" if super::osx::is_asset(asset) => Ok(asset.clone()),
            "amount" => Err(Invalid::Because(format!(
                "is not the name of an asset: {}",
                super::osx::ASSET_NAME
            ))),
            _ => Err(Invalid::Malformed),
        });
        valid.extend(amount);
    }
    (valid.len() == assets.len()).then_some(valid)
}

fn app(text: &str) -> Result<String, Invalid> {
    match text.starts_with("app_") && !text.contains(char::is_whitespace) {
        true => Ok(text.to_owned()),
        false => Err(Invalid::Malformed),
    }
}

fn currency(text: &str) -> Result<String, Invalid> {
    match text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => Ok(text.to_owned()),
        false => Err(Invalid::Malformed),
    }
}

fn action(text: &str) -> Result<String, Invalid> {
    match text.is_empty() || text.contains(char::is_whitespace) {
        true => Err(Invalid::Malformed),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{good, read};

    fn errors(text: &str) -> String {
        read(text, &[]).expect_err("should be refused").to_string()
    }

    #[test]
    fn payments_are_off_by_default() {
        let status = good("", &[]).status;
        assert!(status.pingpp_public_key.is_none());
        assert!(status.award.is_empty());
        assert!(status.apps.is_empty());
        assert_eq!(status.currency, None);
        assert_eq!(status.posts, ["osapi_com_sendThread"]);
        assert_eq!(
            status.comments,
            ["osapi_com_postAdd_thread", "osapi_com_postAdd_post"]
        );
    }

    #[test]
    fn it_is_read() {
        let text = "[status]\npingpp_public_key_env = 'KEY'\n[status.report]\nposts = ['a', 'b']\ncomments = []\n\
                    [status.pay]\naward = { diamond = 'amount', coin = 'amount' }\n\
                    apps = ['app_1', 'app_2']\ncurrency = 'cny'";
        let status = good(text, &[("KEY", "pem")]).status;
        let key = status.pingpp_public_key.unwrap();
        assert_eq!(key.reveal(), "pem");
        assert_eq!(status.posts, ["a", "b"]);
        assert!(status.comments.is_empty());
        assert_eq!(status.award, ["coin", "diamond"]);
        assert_eq!(status.apps, ["app_1", "app_2"]);
        assert_eq!(status.currency.as_deref(), Some("cny"));
        let variables = [
            ("POINTGATE__STATUS__PAY__APPS", "app_3, app_4"),
            ("POINTGATE__STATUS__PAY__CURRENCY", "usd"),
        ];
        let status = good("", &variables).status;
        assert_eq!(status.apps, ["app_3", "app_4"]);
        assert_eq!(status.currency.as_deref(), Some("usd"));
    }

    #[test]
    fn errors_name_their_lines() {
        assert_eq!(
            errors(
                "[status.pay]\naward = { diamond = 'all', Coin = 'amount', exp = 5 }\napps = ['x', 'app_a b']\ncurrency = 'CNY'\n[status.report]\nposts = ['']"
            ),
            "gateway.toml:2: [status.pay.award] Coin: is not the name of an asset: 1 to 16 characters of a-z, 0-9 and _, \
             starting with a letter\n\
             gateway.toml:2: [status.pay.award] diamond: must be \"amount\"\n\
             gateway.toml:2: [status.pay.award] exp: must be a string, not an integer: \"amount\"\n\
             gateway.toml:3: [status.pay] apps: entry 1: must be the id of an app of Ping++, such as \"app_1Gqj58ynP0mHeX1q\"\n\
             gateway.toml:3: [status.pay] apps: entry 2: must be the id of an app of Ping++, such as \"app_1Gqj58ynP0mHeX1q\"\n\
             gateway.toml:4: [status.pay] currency: must be a currency in three small letters, such as \"cny\"\n\
             gateway.toml:6: [status.report] posts: entry 1: must be the name of a community action"
        );
    }
}
