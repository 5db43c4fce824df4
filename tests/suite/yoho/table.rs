//! Tables of calls and their exact answers, one call per line.

use crate::test_gateway::{Answer, TestGateway, fault, sealed};

impl TestGateway {
    /// Makes the calls of a table one after the other and compares each answer byte for byte. The lines are:
    ///
    /// - `name | get uid=5&num=1 | {"currency":"1","uid":5}`: a signed GET (a body that opens with `{`: a signed POST)
    ///   of `app.yohocoin.get`, and the data of its success;
    /// - `name | get uid=x | 400 请先登录`: its fault, without data;
    /// - `name | status.add_diamond {"count":1} | 400 user_key不能为空`: a method by its full name, whose message is `ok`;
    /// - `name | total uid=x | sealed 404 uid为空！`: a fault with `alg`, an empty `data` and `md5`;
    /// - `at 2026-12-31 23:59:59`: sets the clock.
    pub async fn check_table(&self, table: &str) {
        let mut calls = 0;
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(time) = line.strip_prefix("at ") {
                self.set_time(time);
                continue;
            }
            let [name, call, answer] = cells(line);
            let (method, parameters) = call.split_once(' ').unwrap_or((call, ""));
            let (wire, message) = match method {
                "total" => ("app.yohocoin.total".to_owned(), "yoho coin total"),
                "overview" => ("app.yoho.yohocoin".to_owned(), "yoho coin total"),
                "lists" => ("app.yohocoin.lists".to_owned(), "yoho coin list"),
                _ if method.contains('.') => (method.to_owned(), "ok"),
                _ => (format!("app.yohocoin.{method}"), "ok"),
            };
            let answered = match parameters.starts_with('{') {
                true => self.post_json(&wire, parameters.to_owned()).await,
                false => self.call(&wire, parameters).await,
            };
            assert_eq!(answered, expected(answer, message), "{name}: {call}");
            calls += 1;
        }
        assert!(calls > 0, "an empty table");
    }
}

/// The cells of a line, separated by `|`; panics unless there are `N`.
pub fn cells<const N: usize>(line: &str) -> [&str; N] {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    cells.try_into().expect(line)
}

fn expected(answer: &str, message: &str) -> Answer {
    if answer.starts_with('{') {
        return sealed(200, answer, message);
    }
    let (with_data, refusal) = match answer.strip_prefix("sealed ") {
        Some(refusal) => (true, refusal),
        None => (false, answer),
    };
    let (code, message) = refusal.split_once(' ').unwrap();
    let code = code.parse().unwrap();
    if with_data {
        sealed(code, "{}", message)
    } else {
        fault(code, message)
    }
}
