//! `user.points-add`: parameters, idempotency, and how the shop shows these points.

use serde_json::{Value, json};

use super::client::{ENVELOPE_SIGNER, PartnerClient, declined, fault, success};
use crate::test_gateway::TestGateway;

const ADD: &str = "user.points-add";

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_checked() {
    let gateway = TestGateway::with_partners().await;
    let malformed = || fault(100002, "参数格式不对");
    let missing = |name: &str| fault(100001, &format!("缺少参数{name}"));
    for (name, value, answer) in [
        ("balance", json!(null), missing("balance")),
        ("balance", json!("0"), malformed()),
        ("balance", json!("-1"), malformed()),
        ("balance", json!("1.5"), malformed()),
        ("balance", json!("1000000001"), malformed()),
        ("balance", json!("1000000000"), success("[]")),
        ("balance", json!(11), success("[]")),
        ("bizId", json!(""), missing("bizId")),
        ("bizId", json!("x".repeat(129)), malformed()),
        ("bizId", json!("x".repeat(128)), success("[]")),
        ("bizId", json!({}), malformed()),
        ("bizId", json!("a\u{1b}[2J"), malformed()),
        ("reason", json!("a\nb"), malformed()),
        ("reason", json!("\u{85}"), malformed()),
        ("customerId", json!(""), missing("customerId")),
        ("customerId", json!("x"), malformed()),
        ("customerId", json!("383933091455959041"), success("[]")),
        ("reason", json!(""), success("[]")),
        ("reason", json!("理".repeat(255)), success("[]")),
        ("reason", json!("理".repeat(256)), malformed()),
        ("sourceType", json!("0"), malformed()),
        ("sourceType", json!("13"), malformed()),
        ("sourceType", json!(12), success("[]")),
        ("sourceType", json!(""), success("[]")),
        ("pointsChannel", json!(0), malformed()),
        ("pointsChannel", json!("10"), malformed()),
        ("pointsChannel", json!(9), success("[]")),
    ] {
        let biz_id = format!("{name} {value}")
            .chars()
            .take(100)
            .collect::<String>();
        let mut params = json!({
            "balance": "11", "bizId": biz_id, "customerId": "7",
            "reason": "", "sourceType": "1", "pointsChannel": "7",
        });
        params[name] = value;
        assert_eq!(
            gateway.call_action(&ENVELOPE_SIGNER, ADD, &params).await,
            answer,
            "{params}"
        );
    }
    gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_biz_id_counts_once_for_each_partner() {
    let other = "
        [[openapi.partners]]
        open_id = 'p3'
        grant_code = 'g3'
        secret = 'secret three'
        allow = ['user.points-add']";
    let three = PartnerClient {
        open_id: "p3",
        grant_code: "g3",
        secret: "secret three",
        full: false,
    };
    let toml = format!("{}{other}", super::client::PARTNERS);
    let gateway = TestGateway::with_config(&toml).await;
    let add = async |partner: &PartnerClient, params: &str| {
        let params: Value = serde_json::from_str(params).unwrap();
        gateway.call_action(partner, ADD, &params).await
    };
    let first = r#"{"balance":"11","bizId":"b","customerId":7,"reason":"r"}"#;
    let used = || declined(200002, "bizId已被使用");
    for (partner, params, answer, total) in [
        (&ENVELOPE_SIGNER, first, success("[]"), 11),
        (&ENVELOPE_SIGNER, first, success("[]"), 11),
        (
            &ENVELOPE_SIGNER,
            &first.replace("\"r\"", "\"s\""),
            success("[]"),
            11,
        ),
        (&ENVELOPE_SIGNER, &first.replace("11", "12"), used(), 11),
        (&ENVELOPE_SIGNER, &first.replace('7', "8"), used(), 11),
        (
            &ENVELOPE_SIGNER,
            &first.replace("\"b\"", "\"c\""),
            success("[]"),
            22,
        ),
        (&three, first, success("[]"), 33),
        (&three, first, success("[]"), 33),
    ] {
        assert_eq!(add(partner, params).await, answer, "{params}");
        let (_, body) = gateway.call("app.yohocoin.total", "uid=7").await;
        assert!(
            body.contains(&format!(r#""total":{total}}}"#)),
            "{params}: {body}"
        );
    }
    assert_eq!(gateway.audit().await.entries, 3);
}

/// The shop lists a partner's points under the nearest type of its own, and users spend them there.
#[tokio::test(flavor = "multi_thread")]
async fn the_shop_lists_and_spends_partner_points() {
    let gateway = TestGateway::with_partners().await;
    let rows = [
        (json!(1), 13, "购买商品赠送：%s", "消费增加"),
        (json!(2), 3, "活动奖励", "关注有礼"),
        (json!(3), 3, "活动奖励", "会员特权"),
        (json!(4), 3, "活动奖励", "商家手动补发"),
        (json!(5), 5, "签到奖励", "积分签到"),
        (json!(6), 3, "活动奖励", "满赠活动"),
        (json!(7), 6, "抽奖活动奖励", "抽奖得积分"),
        (json!(8), 4, "充值", "储值赠送"),
        (json!(9), 4, "充值", "资产迁入"),
        (json!(10), 3, "活动奖励", "登录获积分"),
        (json!(11), 18, "合格评价", "评价得积分"),
        (json!(12), 8, "完善资料奖励", "完善会员资料得积分"),
        (json!(""), 3, "活动奖励", "活动奖励"),
    ];
    for (source, kind, title, message) in rows {
        let biz_id = format!("b{source}");
        let params = json!({"balance": 1, "bizId": biz_id, "customerId": 7, "sourceType": source});
        assert_eq!(
            gateway.call_action(&ENVELOPE_SIGNER, ADD, &params).await,
            success("[]")
        );
        let (_, body) = gateway.call("app.yohocoin.lists", "uid=7&limit=1").await;
        let list: Value = serde_json::from_str(&body).unwrap();
        let row = json!({
            "date": "2026-05-20 11:30:32", "key": biz_id, "message": message, "num": 1,
            "title": title, "type": kind,
        });
        assert_eq!(list["data"]["coinlist"][0], row);
    }
    let params = json!({"balance": 1, "bizId": "own", "customerId": 7, "sourceType": 1, "reason": "购物送积分"});
    assert_eq!(
        gateway.call_action(&ENVELOPE_SIGNER, ADD, &params).await,
        success("[]")
    );
    let (_, body) = gateway.call("app.yohocoin.lists", "uid=7&limit=1").await;
    assert!(body.contains(r#""message":"购物送积分""#), "{body}");
    let order = "uid=7&num=-14&type=19&orderCode=o";
    let (_, body) = gateway.call("app.yohocoin.subtract", order).await;
    assert!(body.contains(r#""currency":"0""#), "{body}");
    // The points expire as all coins do: at the end of the next year.
    let params = json!({"balance": 5, "bizId": "last", "customerId": 7});
    gateway.call_action(&ENVELOPE_SIGNER, ADD, &params).await;
    gateway.set_time("2028-01-01 00:00:00");
    let (_, body) = gateway.call("app.yohocoin.total", "uid=7").await;
    assert!(body.contains(r#""total":0}"#), "{body}");
}
