//! Messages count once per message id and method.

use std::path::Path;
use std::sync::Arc;

use pointgate::clock::Clock;
use pointgate::config::Config;
use pointgate::endpoints;
use pointgate::gateway::context::PointLimits;
use pointgate::gateway::context::{Context, Delivery, Origin, RequestId};
use pointgate::gateway::endpoint::Dispatch;
use pointgate::gateway::fault::CallError;
use pointgate::server;
use pointgate::services::Services;
use sea_orm::{Database, EntityTrait};

/// The time of all messages, in milliseconds: 2026-05-20 11:30:32 in Shanghai.
const NOW: i64 = 1_779_247_832_000;

struct Messages {
    methods: Arc<dyn Dispatch>,
    config: Config,
    _folder: tempfile::TempDir,
}

impl Messages {
    async fn new() -> Messages {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        let config = Config::parse("", Path::new(&file), &[]).unwrap();
        let clock = Clock::new(|| NOW);
        let ledger = server::open_ledger(&config, clock.clone()).await.unwrap();
        let services = Services::new(ledger, &config, clock);
        let endpoints = endpoints::all(&config).unwrap();
        let mut handlers = endpoints.iter().map(|it| it.start(&services));
        Messages {
            methods: handlers.find_map(|it| it.dispatcher()).unwrap(),
            config,
            _folder: folder,
        }
    }

    /// Dispatches a message; returns the reply's data, or the fault's code and message.
    async fn send(&self, id: Option<&str>, method: &str, body: &str) -> String {
        let parameters = serde_json::from_str(body).unwrap();
        let context = Context {
            request_id: RequestId::new("r1").unwrap(),
            origin: Origin {
                dialect: "broker",
                caller: "queue".to_owned(),
                key: None,
                address: None,
            },
            now: NOW,
            points: PointLimits::default(),
            details: Delivery {
                message_id: id.map(str::to_owned),
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
            "410 identity已被使用".into(),
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
