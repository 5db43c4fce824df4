//! `pointgate entries`: what an origin caused.

use serde_json::Value;

use super::copy::fixture::dirs_on_every_database;
use super::corrections::{call, correct, run};
use crate::program::Program;

/// Only what an origin caused is listed, each time with all of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_origin_caused_is_listed() {
    for dir in dirs_on_every_database() {
        let program = Program::start(&dir, &[]).await;
        let client = program.client();
        for line in ["get 5 100 a", "get 6 7 b", "subtract 5 -30 o1"] {
            call(&client, line).await.unwrap();
        }
        correct(&dir, "adjust uid:5 --asset coin --points 5 --id c").unwrap();
        let list = |more: &str| run(&dir, &format!("entries {more}"), &[]).unwrap();
        let all = "coin/uid:5/1\ncoin/uid:5/2\ncoin/uid:6/1\n";
        for origin in ["yoho", "yoho/android", "yoho/android/current"] {
            assert_eq!(list(&format!("--ids --origin {origin}")), all, "{origin}");
        }
        for none in [
            "yoh",
            "yoho/androi",
            "yoho/android/previous",
            "yoho/",
            "android",
            "YOHO",
        ] {
            assert_eq!(
                list(&format!("--origin {none}")),
                "0 entries, +0 points\n",
                "{none}"
            );
        }
        let by_hand = list("--ids --origin cli");
        assert_eq!(by_hand, "coin/uid:5/3\n");
        let shown = list("--origin yoho/android");
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            lines[1].starts_with("coin/uid:5/2  20") && lines[1].contains("  -30  redeemed  o1  ")
        );
        assert_eq!(lines[3..], ["3 entries, +77 points"]);
        let json = list("--json --origin yoho/android");
        let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&first["entry"], &first["amount"]),
            (&"coin/uid:5/1".into(), &100.into())
        );
        assert!(first["request_id"].is_string() && first["at"].is_i64());
        let day = |day: &str| list(&format!("--ids --origin yoho --from {day} --to {day}"));
        assert_eq!(
            (day("2000-01-01").as_str(), day("2999-12-30").as_str()),
            ("", "")
        );
        assert_eq!(
            list("--ids --origin yoho --from 2000-01-01 --to 2999-12-30"),
            all
        );
    }
}
