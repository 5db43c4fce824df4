//! The section `[status]`: member status, payments, and what counts as a post or a comment.

use super::reader::{Section, Wrong};
use super::secret::Secret;

/// `[status]`.
#[derive(Clone, Debug)]
pub struct Status {
    /// The public key of Ping++, as PEM; none = its notifications are refused.
    pub pingpp_public_key: Option<Secret>,
    /// Community actions that are posts.
    pub posts: Vec<String>,
    /// Community actions that are comments.
    pub comments: Vec<String>,
    /// The assets in which a payer is credited the amount of a payment.
    pub award: Vec<String>,
}

/// Reads `[status]`.
pub(super) fn status(section: &mut Section<'_, '_>) -> Option<Status> {
    let pingpp_public_key = section.optional_secret("pingpp_public_key");
    let report = section.section("report", |section| {
        let what = "the name of a community action";
        let posts = section.list("posts", what, action);
        let comments = section.list("comments", what, action);
        Some((posts?, comments?))
    });
    let award = section.section("pay", |section| section.section("award", award));
    let (posts, comments) = report?;
    Some(Status {
        pingpp_public_key: pingpp_public_key?,
        posts,
        comments,
        award: award?,
    })
}

/// `{ diamond = "amount" }`: one key for each asset.
fn award(section: &mut Section<'_, '_>) -> Option<Vec<String>> {
    let assets: Vec<String> = section.entries.keys().cloned().collect();
    let mut good = Vec::with_capacity(assets.len());
    for asset in &assets {
        let amount = section.parsed(asset, "\"amount\"", |text| match text {
            "amount" if super::osx::is_asset(asset) => Ok(asset.clone()),
            "amount" => Err(Wrong::Because(format!(
                "is no asset's name: that is {}",
                super::osx::ASSET
            ))),
            _ => Err(Wrong::NotOne),
        });
        good.extend(amount);
    }
    (good.len() == assets.len()).then_some(good)
}

fn action(text: &str) -> Result<String, Wrong> {
    match text.is_empty() || text.contains(char::is_whitespace) {
        true => Err(Wrong::NotOne),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{good, read};

    fn bad(text: &str) -> String {
        read(text, &[]).expect_err("is refused").to_string()
    }

    #[test]
    fn payments_are_off_by_default() {
        let status = good("", &[]).status;
        assert!(status.pingpp_public_key.is_none());
        assert!(status.award.is_empty());
        assert_eq!(status.posts, ["osapi_com_sendThread"]);
        assert_eq!(
            status.comments,
            ["osapi_com_postAdd_thread", "osapi_com_postAdd_post"]
        );
    }

    #[test]
    fn it_is_read() {
        let text = "[status]\npingpp_public_key_env = 'KEY'\n[status.report]\nposts = ['a', 'b']\ncomments = []\n\
                    [status.pay]\naward = { diamond = 'amount', coin = 'amount' }";
        let status = good(text, &[("KEY", "pem")]).status;
        let key = status.pingpp_public_key.unwrap();
        assert_eq!(key.reveal(), "pem");
        assert_eq!(status.posts, ["a", "b"]);
        assert!(status.comments.is_empty());
        assert_eq!(status.award, ["coin", "diamond"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_eq!(
            bad(
                "[status.pay]\naward = { diamond = 'all', Coin = 'amount', exp = 5 }\n[status.report]\nposts = ['']"
            ),
            "gateway.toml:2: [status.pay.award] Coin: is no asset's name: that is 1 to 16 of a-z, 0-9 and _, \
             beginning with a letter\n\
             gateway.toml:2: [status.pay.award] diamond: must be \"amount\"\n\
             gateway.toml:2: [status.pay.award] exp: must be a string, not an integer: \"amount\"\n\
             gateway.toml:4: [status.report] posts: entry 1: must be the name of a community action"
        );
    }
}
