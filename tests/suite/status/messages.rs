//! Messages count once per message id and method.

use std::path::Path;
use std::sync::Arc;

use pointgate::clock::Clock;
use pointgate::config::Config;
use pointgate::endpoints;
use pointgate::gateway::context::PointLimits;
use pointgate::gateway::context::{Context, Delivery, MessageId, Origin, RequestId};
use pointgate::gateway::endpoint::Dispatch;
use pointgate::gateway::fault::CallError;
use pointgate::gateway::parameters::Parameters;
use pointgate::ledger::Ledger;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Idempotency, NEVER, Posting, PostingKind, Reason,
};
use pointgate::server;
use pointgate::services::Services;
use sea_orm::{Database, EntityTrait, IntoActiveModel};

/// The time of all messages, in milliseconds: 2026-05-20 11:30:32 in Shanghai.
pub const NOW: i64 = 1_779_247_832_000;

/// The methods that messages call, over a ledger of their own.
pub struct Messages {
    methods: Arc<dyn Dispatch>,
    config: Config,
    pub ledger: Ledger,
    _folder: tempfile::TempDir,
}

impl Messages {
    pub async fn new() -> Messages {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        let config = Config::parse("", Path::new(&file), &[]).unwrap();
        let clock = Clock::new(|| NOW);
        let ledger = server::open_ledger(&config, clock.clone()).await.unwrap();
        let services = Services::new(ledger.clone(), &config, clock);
        let endpoints = endpoints::all(&config).unwrap();
        let mut handlers = endpoints.iter().map(|it| it.start(&services));
        Messages {
            methods: handlers.find_map(|it| it.dispatcher()).unwrap(),
            config,
            ledger,
            _folder: folder,
        }
    }

    /// Dispatches a message of a publisher without a name; returns the reply's data, or the fault's code and message.
    async fn send(&self, id: Option<&str>, method: &str, body: &str) -> String {
        let message = id.map(|id| MessageId {
            id: id.to_owned(),
            ..MessageId::default()
        });
        self.deliver(message, method, body).await
    }

    /// Dispatches a message with this identity, but for its content, which the body gives.
    async fn deliver(&self, message: Option<MessageId>, method: &str, body: &str) -> String {
        self.deliver_at(NOW, message, method, body).await
    }

    /// As [`Messages::deliver`], at this time (ms).
    pub async fn deliver_at(
        &self,
        now: i64,
        message: Option<MessageId>,
        method: &str,
        body: &str,
    ) -> String {
        let parameters: Parameters<'_> = serde_json::from_str(body).unwrap();
        let content = parameters.canonical();
        let message = message.map(|message| MessageId { content, ..message });
        let context = Context {
            request_id: RequestId::new("r1").unwrap(),
            origin: Origin {
                dialect: "broker",
                caller: "queue".to_owned(),
                key: None,
                address: None,
            },
            now,
            points: PointLimits::default(),
            details: Delivery {
                message,
                signed_body: None,
            },
        };
        match self.methods.dispatch(method, &parameters, context).await {
            Ok(reply) => reply.data,
            Err(CallError::Fault(fault)) => format!("{} {}", fault.code, fault.message),
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_counts_once_per_id_and_method() {
    let messages = Messages::new().await;
    let light = |n| format!(r#"{{"light_until":"2026-05-{n} 11:30:32"}}"#);
    let diamonds = |n| format!(r#"{{"diamonds":{n},"user_key":"a"}}"#);
    let add = r#"{"user_key":"a","count":5,"change_type":"T"}"#;
    let with_identity = r#"{"user_key":"a","count":5,"change_type":"T","identity":7}"#;
    let sports = r#"{"user_key":"a","envious":-1}"#;
    let lit = r#"{"user_key":"a","time":1}"#;
    for (id, method, body, answer) in [
        (Some("m1"), "status.add_diamond", add, diamonds(5)),
        (Some("m1"), "status.add_diamond", add, diamonds(5)),
        (Some("m2"), "status.add_diamond", add, diamonds(10)),
        (None, "status.add_diamond", add, diamonds(15)),
        (None, "status.add_diamond", add, diamonds(20)),
        (Some("m1"), "status.add_diamond", add, diamonds(5)),
        (
            Some("m3"),
            "status.add_diamond",
            with_identity,
            diamonds(25),
        ),
        (
            Some("m4"),
            "status.add_diamond",
            with_identity,
            diamonds(25),
        ),
        (Some("m1"), "status.reduce_diamond", add, diamonds(20)),
        (Some("m1"), "status.reduce_diamond", add, diamonds(20)),
        (Some("m1"), "status.sports_envious.v2", sports, diamonds(19)),
        (Some("m1"), "status.sports_envious.v2", sports, diamonds(19)),
        (Some("m1"), "status.extend_light", lit, light(21)),
        (Some("m1"), "status.extend_light", lit, light(21)),
        (Some("m2"), "status.extend_light", lit, light(22)),
        (Some("m1"), "status.extend_light", lit, light(21)),
        (None, "status.extend_light", lit, light(23)),
        (
            Some("m1"),
            "status.add_diamond",
            r#"{"user_key":"a","count":6,"change_type":"T"}"#,
            "412 message_id已被使用".into(),
        ),
    ] {
        assert_eq!(
            messages.send(id, method, body).await,
            answer,
            "{id:?} {method} {body}"
        );
    }
}

/// A late redelivery does not undo a later message.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_redelivery_undoes_nothing() {
    let messages = Messages::new().await;
    let method = "status.update_profile";
    let body = |line: &str| format!(r#"{{"user_key":"a","description":"{line}"}}"#);
    for (id, line) in [("m1", "one"), ("m2", "two"), ("m1", "one")] {
        messages.send(Some(id), method, &body(line)).await;
    }
    let db = Database::connect(messages.config.database.url.reveal())
        .await
        .unwrap();
    let member = entity::member::Entity::find()
        .one(&db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(member.signature.as_deref(), Some("two"));
}

/// A profile message with fields that cannot be read sets the others.
#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_field_does_not_lose_the_others() {
    let messages = Messages::new().await;
    let method = "broadcast.passport.user_profile_changed";
    let long = "x".repeat(1025);
    let body = format!(
        r#"{{"user_key":"a","user_name":"n","birthday":"soon","height":"tall","sex_type":3,"avatar_url":"{long}","location":"l"}}"#
    );
    let sent = messages.send(Some("1"), method, &body).await;
    assert_eq!(sent, r#"{"user_key":"a"}"#);
    let db = Database::connect(messages.config.database.url.reveal());
    let db = db.await.unwrap();
    let member = entity::member::Entity::find().one(&db).await.unwrap();
    let member = member.unwrap();
    assert_eq!(member.nickname.as_deref(), Some("n"));
    assert_eq!(member.location.as_deref(), Some("l"));
    let unset = (member.birthday, member.height, member.sex, member.avatar);
    assert_eq!(unset, (None, None, None, None));
    // The parameter that names the member is not optional, and other methods have no such parameters.
    for (method, body) in [
        (method, r#"{"user_key":["a"],"user_name":"n"}"#),
        (
            "status.add_diamond",
            r#"{"user_key":"a","count":1,"change_type":"T","identity":[]}"#,
        ),
    ] {
        let sent = messages.send(Some("2"), method, body).await;
        assert!(sent.starts_with('4'), "{sent}");
    }
}

const ADD: &str = "status.add_diamond";
const LIGHT: &str = "status.extend_light";

/// The identity of a message, without its content.
pub fn message(publisher: &str, id: &str) -> Option<MessageId> {
    Some(MessageId {
        publisher: publisher.to_owned(),
        id: id.to_owned(),
        ..MessageId::default()
    })
}

/// Two publishers that both number their messages from 1 lose none of them.
#[tokio::test(flavor = "multi_thread")]
async fn publishers_number_their_messages_for_themselves() {
    let messages = Messages::new().await;
    let add = r#"{"user_key":"a","count":5,"change_type":"T"}"#;
    let lit = r#"{"user_key":"a","time":1}"#;
    for (publisher, diamonds, day) in [
        ("", 5, 21),
        ("one", 10, 22),
        ("two", 15, 23),
        ("one", 10, 22),
    ] {
        let sent = messages.deliver(message(publisher, "1"), ADD, add).await;
        assert_eq!(
            sent,
            format!(r#"{{"diamonds":{diamonds},"user_key":"a"}}"#),
            "{publisher}"
        );
        let sent = messages.deliver(message(publisher, "1"), LIGHT, lit).await;
        assert_eq!(
            sent,
            format!(r#"{{"light_until":"2026-05-{day} 11:30:32"}}"#),
            "{publisher}"
        );
    }
}

/// The same id with another user or another body is another message, which must not pass for a redelivery.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_stands_for_one_content() {
    let messages = Messages::new().await;
    for (method, first, others) in [
        (
            ADD,
            r#"{"user_key":"a","count":5,"change_type":"T"}"#,
            [
                r#"{"user_key":"b","count":5,"change_type":"T"}"#,
                r#"{"user_key":"a","count":5,"change_type":"U"}"#,
            ],
        ),
        (
            "status.reduce_diamond",
            r#"{"user_key":"a","count":1,"change_type":"T","identity":1}"#,
            [
                r#"{"user_key":"a","count":1,"change_type":"T","identity":2}"#,
                r#"{"user_key":"a","count":1,"change_type":"T"}"#,
            ],
        ),
        (
            "status.sports_envious.v2",
            r#"{"user_key":"a","envious":1}"#,
            [
                r#"{"user_key":"b","envious":1}"#,
                r#"{"user_key":"a","envious":2}"#,
            ],
        ),
        (
            LIGHT,
            r#"{"user_key":"a","time":1}"#,
            [
                r#"{"user_key":"b","time":1}"#,
                r#"{"user_key":"a","time":2}"#,
            ],
        ),
        (
            "status.follow_public_account",
            r#"{"user_key":"a","account":"shop"}"#,
            [
                r#"{"user_key":"b","account":"shop"}"#,
                r#"{"user_key":"a","account":"service"}"#,
            ],
        ),
        (
            "status.update_profile",
            r#"{"user_key":"a","description":"x"}"#,
            [
                r#"{"user_key":"b","description":"x"}"#,
                r#"{"user_key":"a","description":"y"}"#,
            ],
        ),
        (
            "broadcast.passport.user_profile_changed",
            r#"{"user_key":"a","user_name":"x"}"#,
            [
                r#"{"user_key":"b","user_name":"x"}"#,
                r#"{"user_key":"a","user_name":"y"}"#,
            ],
        ),
    ] {
        let answer = messages.send(Some("1"), method, first).await;
        assert!(answer.starts_with('{'), "{method}: {answer}");
        for other in others {
            let refused = messages.send(Some("1"), method, other).await;
            assert_eq!(refused, "412 message_id已被使用", "{other}");
        }
        // The same content in another spelling is a redelivery.
        let spelled = first.replace(':', " : ");
        assert_eq!(messages.send(Some("1"), method, &spelled).await, answer);
    }
    assert_eq!(messages.ledger.audit(|_, _| {}).await.unwrap().points, 5);
}

/// An older version of the program applied a message and did not come to acknowledge it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_an_older_version_applied_counts_once() {
    let messages = Messages::new().await;
    let older = |method: &str| Key::of(&["message", method, "1"]);
    let account = AccountKey {
        owner: "key:a".into(),
        asset: "diamond".into(),
    };
    let posting = Posting {
        account,
        kind: PostingKind::Earn {
            amount: 5,
            expires_at: NEVER,
        },
        reason: Reason(3),
        idempotency: Some(Idempotency {
            key: older(ADD),
            fingerprint: Key::of(&["5"]),
        }),
        requires: None,
        reference: None,
        message: None,
        operator: None,
    };
    messages.ledger.post(posting).await.unwrap();
    let db = Database::connect(messages.config.database.url.reveal())
        .await
        .unwrap();
    let insert = async |key: Key, at: i64| {
        let row = entity::message::Model {
            message_key: key.bytes().to_vec(),
            at,
            result: NOW.to_string(),
            fingerprint: None,
        };
        let row = entity::message::Entity::insert(row.into_active_model());
        row.exec_without_returning(&db).await.unwrap();
    };
    insert(older(LIGHT), NOW - 1).await;
    let follow = "status.follow_public_account";
    insert(older(follow), NOW - 86_400_000).await;

    let redelivered = |publisher: &str| {
        let message = message(publisher, "1");
        message.map(|message| MessageId {
            redelivered: true,
            ..message
        })
    };
    let add = |user: &str| format!(r#"{{"user_key":"{user}","count":5,"change_type":"T"}}"#);
    let lit = r#"{"user_key":"a","time":1}"#;
    let diamonds = |user: &str, n: i64| format!(r#"{{"diamonds":{n},"user_key":"{user}"}}"#);
    assert_eq!(
        messages.deliver(redelivered("one"), ADD, &add("a")).await,
        diamonds("a", 5)
    );
    assert_eq!(
        messages.deliver(redelivered("one"), LIGHT, lit).await,
        r#"{"light_until":"2026-05-20 11:30:32"}"#
    );
    // Another user's message, and a new one of the same user, only look like it.
    assert_eq!(
        messages.deliver(redelivered("three"), ADD, &add("b")).await,
        diamonds("b", 5)
    );
    assert_eq!(
        messages.deliver(message("two", "1"), ADD, &add("a")).await,
        diamonds("a", 10)
    );
    assert_eq!(
        messages.deliver(message("one", "1"), LIGHT, lit).await,
        r#"{"light_until":"2026-05-21 11:30:32"}"#
    );
    // A day later the broker has delivered it again.
    let body = r#"{"user_key":"a","account":"shop"}"#;
    messages.deliver(redelivered("one"), follow, body).await;
    let follows = entity::follow::Entity::find().all(&db).await.unwrap();
    assert_eq!(follows.len(), 1);
}
