//! `user.user-points-records` in its long and its short form.

use serde_json::{Value, json};

use super::client::{ENVELOPE_SIGNER, declined, fault, success};
use crate::test_gateway::TestGateway;

const RECORDS: &str = "user.user-points-records";

/// A gateway whose user 5 has an entry of each kind: earned, spent in three ways, returned, expired.
async fn history() -> TestGateway {
    let gateway = TestGateway::with_partners().await;
    for (time, method, parameters) in [
        (
            "2026-05-21 08:00:00",
            "subtract",
            "num=-10&type=19&orderCode=624",
        ),
        (
            "2026-05-22 08:00:00",
            "subtract",
            "num=-20&type=20&orderCode=A",
        ),
        (
            "2026-05-23 08:00:00",
            "subtract",
            "num=-30&type=21&orderCode=B&message=满减券",
        ),
        ("2026-05-24 08:00:00", "return", "num=5&type=22&orderCode=A"),
        (
            "2028-02-01 08:00:00",
            "get",
            "num=7&type=17&referenceId=shop",
        ),
    ] {
        gateway.set_time(time);
        let method = format!("app.yohocoin.{method}");
        let (_, body) = gateway.call(&method, &format!("uid=5&{parameters}")).await;
        assert!(body.contains(r#""code":200"#), "{body}");
    }
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_type_the_long_form_is_answered() {
    let gateway = history().await;
    let row = |previous_point: i64,
               sub: (i64, i64),
               sub_name: &str,
               points: i64,
               desc: &str,
               created_at: &str,
               text: &str| {
        format!(
            r#"{{"previous_point":{previous_point},"type":{},"sub_type":{},"sub_name":"{sub_name}","points":{points},"desc":"{desc}","created_at":"{created_at}","change_text":"{text}"}}"#,
            sub.0, sub.1
        )
    };
    let rows = [
        row(
            0,
            (1, 0),
            "",
            7,
            "地点签到",
            "2028-02-01 08:00:00",
            "地点签到shop",
        ),
        row(
            45,
            (2, 0),
            "",
            45,
            "积分过期",
            "2027-12-31 23:59:59",
            "积分过期",
        ),
        row(
            40,
            (1, 0),
            "",
            5,
            "有货币兑换失败",
            "2026-05-24 08:00:00",
            "有货币兑换失败A",
        ),
        row(
            70,
            (2, 1),
            "满减券",
            30,
            "兑换电子券",
            "2026-05-23 08:00:00",
            "满减券",
        ),
        row(
            90,
            (2, 2),
            "兑换话费A",
            20,
            "兑换话费",
            "2026-05-22 08:00:00",
            "兑换话费A",
        ),
        row(
            100,
            (2, 2),
            "兑换实物624",
            10,
            "兑换实物",
            "2026-05-21 08:00:00",
            "兑换实物624",
        ),
        row(
            0,
            (1, 0),
            "",
            100,
            "合格评价",
            "2026-05-20 11:30:32",
            "合格评价first",
        ),
    ];
    let page = |current: i64, size: i64, last: i64, rows: &[String]| {
        success(&format!(
            r#"{{"current_page":{current},"per_page":{size},"last_page":{last},"total":7,"item_list":[{}]}}"#,
            rows.join(",")
        ))
    };
    for (params, answer) in [
        (r#"{"user_id":5}"#, page(1, 10, 1, &rows)),
        (
            r#"{"user_id":"5","page_size":"","page":"","type":""}"#,
            page(1, 10, 1, &rows),
        ),
        (r#"{"user_id":5,"page_size":3}"#, page(1, 3, 3, &rows[..3])),
        (
            r#"{"user_id":5,"page_size":"3","page":"2"}"#,
            page(2, 3, 3, &rows[3..6]),
        ),
        (
            r#"{"user_id":5,"page_size":3,"page":3}"#,
            page(3, 3, 3, &rows[6..]),
        ),
        (
            r#"{"user_id":5,"page_size":3,"page":4}"#,
            page(4, 3, 3, &[]),
        ),
        (r#"{"user_id":5,"page_size":7}"#, page(1, 7, 1, &rows)),
        (r#"{"user_id":5,"page_size":100}"#, page(1, 100, 1, &rows)),
        (r#"{"user_id":5,"page_size":101}"#, page(1, 100, 1, &rows)),
        (
            r#"{"user_id":5,"page_size":0,"page":0}"#,
            page(1, 10, 1, &rows),
        ),
        (
            r#"{"user_id":5,"page_size":-1,"page":-9}"#,
            page(1, 10, 1, &rows),
        ),
        (
            r#"{"user_id":5,"page":9223372036854775807}"#,
            page(i64::MAX, 10, 1, &[]),
        ),
    ] {
        assert_eq!(
            gateway.call_action_text(RECORDS, params).await,
            answer,
            "{params}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_type_the_short_form_is_answered() {
    let gateway = history().await;
    let row = |kind: i64, created_at: &str, points: i64, text: &str| json!({"type": kind, "created_at": created_at, "points": points, "source_desc": text});
    let rows = [
        row(1, "2028-02-01 08:00:00", 7, "地点签到shop"),
        row(2, "2027-12-31 23:59:59", 45, "积分过期"),
        row(1, "2026-05-24 08:00:00", 5, "有货币兑换失败A"),
        row(2, "2026-05-23 08:00:00", 30, "满减券"),
        row(2, "2026-05-22 08:00:00", 20, "兑换话费A"),
        row(2, "2026-05-21 08:00:00", 10, "兑换实物624"),
        row(1, "2026-05-20 11:30:32", 100, "合格评价first"),
    ];
    for (params, at) in [
        (r#"{"user_id":5,"type":"all"}"#, &[0, 1, 2, 3, 4, 5, 6][..]),
        (r#"{"user_id":5,"type":"in"}"#, &[0, 2, 6]),
        (r#"{"user_id":5,"type":"out"}"#, &[1, 3, 4, 5]),
        (r#"{"user_id":5,"type":"out","page_size":3}"#, &[1, 3, 4]),
        (r#"{"user_id":5,"type":"out","page_size":3,"page":2}"#, &[5]),
        (r#"{"user_id":5,"type":"in","page":2}"#, &[]),
    ] {
        let (status, body) = gateway.call_action_text(RECORDS, params).await;
        let expected: Vec<&Value> = at.iter().map(|&at| &rows[at]).collect();
        let answer: Value = serde_json::from_str(&body).unwrap();
        let whole = json!({
            "status": true, "code": 0, "message": "success",
            "data": {"data": {"item_list": expected}, "item_list": expected},
        });
        assert_eq!((status, answer), (200, whole), "{params}");
    }
}

/// Points that no longer count have a row, although nothing else has touched the account.
#[tokio::test(flavor = "multi_thread")]
async fn points_that_are_due_have_a_row() {
    for (params, data) in [
        (
            json!({"user_id": 5, "page_size": 1}),
            r#"{"current_page":1,"per_page":1,"last_page":2,"total":2,"item_list":[{"previous_point":100,"type":2,"sub_type":0,"sub_name":"","points":100,"desc":"积分过期","created_at":"2027-12-31 23:59:59","change_text":"积分过期"}]}"#,
        ),
        (
            json!({"user_id": 5, "type": "out"}),
            r#"{"data":{"item_list":[{"type":2,"created_at":"2027-12-31 23:59:59","points":100,"source_desc":"积分过期"}]},"item_list":[{"type":2,"created_at":"2027-12-31 23:59:59","points":100,"source_desc":"积分过期"}]}"#,
        ),
    ] {
        let gateway = TestGateway::with_partners().await;
        gateway.set_time("2028-01-01 00:00:00");
        let answer = gateway
            .call_action(&ENVELOPE_SIGNER, RECORDS, &params)
            .await;
        assert_eq!(answer, success(data), "{params}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_parameters_are_refused() {
    let gateway = TestGateway::with_partners().await;
    let malformed = || fault(100002, "参数格式不对");
    for (params, answer) in [
        (r#"{}"#, fault(100001, "缺少参数user_id")),
        (r#"[]"#, fault(100001, "缺少参数user_id")),
        (r#"{"user_id":""}"#, fault(100001, "缺少参数user_id")),
        (r#"{"user_id":null}"#, fault(100001, "缺少参数user_id")),
        (r#"{"user_id":"x"}"#, malformed()),
        (r#"{"user_id":5.5}"#, malformed()),
        (r#"{"user_id":0}"#, malformed()),
        (r#"{"user_id":-5}"#, malformed()),
        (r#"{"user_id":5,"page_size":"x"}"#, malformed()),
        (r#"{"user_id":5,"page":[]}"#, malformed()),
        (r#"{"user_id":5,"type":"income"}"#, malformed()),
        (r#"{"user_id":5,"type":1}"#, malformed()),
        (r#"{"user_id":6}"#, declined(200001, "查询的信息不存在")),
        (
            r#"{"user_id":6,"type":"in"}"#,
            declined(200001, "查询的信息不存在"),
        ),
        (
            r#"{"user_id":"9223372036854775807"}"#,
            declined(200001, "查询的信息不存在"),
        ),
    ] {
        assert_eq!(
            gateway.call_action_text(RECORDS, params).await,
            answer,
            "{params}"
        );
    }
}
