//! The rows of `app.yohocoin.lists`: the 22 types with titles and messages, as in the table of the protocol's document.

use pointgate::ledger::book::transaction::{AccountKey, NEVER, Posting, PostingKind, Reason};

use crate::test_gateway::{TestGateway, sealed};

/// Posts coins of any type to the ledger directly, also of types that no request posts.
pub async fn earn(gateway: &TestGateway, uid: i64, kind: i64, amount: i64, key: Option<&str>) {
    let expires_at = NEVER;
    post(
        gateway,
        uid,
        kind,
        PostingKind::Earn { amount, expires_at },
        key,
    )
    .await;
}

async fn post(
    gateway: &TestGateway,
    uid: i64,
    kind: i64,
    movement: PostingKind,
    key: Option<&str>,
) {
    let posting = posting(uid, kind, movement, key);
    gateway.ledger().post(posting).await.unwrap();
}

fn posting(uid: i64, kind: i64, movement: PostingKind, key: Option<&str>) -> Posting {
    Posting {
        account: AccountKey {
            owner: format!("uid:{uid}"),
            asset: "coin".into(),
        },
        kind: movement,
        reason: Reason(kind),
        idempotency: None,
        requires: None,
        reference: key.map(str::to_owned),
        message: None,
        operator: None,
    }
}

/// The rows of the document's table that no request posts: type, amount, title, and message for the key 123456789.
const POSTED_ELSEWHERE: [(i64, i64, &str, &str); 15] = [
    (
        1,
        1000,
        "原有YOHO币%s个，初始化变更",
        "原有YOHO币123456789个，初始化变更",
    ),
    (
        2,
        1000,
        "订单取消退还：订单%s",
        "订单取消退还：订单123456789",
    ),
    (3, 1000, "活动奖励", "活动奖励"),
    (4, -1000, "充值", "充值"),
    (5, 1000, "签到奖励", "签到奖励"),
    (6, 1000, "抽奖活动奖励", "抽奖活动奖励"),
    (7, 1000, "调研问卷奖励", "调研问卷奖励"),
    (8, 1000, "完善资料奖励", "完善资料奖励"),
    (9, -1000, "下单使用：订单%s", "下单使用：订单123456789"),
    (10, 10, "退货退还：订单%s", "退货退还：订单123456789"),
    (11, 500, "活动赠送：订单%s", "活动赠送：订单123456789"),
    (12, -50, "抽奖使用", "抽奖使用"),
    (13, -500, "购买商品赠送：%s", "购买商品赠送：123456789"),
    (14, 1000, "购买商品赠送：%s", "晒单奖励：123456789"),
    (15, -50, "补差价：%s", "补差价：123456789"),
];

fn page(rows: &[String], limit: usize) -> String {
    let (rows, count) = (rows.join(","), rows.len());
    format!(
        r#"{{"coinlist":[{rows}],"limit":{limit},"page":1,"page_total":{count},"total":{count}}}"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_types_that_no_request_posts() {
    let gateway = TestGateway::start().await;
    let mut rows = Vec::new();
    for (kind, num, title, message) in POSTED_ELSEWHERE {
        gateway.set_time(&format!("2026-05-20 11:30:{kind:02}"));
        let movement = match num > 0 {
            true => PostingKind::Earn {
                amount: num,
                expires_at: NEVER,
            },
            false => PostingKind::Spend {
                amount: -num,
                order: None,
            },
        };
        post(&gateway, 5, kind, movement, Some("123456789")).await;
        rows.push(format!(
            r#"{{"date":"2026-05-20 11:30:{kind:02}","key":"123456789","message":"{message}","num":{num},"title":"{title}","type":{kind}}}"#
        ));
    }
    rows.reverse();
    let answer = sealed(200, &page(&rows, 20), "yoho coin list");
    assert_eq!(gateway.call("app.yohocoin.lists", "uid=5").await, answer);
    gateway.audit().await;
}

/// The rows of the document's second list: time, amount, type, message, title. Its digest proves the full-width comma and, with the salt
/// of its day, the title of type 22 that was configured then.
const DOCUMENTED: [(&str, i64, i64, &str, &str); 7] = [
    (
        "2016-05-20 11:30:32",
        200,
        22,
        "2016-03-16订单兑换失败，积分返还213415",
        "mars点数兑换失败",
    ),
    (
        "2016-05-20 11:28:47",
        -200,
        21,
        "兑换电子卷53415",
        "兑换电子券",
    ),
    ("2016-05-20 11:28:03", -50, 20, "兑换话费2314", "兑换话费"),
    ("2016-05-20 11:27:13", -100, 19, "兑换实物624", "兑换实物"),
    (
        "2016-05-20 11:25:25",
        300,
        17,
        "2016-04-15在德吉完成签到5462",
        "地点签到",
    ),
    (
        "2016-05-20 11:24:44",
        200,
        17,
        "2016-04-15在黄山完成签到5132214",
        "地点签到",
    ),
    (
        "2016-05-20 11:23:08",
        100,
        18,
        "这是一条合格的评价214123",
        "合格评价",
    ),
];

/// The document's second list, byte for byte: the order of the keys, the punctuation, and `page_total`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documents_second_list() {
    let gateway = TestGateway::with_config("[yoho.types]\n22.title = \"mars点数兑换失败\"").await;
    for (at, num, kind, message, _) in DOCUMENTED.into_iter().rev() {
        gateway.set_time(at);
        let kind_of = match num > 0 {
            true => PostingKind::Earn {
                amount: num,
                expires_at: NEVER,
            },
            false => PostingKind::Spend {
                amount: -num,
                order: None,
            },
        };
        let posting = Posting {
            message: Some(message.to_owned()),
            ..posting(5, kind, kind_of, None)
        };
        gateway.ledger().post(posting).await.unwrap();
    }
    let rows = DOCUMENTED.map(|(at, num, kind, message, title)| {
        format!(
            r#"{{"date":"{at}","message":"{message}","num":{num},"title":"{title}","type":{kind}}}"#
        )
    });
    let answer = sealed(200, &page(&rows, 20), "yoho coin list");
    assert_eq!(gateway.call("app.yohocoin.lists", "uid=5").await, answer);
}

/// Without a reference, the row has no `key`, and `%s` in its message is replaced by nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_without_a_reference_has_no_key() {
    let gateway = TestGateway::start().await;
    earn(&gateway, 5, 2, 7, None).await;
    earn(&gateway, 5, 3, 8, None).await;
    let table = r#"
        no key | lists uid=5 | {"coinlist":[{"date":"2026-05-20 11:30:32","message":"活动奖励","num":8,"title":"活动奖励","type":3},{"date":"2026-05-20 11:30:32","message":"订单取消退还：订单","num":7,"title":"订单取消退还：订单%s","type":2}],"limit":20,"page":1,"page_total":2,"total":2}
    "#;
    gateway.check_table(table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_types_that_requests_post() {
    let gateway = TestGateway::start().await;
    let table = r#"
        at 2026-05-20 11:23:08
        17 | get uid=5&num=300&type=17&referenceId=5462       | {"currency":"300","uid":5}
        at 2026-05-20 11:24:44
        18 | get uid=5&num=100&type=18&referenceId=214123     | {"currency":"400","uid":5}
        at 2026-05-20 11:27:13
        19 | subtract uid=5&num=-100&type=19&orderCode=624    | {"currency":"300","uid":5}
        at 2026-05-20 11:28:03
        20 | subtract uid=5&num=-50&type=20&orderCode=2314    | {"currency":"250","uid":5}
        at 2026-05-20 11:28:47
        21 | subtract uid=5&num=-200&type=21&orderCode=53415  | {"currency":"50","uid":5}
        at 2026-05-20 11:30:32
        22 | return uid=5&num=200&type=22&orderCode=53415     | {"currency":"250","uid":5}
    "#;
    gateway.check_table(table).await;
    let rows = [
        r#"{"date":"2026-05-20 11:30:32","key":"53415","message":"有货币兑换失败53415","num":200,"title":"有货币兑换失败","type":22}"#,
        r#"{"date":"2026-05-20 11:28:47","key":"53415","message":"兑换电子券53415","num":-200,"title":"兑换电子券","type":21}"#,
        r#"{"date":"2026-05-20 11:28:03","key":"2314","message":"兑换话费2314","num":-50,"title":"兑换话费","type":20}"#,
        r#"{"date":"2026-05-20 11:27:13","key":"624","message":"兑换实物624","num":-100,"title":"兑换实物","type":19}"#,
        r#"{"date":"2026-05-20 11:24:44","key":"214123","message":"合格评价214123","num":100,"title":"合格评价","type":18}"#,
        r#"{"date":"2026-05-20 11:23:08","key":"5462","message":"地点签到5462","num":300,"title":"地点签到","type":17}"#,
    ];
    let data = page(&rows.map(str::to_owned), 20);
    let answer = sealed(200, &data, "yoho coin list");
    assert_eq!(gateway.call("app.yohocoin.lists", "uid=5").await, answer);
}

/// The list shows the `message` of a request unchanged, for every method that writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_of_a_request_is_shown_unchanged() {
    let gateway = TestGateway::start().await;
    let table = r#"
        get      | get uid=5&num=100&type=17&referenceId=5132214&message=2016-04-15在黄山完成签到 | {"currency":"100","uid":5}
        subtract | subtract {"uid":5,"num":-100,"type":20,"orderCode":"A","message":"50元充值话费(中国移动/中国联通/中国电信)"} | {"currency":"0","uid":5}
        return   | return {"uid":5,"num":60,"type":22,"orderCode":"A","message":"积分返还%s"} | {"currency":"60","uid":5}
        quotes   | get {"uid":5,"num":1,"type":18,"referenceId":"b","message":"你今日已在\"costa\"完成\\签到 <&>"} | {"currency":"61","uid":5}
        number   | get {"uid":5,"num":1,"type":18,"referenceId":"c","message":12} | {"currency":"62","uid":5}
        empty    | get {"uid":5,"num":1,"type":18,"referenceId":"d","message":""} | {"currency":"63","uid":5}
    "#;
    gateway.check_table(table).await;
    let rows = [
        r#"{"date":"2026-05-20 11:30:32","key":"d","message":"合格评价d","num":1,"title":"合格评价","type":18}"#,
        r#"{"date":"2026-05-20 11:30:32","key":"c","message":"12","num":1,"title":"合格评价","type":18}"#,
        r#"{"date":"2026-05-20 11:30:32","key":"b","message":"你今日已在\"costa\"完成\\签到 <&>","num":1,"title":"合格评价","type":18}"#,
        r#"{"date":"2026-05-20 11:30:32","key":"A","message":"积分返还%s","num":60,"title":"有货币兑换失败","type":22}"#,
        r#"{"date":"2026-05-20 11:30:32","key":"A","message":"50元充值话费(中国移动/中国联通/中国电信)","num":-100,"title":"兑换话费","type":20}"#,
        r#"{"date":"2026-05-20 11:30:32","key":"5132214","message":"2016-04-15在黄山完成签到","num":100,"title":"地点签到","type":17}"#,
    ];
    let data = page(&rows.map(str::to_owned), 20);
    let answer = sealed(200, &data, "yoho coin list");
    assert_eq!(gateway.call("app.yohocoin.lists", "uid=5").await, answer);
}

/// `[yoho.types]` replaces titles and messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn titles_and_messages_are_configurable() {
    let settings = "[yoho.types]\n17 = { title = \"签到%s\", message = \"在%s签到\" }\n19.message = \"兑换\"\n16.title = \"过期\"";
    let gateway = TestGateway::with_config(settings).await;
    let table = r#"
        17 | get uid=5&num=5&type=17&referenceId=德吉 | {"currency":"5","uid":5}
        19 | subtract uid=5&num=-1&type=19&orderCode=A | {"currency":"4","uid":5}
        at 2028-01-01 00:00:00
        16 | get uid=5&num=5&type=17&referenceId=a%sb | {"currency":"5","uid":5}
    "#;
    gateway.check_table(table).await;
    let rows = [
        r#"{"date":"2028-01-01 00:00:00","key":"a%sb","message":"在a%sb签到","num":5,"title":"签到%s","type":17}"#,
        r#"{"date":"2027-12-31 23:59:59","message":"积分过期","num":-4,"title":"过期","type":16}"#,
        r#"{"date":"2026-05-20 11:30:32","key":"A","message":"兑换","num":-1,"title":"兑换实物","type":19}"#,
        r#"{"date":"2026-05-20 11:30:32","key":"德吉","message":"在德吉签到","num":5,"title":"签到%s","type":17}"#,
    ];
    let data = page(&rows.map(str::to_owned), 20);
    let answer = sealed(200, &data, "yoho coin list");
    assert_eq!(gateway.call("app.yohocoin.lists", "uid=5").await, answer);
}
