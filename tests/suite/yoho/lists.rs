//! `app.yohocoin.lists`: filters, pages and faults.

use super::table::cells;
use crate::test_gateway::{TestGateway, fault, sealed};

/// The rows of user 5 in [`gateway`], newest first: key, amount and time.
const ROWS: [(&str, i64, &str); 7] = [
    ("g", 7, "2026-05-23 00:00:00"),
    ("F", -6, "2026-05-22 23:59:59"),
    ("e", 50, "2026-05-22 12:00:00"),
    ("D", -4, "2026-05-21 08:00:00"),
    ("c", 30, "2026-05-21 00:00:00"),
    ("B", -2, "2026-05-20 23:59:59"),
    ("a", 100, "2026-05-19 23:00:00"),
];

/// A gateway in which user 5 has [`ROWS`]. Their times lie on both sides of midnight in Shanghai and in UTC.
async fn gateway() -> TestGateway {
    let gateway = TestGateway::start().await;
    for (key, num, time) in ROWS.iter().rev() {
        gateway.set_time(time);
        let (method, call) = match *num > 0 {
            true => (
                "app.yohocoin.get",
                format!("uid=5&num={num}&type=18&referenceId={key}"),
            ),
            false => (
                "app.yohocoin.subtract",
                format!("uid=5&num={num}&type=19&orderCode={key}"),
            ),
        };
        let (_, body) = gateway.call(method, &call).await;
        assert!(body.contains(r#""code":200"#), "{call}: {body}");
    }
    gateway
}

/// The `data` of an answer with the rows of these keys.
fn data(keys: &str, limit: i64, page: i64, total: i64) -> String {
    let rows = keys.chars().map(|key| {
        let row = ROWS.iter().find(|(known, ..)| known.contains(key));
        let (key, num, time) = row.unwrap();
        let (title, kind) = if *num > 0 { ("合格评价", 18) } else { ("兑换实物", 19) };
        format!(r#"{{"date":"{time}","key":"{key}","message":"{title}{key}","num":{num},"title":"{title}","type":{kind}}}"#)
    });
    let rows: Vec<String> = rows.collect();
    let (page_total, rows) = (rows.len(), rows.join(","));
    format!(
        r#"{{"coinlist":[{rows}],"limit":{limit},"page":{page},"page_total":{page_total},"total":{total}}}"#
    )
}

/// Checks the lines of a table: a name, parameters (of user 5), the keys of the expected rows, and `limit page total`.
async fn answers(table: &str) {
    let gateway = gateway().await;
    for line in table.lines().filter(|line| line.contains('|')) {
        let [name, parameters, keys, figures] = cells(line);
        let figures: Vec<i64> = figures.split(' ').map(|n| n.parse().unwrap()).collect();
        let data = data(keys, figures[0], figures[1], figures[2]);
        let answered = match parameters.starts_with('{') {
            true => {
                gateway
                    .post_json("app.yohocoin.lists", parameters.to_owned())
                    .await
            }
            false => {
                gateway
                    .call("app.yohocoin.lists", &format!("uid=5&{parameters}"))
                    .await
            }
        };
        let answer = sealed(200, &data, "yoho coin list");
        assert_eq!(answered, answer, "{name}: {parameters}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_cut_by_page_and_limit() {
    answers(
        r#"
        all                |                                    | gFeDcBa | 20 1 7
        numbers in JSON    | {"uid":5,"page":2,"limit":3}       | DcB     | 3 2 7
        texts in JSON      | {"uid":"5","page":"2","limit":"3"} | DcB     | 3 2 7
        first page         | limit=3                            | gFe     | 3 1 7
        first page         | limit=3&page=1                     | gFe     | 3 1 7
        second page        | limit=3&page=2                     | DcB     | 3 2 7
        last page          | limit=3&page=3                     | a       | 3 3 7
        beyond the end     | limit=3&page=4                     |         | 3 4 7
        far beyond the end | page=9223372036854775807&limit=100 |         | 100 9223372036854775807 7
        page 0             | limit=3&page=0                     | gFe     | 3 1 7
        page -1            | limit=3&page=-1                    | gFe     | 3 1 7
        page abc           | limit=3&page=abc                   | gFe     | 3 1 7
        page empty         | limit=3&page=                      | gFe     | 3 1 7
        page beyond 2^63   | limit=3&page=9223372036854775808   | gFe     | 3 1 7
        limit 1            | limit=1                            | g       | 1 1 7
        limit 1, last page | limit=1&page=7                     | a       | 1 7 7
        limit 7            | limit=7                            | gFeDcBa | 7 1 7
        limit 100          | limit=100                          | gFeDcBa | 100 1 7
        limit 101          | limit=101                          | gFeDcBa | 100 1 7
        limit 2^63 - 1     | limit=9223372036854775807          | gFeDcBa | 100 1 7
        limit 0            | limit=0                            | gFeDcBa | 20 1 7
        limit -1           | limit=-1                           | gFeDcBa | 20 1 7
        limit abc          | limit=abc                          | gFeDcBa | 20 1 7
        limit empty        | limit=                             | gFeDcBa | 20 1 7
    "#,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_type_selects_income_or_expense() {
    answers(
        r#"
        all               | queryType=0                | gFeDcBa | 20 1 7
        empty             | queryType=                 | gFeDcBa | 20 1 7
        income            | queryType=1                | geca    | 20 1 4
        expense           | queryType=2                | FDB     | 20 1 3
        in JSON           | {"uid":5,"queryType":2}    | FDB     | 20 1 3
        as text in JSON   | {"uid":5,"queryType":"1"}  | geca    | 20 1 4
        a page of income  | queryType=1&limit=3&page=2 | a       | 3 2 4
        a page of expense | queryType=2&limit=2&page=1 | FD      | 2 1 3
        a page of expense | queryType=2&limit=2&page=2 | B       | 2 2 3
        beyond the end    | queryType=2&limit=2&page=3 |         | 2 3 3
    "#,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn begin_and_end_are_local_days_both_inclusive() {
    answers(
        r#"
        open                     | beginTime=0&endTime=0                                        | gFeDcBa | 20 1 7
        empty                    | beginTime=&endTime=                                          | gFeDcBa | 20 1 7
        0 in JSON                | {"uid":5,"beginTime":0,"endTime":0}                          | gFeDcBa | 20 1 7
        one day                  | beginTime=2026-05-21&endTime=2026-05-21                      | Dc      | 20 1 2
        in JSON                  | {"uid":5,"beginTime":"2026-05-21","endTime":"2026-05-21"}    | Dc      | 20 1 2
        without leading zeros    | beginTime=2026-5-21&endTime=2026-5-21                        | Dc      | 20 1 2
        with times               | beginTime=2026-05-21 00:00:00&endTime=2026-05-21 00:00:00    | Dc      | 20 1 2
        a day, whatever its time | beginTime=2026-5-21 23:59:59&endTime=2026-05-21 00:00:01     | Dc      | 20 1 2
        white space              | {"uid":5,"beginTime":" 2026-05-21 ","endTime":"2026-05-21\n"} | Dc     | 20 1 2
        0 in white space         | {"uid":5,"beginTime":" 0","endTime":"0 "}                    | gFeDcBa | 20 1 7
        two days                 | beginTime=2026-05-20&endTime=2026-05-21                      | DcB     | 20 1 3
        from a day on            | beginTime=2026-05-22                                         | gFe     | 20 1 3
        from a day on, end 0     | beginTime=2026-05-22&endTime=0                               | gFe     | 20 1 3
        up to a day              | endTime=2026-05-20                                           | Ba      | 20 1 2
        up to a day, begin empty | beginTime=&endTime=2026-05-20                                | Ba      | 20 1 2
        all days                 | beginTime=2026-05-19&endTime=2026-05-23                      | gFeDcBa | 20 1 7
        before all               | endTime=2026-05-18                                           |         | 20 1 0
        after all                | beginTime=2026-05-24                                         |         | 20 1 0
        between two              | beginTime=2026-05-24&endTime=2026-05-30                      |         | 20 1 0
        the wrong way round      | beginTime=2026-05-22&endTime=2026-05-20                      |         | 20 1 0
        the first of all days    | beginTime=0001-01-01                                         | gFeDcBa | 20 1 7
        the last of all days     | endTime=9999-12-31                                           | gFeDcBa | 20 1 7
        a leap day               | endTime=2028-02-29                                           | gFeDcBa | 20 1 7
        income of two days       | queryType=1&beginTime=2026-05-20&endTime=2026-05-21          | c       | 20 1 1
        expense of two days      | queryType=2&beginTime=2026-05-20&endTime=2026-05-21          | DB      | 20 1 2
        expense of no day        | queryType=2&beginTime=2026-05-23                             |         | 20 1 0
        a page of two days       | limit=2&page=2&beginTime=2026-05-20&endTime=2026-05-21       | B       | 2 2 3
        a page of their expense  | limit=1&page=2&queryType=2&beginTime=2026-05-20&endTime=2026-05-22 | D       | 1 2 3
    "#,
    )
    .await;
}

/// Texts that are not a date as `2026-05-20`.
const NO_DAYS: [&str; 37] = [
    "x",
    "00",
    "1",
    "-1",
    "2026",
    "2026-05",
    "2026-05-",
    "2026--20",
    "2026-005-20",
    "26-5-20",
    "2026-05-20-01",
    "26-05-2026",
    "2026/05/20",
    "20260520",
    "2026-05-20 24:00:00",
    "2026-05-20 00:00",
    "2026-05-20 x",
    "2026-05-20T00:00:00",
    "2026-05-20Z",
    "2026-05-20  00:00:00",
    "2026-00-01",
    "2026-13-01",
    "2026-05-00",
    "2026-05-32",
    "2026-04-31",
    "2026-02-29",
    "2100-02-29",
    "2026-W21-3",
    "2026-0x-01",
    "-026-05-20",
    "+026-05-20",
    "1779247832",
    "２026-05",
    "0000-00-00",
    "0000000000",
    "2026-05-2一",
    "null",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_come_in_the_documented_order() {
    let gateway = TestGateway::start().await;
    let table = r#"
        everything wrong   | lists uid=x&queryType=x&beginTime=x&endTime=x | sealed 404 uid为空！
        no uid             | lists                        | sealed 404 uid为空！
        uid empty          | lists uid=                   | sealed 404 uid为空！
        uid 0              | lists uid=0                  | sealed 404 uid为空！
        uid 2^63           | lists uid=9223372036854775808 | sealed 404 uid为空！
        all but uid wrong  | lists uid=5&queryType=x&beginTime=x&endTime=x | 403 queryType不合法
        queryType 3        | lists uid=5&queryType=3      | 403 queryType不合法
        queryType -1       | lists uid=5&queryType=-1     | 403 queryType不合法
        queryType x        | lists uid=5&queryType=x      | 403 queryType不合法
        queryType a list   | lists {"uid":5,"queryType":[1]} | 403 queryType不合法
        both days wrong    | lists uid=5&beginTime=x&endTime=x | 402 beginTime不合法
        the second wrong   | lists uid=5&beginTime=2026-05-20&endTime=x | 402 endTime不合法
    "#;
    gateway.check_table(table).await;
    for day in NO_DAYS {
        for name in ["beginTime", "endTime"] {
            let call = format!("uid=5&{name}={day}");
            let answer = fault(402, &format!("{name}不合法"));
            assert_eq!(
                gateway.call("app.yohocoin.lists", &call).await,
                answer,
                "{call}"
            );
        }
    }
    for day in ["20260520", "true", "[]", "{}", "1.5", "[\"2026-05-20\"]"] {
        let json = format!(r#"{{"uid":5,"beginTime":{day}}}"#);
        let answer = fault(402, "beginTime不合法");
        assert_eq!(
            gateway.post_json("app.yohocoin.lists", json.clone()).await,
            answer,
            "{json}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_users_own_rows_are_listed() {
    let gateway = gateway().await;
    let table = r#"
        another user | lists uid=6 | {"coinlist":[],"limit":20,"page":1,"page_total":0,"total":0}
        comes        | get uid=6&num=1&type=18&referenceId=a | {"currency":"1","uid":6}
        has one      | lists uid=6 | {"coinlist":[{"date":"2026-05-23 00:00:00","key":"a","message":"合格评价a","num":1,"title":"合格评价","type":18}],"limit":20,"page":1,"page_total":1,"total":1}
    "#;
    gateway.check_table(table).await;
    let answer = sealed(200, &data("gFeDcBa", 20, 1, 7), "yoho coin list");
    assert_eq!(gateway.call("app.yohocoin.lists", "uid=5").await, answer);
}

/// A full page of the largest size, and the page after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_page_has_a_hundred_rows() {
    let gateway = TestGateway::start().await;
    for i in 0..101 {
        super::list_rows::earn(&gateway, 5, 3, 1, Some(&format!("{i}"))).await;
    }
    let row = |i: i64| {
        format!(
            r#"{{"date":"2026-05-20 11:30:32","key":"{i}","message":"活动奖励","num":1,"title":"活动奖励","type":3}}"#
        )
    };
    let rows: Vec<String> = (1..=100).rev().map(row).collect();
    let pages = [
        (
            1,
            format!(
                r#"{{"coinlist":[{}],"limit":100,"page":1,"page_total":100,"total":101}}"#,
                rows.join(",")
            ),
        ),
        (
            2,
            format!(
                r#"{{"coinlist":[{}],"limit":100,"page":2,"page_total":1,"total":101}}"#,
                row(0)
            ),
        ),
    ];
    for (page, data) in pages {
        let answered = gateway
            .call(
                "app.yohocoin.lists",
                &format!("uid=5&limit=1000&page={page}"),
            )
            .await;
        assert_eq!(
            answered,
            sealed(200, &data, "yoho coin list"),
            "page {page}"
        );
    }
}
