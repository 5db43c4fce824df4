//! A toy dialect: one file and one line of registration, and it is served, described, signed and counted.

use std::sync::Arc;

use pointgate::cli::methods::describe;
use pointgate::clock::Clock;
use pointgate::config::Config;
use pointgate::endpoints;
use pointgate::gateway::context::Context;
use pointgate::gateway::description::Description;
use pointgate::gateway::dialect::{Answer, Call, Dialect, Request, RequestError};
use pointgate::gateway::endpoint::{Endpoint, Handler, Route, Sample, SignedRequest};
use pointgate::gateway::fault::{CallError, Fault};
use pointgate::gateway::method::Method;
use pointgate::gateway::parameters::{Parameters, Raw};
use pointgate::gateway::params::ParameterFaults;
use pointgate::gateway::permissions::Refusal;
use pointgate::gateway::registry::Registry;
use pointgate::gateway::reply::Reply;
use pointgate::gateway::service::Service;
use pointgate::params;
use pointgate::points::coins::Coins;
use pointgate::points::values::Uid;
use pointgate::server::start_with;
use pointgate::services::Services;

use crate::test_gateway::md5;

const NO_UID: Fault = Fault::new(4, "no uid");
const FORGED: Fault = Fault::new(3, "forged");
const KEY: &str = "toy-key";

/// The dialect `GET /toy?UID.SIGNATURE`.
struct ToyDialect;

impl Dialect for ToyDialect {
    type Details = ();

    fn open<'a>(&self, request: &Request<'a>) -> Result<Call<'a, ()>, Fault> {
        let (uid, signature) = request.query.split_once('.').ok_or(FORGED)?;
        if md5(&format!("{uid}{KEY}")) != signature {
            return Err(FORGED);
        }
        let mut parameters = Parameters::default();
        parameters.push("uid".into(), Raw::Text(uid.into()));
        Ok(Call {
            method: Some("toy.balance".to_owned()),
            parameters,
            caller: "toy-app".to_owned(),
            key: Some("current"),
            permissions: None,
            details: (),
        })
    }

    fn max_body(&self, _query: &str) -> usize {
        0
    }

    fn seal(&self, outcome: Result<Reply, CallError>, _now: i64) -> Answer {
        let (code, body) = match outcome {
            Ok(reply) => (0, reply.data),
            Err(CallError::Fault(fault)) => (fault.code, fault.message.into_owned()),
            Err(CallError::Busy | CallError::Internal) => (9, "broken".to_owned()),
        };
        Answer {
            status: 200,
            code,
            body,
        }
    }

    fn unknown_method(&self, _named: Option<&str>) -> Fault {
        Fault::new(1, "no method")
    }

    fn refused(&self, _refusal: Refusal) -> Fault {
        FORGED
    }

    fn refuse_request(&self, _error: RequestError) -> Answer {
        self.seal(Err(CallError::Internal), 0)
    }
}

impl ParameterFaults for ToyDialect {
    fn absent(&self, _name: &str) -> Fault {
        NO_UID
    }

    fn wrong(&self, _name: &str) -> Fault {
        NO_UID
    }

    fn too_long(&self, _name: &str) -> Fault {
        NO_UID
    }
}

params! {
    /// The parameters of `toy.balance`.
    pub struct Params {
        /// the user whose coins are counted
        uid: Uid = required or NO_UID,
    }
}

/// Replies with the origin, the request id, the time and the balance, so that the test sees the whole context.
struct Balance;

impl Method for Balance {
    const NAME: &'static str = "toy.balance";
    const SUMMARY: &'static str = "answers a balance in the toy dialect";
    const EXAMPLE: &'static str = "uid=5";
    const MESSAGE: &'static str = "";
    type State = Coins;
    type Details = ();
    type Params = Params;
    type Reply = (String, String, i64, i64);

    async fn call(
        coins: &Coins,
        Params { uid }: Params,
        context: Context,
    ) -> Result<Self::Reply, CallError> {
        let balance = coins.ledger.balance(Coins::account(uid)).await?;
        let origin = context.origin;
        let key = origin.key.unwrap_or("-");
        let from = format!(
            "{} {} {key} {:?}",
            origin.dialect, origin.caller, origin.address
        );
        let id = context.request_id.to_string();
        Ok((from, id, context.now, balance.unwrap_or(0)))
    }
}

struct Toy(Arc<Registry<Arc<Coins>, ()>>);

impl Toy {
    fn new() -> Toy {
        let mut methods = Registry::default();
        methods.add::<Balance>().unwrap();
        Toy(Arc::new(methods))
    }
}

impl Endpoint<Services> for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn routes(&self) -> Vec<Route> {
        vec![Route {
            path: "/toy",
            methods: &["GET"],
        }]
    }

    fn methods(&self) -> Vec<Description> {
        let methods = self.0.methods().iter();
        methods
            .map(|it| it.describe(&ToyDialect, |_, example| example.to_owned()))
            .collect()
    }

    fn sign(&self, sample: Sample) -> Result<SignedRequest, String> {
        let (_, uid) = sample.parameters.first().ok_or("whose?")?;
        Ok(SignedRequest {
            target: format!("/toy?{uid}.{}", md5(&format!("{uid}{KEY}"))),
            json: None,
        })
    }

    fn summary(&self) -> String {
        "is a toy".to_owned()
    }

    fn start(&self, services: &Services) -> Arc<dyn Handler> {
        Arc::new(Service {
            name: self.name(),
            dialect: ToyDialect,
            methods: self.0.clone(),
            state: services.coins.clone(),
            timeout: services.timeout,
            dispatcher: None,
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toy_dialect_is_served_described_signed_and_counted() {
    const SETTINGS: &str = "[server]\nlisten = '127.0.0.1:0'\ntrusted_proxies = ['127.0.0.1']\n\
         [yoho]\nsalt = 's'\n[yoho.client_keys]\nweb = 'w'\n";
    let folder = tempfile::tempdir().unwrap();
    let config = Config::parse(SETTINGS, &folder.path().join("gateway.toml"), &[]).unwrap();
    let mut endpoints = endpoints::all(&config).unwrap();
    // The one line of registration.
    endpoints.push(Box::new(Toy::new()));

    let described = describe(&endpoints);
    let toy = "toy.balance\n    answers a balance in the toy dialect\n";
    assert!(described.contains(toy), "{described}");
    assert!(
        described.contains("try: pointgate sign toy uid=5\n"),
        "{described}"
    );

    let sample = Sample {
        parameters: vec![("uid".to_owned(), "5".to_owned())],
        ..Sample::default()
    };
    let signed = endpoints.last().unwrap().sign(sample).unwrap();

    let server = start_with(&config, Clock::new(|| 1_000), endpoints)
        .await
        .unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |target: &str, id: &str| {
        let request = http.get(format!("http://{}{target}", server.address));
        let request = request
            .header("x-request-id", id)
            .header("x-forwarded-for", "203.0.113.7");
        let response = request.send().await.unwrap();
        let echoed = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        (echoed, response.text().await.unwrap())
    };
    let origin = "toy toy-app current Some(203.0.113.7)";
    let expected = format!(r#"["{origin}","r-1",1000,0]"#);
    assert_eq!(
        get(&signed.target, "r-1").await,
        ("r-1".to_owned(), expected)
    );
    let forged = get("/toy?5.0", "r-2").await;
    assert_eq!(forged, ("r-2".to_owned(), "forged".to_owned()));

    let metrics = http.get(format!("http://{}/metrics", server.address));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    for line in [
        r#"pointgate_requests_total{dialect="toy",method="toy.balance",code="0"} 1"#,
        r#"pointgate_requests_total{dialect="toy",method="-",code="3"} 1"#,
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    server.stop().await;
}
