//! Member status over the broker: diamonds count exactly once through crashes; profiles; payments.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};
use rsa::pkcs8::EncodePublicKey;
use rsa::sha2::Sha256;
use rsa::{Generate, PrivateKey};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::test_broker::{TestBroker, wait_for_metric};
use crate::osx::client::sign_query;
use crate::program::{Client, Program, ProgramDir, text};

/// Shows diamonds as the community's score1, so that the tests can read them.
const COMMUNITY: &str =
    "[osx]\napp_key = 'testappkey'\napp_secret = 'testsecret'\nscores.score1 = 'diamond'\n";
const MESSAGES: u32 = 2000;
const USERS: u32 = 10;
const COUNT: i64 = 7;

/// The `userInfo` of a user, as the community reads it.
async fn info(client: &Client, user: &str) -> Value {
    let end = jiff::Timestamp::now().as_second() + 60;
    let query = sign_query(&format!(
        "user_token={user}&appKey=testappkey&endtimestamp={end}"
    ));
    let answer = client.get(&format!("/getUserInfo?{query}")).await.unwrap();
    answer.json["data"]["userInfo"].clone()
}

/// Waits until a field of `userInfo` has this value.
async fn shows(client: &Client, user: &str, name: &str, value: Value) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let info = info(client, user).await;
        if info[name] == value {
            return;
        }
        assert!(Instant::now() < deadline, "{user}: {info}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn add(user: u32) -> Value {
    json!({"user_key": format!("u{user}"), "count": COUNT, "change_type": "STEP_DIAMOND"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn diamonds_count_exactly_once_through_three_kills() {
    let broker = TestBroker::declared().await;
    for i in 0..MESSAGES {
        broker
            .publish("status.add_diamond", &add(i % USERS), &format!("m{i}"))
            .await;
    }
    let config = format!("{}{COMMUNITY}", broker.config());
    let mut program = Program::start(&ProgramDir::with_config(&config), &[]).await;
    for waiting in [1500, 1000, 500] {
        broker.wait_until_at_most(waiting).await;
        program.kill();
        assert!(
            broker.waiting(&broker.queue()).await > 0,
            "it was killed after the last message"
        );
        program.restart().await;
    }
    let client = program.client();
    let each = i64::from(MESSAGES / USERS) * COUNT;
    for user in 0..USERS {
        shows(
            &client,
            &format!("u{user}"),
            "score1",
            json!(each.to_string()),
        )
        .await;
    }
    // Redelivered messages are done by now. Publishing some messages once more changes nothing.
    for i in 0..50 {
        broker
            .publish("status.add_diamond", &add(i % USERS), &format!("m{i}"))
            .await;
    }
    assert_eq!(program.terminate().await.code(), Some(0));
    program.restart().await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while broker.waiting(&broker.queue()).await > 0 {
        assert!(Instant::now() < deadline, "messages still wait");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(
        broker.remaining().await,
        (0, 0),
        "the dead-letter queue is empty"
    );
    let audit = text(&program.dir.run(&["audit"]).stdout);
    let all = i64::from(MESSAGES) * COUNT;
    assert!(
        audit.contains(&format!("{MESSAGES} entries, {all} points")),
        "{audit}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn every_status_operation_is_called_by_its_routing_key() {
    let key = PrivateKey::generate();
    let pem = key
        .to_public_key()
        .to_public_key_pem(Default::default())
        .unwrap();
    let broker = TestBroker::declared().await;
    let config = format!(
        "{}{COMMUNITY}[status]\npingpp_public_key = \"\"\"\n{pem}\"\"\"\npay.award = {{ diamond = 'amount' }}\n",
        broker.config()
    );
    let mut program = Program::start(&ProgramDir::with_config(&config), &[]).await;
    let client = program.client();
    let send = async |key: &str, body: Value, id: &str| broker.publish(key, &body, id).await;
    send(
        "broadcast.passport.user_profile_changed",
        json!({"user_key": "a", "user_name": "小一", "height": 165.5, "birthday": "1990-01-31"}),
        "m1",
    )
    .await;
    shows(&client, "a", "nickname", json!("小一")).await;
    let profile = "broadcast.passport.user_profile_changed";
    let unreadable = json!({"user_key": "a", "user_name": "小二", "birthday": "soon"});
    send(profile, unreadable, "m0").await;
    shows(&client, "a", "nickname", json!("小二")).await;
    let skipped = format!(
        r#"pointgate_message_fields_skipped_total{{method="{profile}",parameter="birthday"}} 1"#
    );
    wait_for_metric(&client, &skipped).await;
    send(
        "status.update_profile",
        json!({"user_key": "a", "description": "你好"}),
        "m2",
    )
    .await;
    send(
        "status.follow_public_account",
        json!({"user_key": "a", "account": "shop"}),
        "m3",
    )
    .await;
    send(
        "status.extend_light",
        json!({"user_key": "a", "time": 5}),
        "m4",
    )
    .await;
    send(
        "status.user_report",
        json!({"user_key": "a", "begin_date": "2026-01-01", "end_date": "2026-01-02"}),
        "m5",
    )
    .await;
    send(
        "status.add_diamond",
        json!({"user_key": "a", "count": 50, "change_type": "T", "identity": 9}),
        "m6",
    )
    .await;
    send("status.reduce_diamond", json!({"user_key": "a", "count": 20, "change_type": "T", "identity": 9, "with_prevent": true}), "m7").await;
    send(
        "status.sports_envious.v2",
        json!({"user_key": "a", "envious": -5}),
        "m8",
    )
    .await;
    shows(&client, "a", "score1", json!("25")).await;
    shows(&client, "a", "signature", json!("你好")).await;

    let event = |number: i64| {
        json!({
            "id": format!("evt_{number}"), "type": "charge.succeeded", "livemode": true,
            "data": {"object": {
                "id": format!("ch_{number}"), "paid": true, "order_no": "o1", "amount": 100, "metadata": {"user_key": "a"}
            }}
        })
    };
    // Publishers write the header's name in any casing, and its value as a text or as bytes.
    let text = |signature: String| AMQPValue::LongString(LongString::from(signature));
    let bytes = |signature: String| AMQPValue::ByteArray(signature.into_bytes().into());
    for (number, (name, value)) in (1..).zip([
        ("X-Pingplusplus-Signature", text as fn(String) -> AMQPValue),
        ("x-pingplusplus-signature", text),
        ("X-PINGPLUSPLUS-SIGNATURE", bytes),
    ]) {
        let body = event(number).to_string();
        let signature = STANDARD.encode(key.pkcs1v15_sign::<Sha256>(body.as_bytes()).unwrap());
        let mut headers = FieldTable::default();
        headers.insert(name.into(), value(signature));
        let properties = BasicProperties::default().with_headers(headers);
        broker
            .publish_with("status.pay_notify", body.as_bytes(), properties)
            .await;
        let diamonds = (25 + 100 * number).to_string();
        shows(&client, "a", "score1", json!(diamonds)).await;
    }

    // Refused messages are dead-lettered and block nothing.
    send(
        "status.sports_envious.v2",
        json!({"user_key": "a", "envious": -1000}),
        "m9",
    )
    .await;
    send("status.pay_notify", event(9), "m10").await;
    send(
        "status.sports_envious.v2",
        json!({"user_key": "a", "envious": 1}),
        "m11",
    )
    .await;
    shows(&client, "a", "score1", json!("326")).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 2));
    program.audit();
}
