//! The envelope of an answer: whole bodies with digests from md5sum, and the order of keys at every level.

use std::fmt;

use serde::Deserializer;
use serde::de::{Deserialize, MapAccess, SeqAccess, Visitor};

use super::table::cells;
use crate::test_gateway::{TestGateway, md5, signed_query};

/// The three shapes of `data` in the protocol's document. The digests come from md5sum of `fake-salt:` and the data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_match_the_documented_bodies() {
    let gateway = TestGateway::start().await;
    let table = r#"
        app.yohocoin.get      | uid=50030199&num=200&type=18&referenceId=123456789 | {"alg":"SALT_MD5","code":200,"data":{"currency":"200","uid":50030199},"md5":"9cccd4a986a22a9577b771b22bc35b73","message":"ok"}
        app.yohocoin.get      | uid=50030141&num=3000&type=18&referenceId=a        | {"alg":"SALT_MD5","code":200,"data":{"currency":"3000","uid":50030141},"md5":"de1ab17cfec69244624677485f203dd2","message":"ok"}
        app.yohocoin.total    | uid=50030141                                       | {"alg":"SALT_MD5","code":200,"data":{"code":"20111130-152530","total":3000},"md5":"8b6f2d71bea06061c2986a4eb0e2d962","message":"yoho coin total"}
        app.yoho.yohocoin     | uid=50030141                                       | {"alg":"SALT_MD5","code":200,"data":{"nearExpCoinNum":0,"notice":"","yohocoin_num":3000},"md5":"93fc540a5e90f382ca7640e934848c09","message":"yoho coin total"}
        app.yohocoin.total    |                                                    | {"alg":"SALT_MD5","code":404,"data":{},"md5":"13ca850f9b1c0646625b041ce2fbd228","message":"uid为空！"}
        app.yohocoin.lists    |                                                    | {"alg":"SALT_MD5","code":404,"data":{},"md5":"13ca850f9b1c0646625b041ce2fbd228","message":"uid为空！"}
        app.yohocoin.lists    | uid=50030199                                       | {"alg":"SALT_MD5","code":200,"data":{"coinlist":[{"date":"2026-05-20 11:30:32","key":"123456789","message":"合格评价123456789","num":200,"title":"合格评价","type":18}],"limit":20,"page":1,"page_total":1,"total":1},"md5":"a7ce5e63da891c93edaf61f1ece34bbb","message":"yoho coin list"}
        app.yoho.yohocoin     |                                                    | {"code":404,"message":"uid为空！"}
        app.yohocoin.lists    | uid=5&queryType=3                                  | {"code":403,"message":"queryType不合法"}
        app.yohocoin.get      |                                                    | {"code":400,"message":"请先登录"}
        app.yohocoin.subtract | uid=5&num=-1&type=19&orderCode=A                   | {"code":407,"message":"有货币不足"}
        app.yohocoin.return   | uid=5&num=1&type=22&orderCode=A                    | {"code":409,"message":"订单未使用有货币"}
        app.none              |                                                    | {"code":501,"message":"method不存在"}
    "#;
    for line in table.lines().filter(|line| line.contains('|')) {
        let [method, parameters, body] = cells(line);
        assert_eq!(
            gateway.call(method, parameters).await,
            (200, body.to_owned()),
            "{method} {parameters}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_salt_changes_at_its_time() {
    let toml = "[yoho]\nnext_salt = 'next-salt'\nnext_salt_from = '2026-05-20 12:00:00'";
    let gateway = TestGateway::with_config(toml).await;
    let data = r#"{"code":"20111130-152530","total":0}"#;
    for (time, salt) in [("11:59:59", "fake-salt"), ("12:00:00", "next-salt")] {
        gateway.set_time(&format!("2026-05-20 {time}"));
        let digest = md5(&format!("{salt}:{data}"));
        let body = format!(
            r#"{{"alg":"SALT_MD5","code":200,"data":{data},"md5":"{digest}","message":"yoho coin total"}}"#
        );
        let answer = gateway.call("app.yohocoin.total", "uid=5").await;
        assert_eq!(answer, (200, body), "{time}");
    }
}

/// The names in each object of a JSON text, in their order.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("numbers, texts, lists and objects")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let (mut own, mut inner) = (Vec::new(), Vec::new());
                while let Some((name, Names(below))) = map.next_entry::<String, Names>()? {
                    own.push(name);
                    inner.extend(below);
                }
                let mut sorted = own.clone();
                sorted.sort();
                assert_eq!(own, sorted, "not in alphabetical order");
                own.extend(inner);
                Ok(Names(own))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
                let mut all = Vec::new();
                while let Some(Names(names)) = seq.next_element()? {
                    all.extend(names);
                }
                Ok(Names(all))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Names, E> {
                Ok(Names(Vec::new()))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Names, E> {
                Ok(Names(Vec::new()))
            }

            fn visit_str<E>(self, _: &str) -> Result<Names, E> {
                Ok(Names(Vec::new()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_in_alphabetical_order_at_every_level() {
    let gateway = TestGateway::start().await;
    let envelope = "alg code data md5 message ";
    let rows = [
        (
            "app.yohocoin.get",
            "uid=5&num=9&type=17&referenceId=a",
            "currency uid",
        ),
        (
            "app.yohocoin.add",
            "uid=5&num=9&type=18&referenceId=a",
            "currency uid",
        ),
        (
            "app.yohocoin.subtract",
            "uid=5&num=-5&type=19&orderCode=A",
            "currency uid",
        ),
        (
            "app.yohocoin.return",
            "uid=5&num=5&type=22&orderCode=A",
            "currency uid",
        ),
        ("app.yohocoin.total", "uid=5", "code total"),
        (
            "app.yoho.yohocoin",
            "uid=5",
            "nearExpCoinNum notice yohocoin_num",
        ),
        (
            "app.yohocoin.lists",
            "uid=5&limit=2",
            "coinlist limit page page_total total date key message num title type date key message num title type",
        ),
    ];
    for (method, parameters, names) in rows {
        let (_, body) = gateway.call(method, parameters).await;
        let Names(found) = serde_json::from_str(&body).unwrap();
        assert_eq!(
            found.join(" "),
            format!("{envelope}{names}"),
            "{method}: {body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_content_type_is_json() {
    let gateway = TestGateway::start().await;
    let signed = signed_query("app.yohocoin.total");
    for path in [
        format!("/gateway?{signed}"),
        "/gateway".to_owned(),
        "/gateway?a=%FF".to_owned(),
    ] {
        let response = gateway.get_response(&path).await;
        assert_eq!(response.status(), 200, "{path}");
        let kind = response.headers().get("content-type").unwrap();
        assert_eq!(kind, "application/json;charset=UTF-8", "{path}");
    }
}
