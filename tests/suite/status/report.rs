//! `status.user_report`: counts posts and comments from one local day to another, both inclusive.

use crate::osx::client::COMMUNITY;
use crate::test_gateway::TestGateway;

const REPORT: &str = "[status.report]\nposts = ['post', 'share']\ncomments = ['comment']\n";

#[tokio::test(flavor = "multi_thread")]
async fn posts_and_comments_are_counted_by_local_day() {
    let gateway = TestGateway::with_config(&format!("{REPORT}{COMMUNITY}")).await;
    for (time, call) in [
        ("2026-05-19 23:59:59", "a 1 post t0"),
        ("2026-05-20 00:00:00", "a 1 post t1"),
        ("2026-05-20 12:00:00", "a>b 1 comment t2"),
        ("2026-05-20 12:00:00", "a>b 1 comment t2"),
        ("2026-05-21 12:00:00", "a 1 share t3"),
        ("2026-05-21 12:00:00", "a 1 like t4"),
        ("2026-05-21 12:00:00", "b 1 post t5"),
        ("2026-05-22 23:59:59", "a 1 comment t6"),
        ("2026-05-23 00:00:00", "a 1 post t7"),
    ] {
        gateway.set_time(time);
        gateway.notify(call).await;
    }
    gateway
        .check_table(
            r#"
            three days | status.user_report {"user_key":"a","begin_date":"2026-05-20","end_date":"2026-05-22"} | {"begin_date":"2026-05-20","comment_count":2,"end_date":"2026-05-22","status_count":2,"user_key":"a"}
            one day    | status.user_report {"user_key":"a","begin_date":"2026-05-20","end_date":"2026-05-20"} | {"begin_date":"2026-05-20","comment_count":1,"end_date":"2026-05-20","status_count":1,"user_key":"a"}
            all        | status.user_report {"user_key":"a","begin_date":"2000-01-01","end_date":"9999-12-31"} | {"begin_date":"2000-01-01","comment_count":2,"end_date":"9999-12-31","status_count":4,"user_key":"a"}
            another    | status.user_report {"user_key":"b","begin_date":"2026-05-20","end_date":"2026-05-22"} | {"begin_date":"2026-05-20","comment_count":0,"end_date":"2026-05-22","status_count":1,"user_key":"b"}
            nobody     | status.user_report {"user_key":"c","begin_date":"2026-05-20","end_date":"2026-05-22"} | {"begin_date":"2026-05-20","comment_count":0,"end_date":"2026-05-22","status_count":0,"user_key":"c"}
            "#,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_come_in_the_documented_order() {
    let gateway = TestGateway::start().await;
    gateway
        .check_table(
            r#"
            nobody      | status.user_report {"begin_date":"2026-05-20","end_date":"2026-05-22"}                | 400 user_key不能为空
            no begin    | status.user_report {"user_key":"a","end_date":"2026-05-22"}                           | 402 begin_date不合法
            no day      | status.user_report {"user_key":"a","begin_date":"2026-02-30","end_date":"2026-05-22"} | 402 begin_date不合法
            no end      | status.user_report {"user_key":"a","begin_date":"2026-05-20"}                         | 402 end_date不合法
            a time      | status.user_report {"user_key":"a","begin_date":"2026-05-20","end_date":"2026-05-22 12:00:00"} | 402 end_date不合法
            backwards   | status.user_report {"user_key":"a","begin_date":"2026-05-20","end_date":"2026-05-19"} | 402 end_date不合法
            "#,
        )
        .await;
}
