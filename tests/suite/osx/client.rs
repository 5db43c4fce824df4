//! A client of the community platform, written from protocols.md part 3. It shares no code with the gateway.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::test_gateway::{Answer, TestGateway, md5};

/// The platform's keys, and rules whose scores are easy to tell apart.
pub const COMMUNITY: &str = "
[osx]
app_key = 'testappkey'
app_secret = 'testsecret'
[[osx.rules]]
action = 'post'
message = '发帖奖励'
user = { score1 = 10, score2 = 5 }
[[osx.rules]]
action = 'unpost'
message = '删除帖子'
user = { score1 = -10, score2 = -5 }
[[osx.rules]]
action = 'like'
user = { score1 = 1 }
to_user = { score2 = 2, score4 = 3 }
daily_max = 2
";

/// Encodes and signs a query given unencoded: `user_token=a&to_id=5`.
pub fn sign_query(parameters: &str) -> String {
    let pairs = parameters.split('&').filter(|pair| !pair.is_empty());
    let pairs: Vec<(&str, &str)> = pairs.map(|pair| pair.split_once('=').unwrap()).collect();
    let mut values: BTreeMap<&str, &str> = pairs.iter().copied().collect();
    assert_eq!(values.len(), pairs.len(), "a repeated name");
    values.insert("appSecret", "testsecret");
    let sign = md5(&values.into_values().collect::<String>());
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    format!("{}&sign={sign}", pairs.join("&"))
}

/// Signs the query of an action, valid until the Unix time `end` (seconds). `a>b 5 post t1`: user `a` did `post` to object 5 of
/// user `b`, with the token `t1`. `0` stands for no user and no object.
pub fn sign_action(call: &str, end: i64) -> String {
    let words: Vec<&str> = call.split(' ').collect();
    let [users, object, action, token] = words[..] else {
        panic!("{call}");
    };
    let (user, other) = users.split_once('>').unwrap_or((users, "0"));
    sign_query(&format!(
        "user_token={user}&to_user_token={other}&to_id={object}&action={action}&action_token={token}\
         &appKey=testappkey&endtimestamp={end}"
    ))
}

/// The answer to a successful call.
pub fn ok(data: &str) -> Answer {
    (200, format!(r#"{{"code":200,"msg":"ok","data":{data}}}"#))
}

/// The answer to a refused call: the platform expects code 200 here too.
pub fn error(text: &str) -> Answer {
    let body = format!(r#"{{"code":200,"msg":"error","data":"{text}"}}"#);
    (200, body)
}

impl TestGateway {
    /// Starts a gateway with [`COMMUNITY`].
    pub async fn with_community() -> TestGateway {
        TestGateway::with_config(COMMUNITY).await
    }

    /// Sends a signed query that expires in ten minutes.
    pub async fn get_signed(&self, path: &str, parameters: &str) -> Answer {
        let end = self.now() / 1000 + 600;
        let all = format!("{parameters}&appKey=testappkey&endtimestamp={end}");
        self.get_path(&format!("{path}?{}", sign_query(&all))).await
    }

    /// Sends an action in the notation of [`sign_action`].
    pub async fn notify(&self, call: &str) -> Answer {
        let query = sign_action(call, self.now() / 1000 + 600);
        self.get_path(&format!("/userActionNotify?{query}")).await
    }

    /// Sends the actions of a table one after the other and checks each answer. Its lines: `action | data` or `at TIME`, which
    /// sets the clock.
    pub async fn check_actions(&self, table: &str) {
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(time) = line.strip_prefix("at ") {
                self.set_time(time);
                continue;
            }
            let (call, data) = line.split_once('|').expect(line);
            let call = call.trim();
            let token = call.rsplit(' ').next().unwrap();
            let data = format!(
                r#"{{"action_token":"{token}",{},"userInfo":{{}}}}"#,
                data.trim()
            );
            assert_eq!(self.notify(call).await, ok(&data), "{call}");
        }
    }
}
