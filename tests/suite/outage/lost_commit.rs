//! A commit is lost on its way, or its answer on the way back: what counts once succeeds all the same and counts once, and of
//! anything else nobody says more than is known.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::database_server::{DatabaseServer, ServerKind};
use crate::openapi::client::{ENVELOPE_SIGNER, PARTNERS, next_nonce};
use crate::osx::client::{COMMUNITY, sign_action};
use crate::program::{Answer, CONFIG, Client, Program, ProgramDir, sign_query};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/with_servers.sh"]
async fn postgresqls_is_lost() {
    is_lost(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn mariadbs_is_lost() {
    is_lost(ServerKind::MariaDb).await;
}

async fn is_lost(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let proxy = CommitProxy::to(server.address()).await;
    let config = format!("{CONFIG}{PARTNERS}{COMMUNITY}");
    let dir = ProgramDir::with_config(&config).on_database(&server.url_at(proxy.address));
    let program = Program::start(&dir, &[]).await;
    let caller = Caller(program.client());
    for (lost, happened) in [(Dropped::Commit, 0), (Dropped::Answer, 1)] {
        let uid = format!("5003000{happened}");
        let earn = [("num", "10"), ("type", "18"), ("referenceId", "r")];
        let (status, data) = proxy
            .drop_during(lost, caller.coins("app.yohocoin.get", &uid, &earn))
            .await;
        assert_eq!((status, &data["currency"]), (200, &json!("10")), "{lost:?}");
        let spend = [("num", "-3"), ("type", "19"), ("orderCode", "o")];
        let (status, data) = proxy
            .drop_during(lost, caller.coins("app.yohocoin.subtract", &uid, &spend))
            .await;
        assert_eq!((status, &data["currency"]), (200, &json!("7")), "{lost:?}");

        let once = next_nonce();
        let (status, first) = proxy
            .drop_during(lost, caller.notify(&format!("{uid} 1 post {once}")))
            .await;
        assert_eq!((status, &first["user_info"]["score1"]), (200, &json!("10")));
        let again = caller.notify(&format!("{uid} 1 post {once}")).await;
        assert_eq!(again, (200, first), "{lost:?}");

        // Its nonce would be found spent, whoever spent it.
        assert_eq!(
            proxy.drop_during(lost, caller.add(&uid, "b")).await.0,
            500,
            "{lost:?}"
        );
        assert_eq!(caller.add(&uid, "b").await.0, 200, "{lost:?}");
        assert_eq!(caller.0.total(&uid).await, 8, "{lost:?}");

        let one = [("count", "1"), ("change_type", "outage")];
        let diamond = || caller.status("status.add_diamond", &uid, &one);
        assert_eq!(proxy.drop_during(lost, diamond()).await.0, 500, "{lost:?}");
        let stand = json!(happened + 1);
        assert_eq!(diamond().await.1["diamonds"], stand, "{lost:?}");

        let line = [("description", "x")];
        let profile = caller.status("status.update_profile", &uid, &line);
        assert_eq!(proxy.drop_during(lost, profile).await.0, 200, "{lost:?}");
        let light = caller.status("status.extend_light", &uid, &[("time", "1")]);
        assert_eq!(proxy.drop_during(lost, light).await.0, 500, "{lost:?}");
    }
    program.audit();
}

/// Whoever calls gets HTTP's status and the data.
struct Caller(Client);

impl Caller {
    async fn call(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let Answer { status, json, .. } = Client::send(request).await.unwrap();
        (status, json["data"].clone())
    }

    async fn get(&self, path: String) -> (u16, Value) {
        let url = format!("{}{path}", self.0.base);
        self.call(self.0.http.get(url)).await
    }

    async fn coins(&self, method: &str, uid: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let parameters = [&[("method", method), ("uid", uid)], more].concat();
        self.get(format!("/gateway?{}", sign_query(&parameters)))
            .await
    }

    async fn status(&self, method: &str, user: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let parameters = [&[("method", method), ("user_key", user)], more].concat();
        self.get(format!("/gateway?{}", sign_query(&parameters)))
            .await
    }

    async fn notify(&self, call: &str) -> (u16, Value) {
        let query = sign_action(call, Timestamp::now().as_second() + 600);
        self.get(format!("/userActionNotify?{query}")).await
    }

    async fn add(&self, uid: &str, biz_id: &str) -> (u16, Value) {
        let params = json!({
            "customerId": uid, "balance": 1, "bizId": format!("{biz_id}-{uid}"), "reason": "", "sourceType": 1,
            "pointsChannel": 1,
        });
        let seconds = Timestamp::now().as_second();
        let envelope = ENVELOPE_SIGNER.envelope(seconds, &next_nonce(), "user.points-add", &params);
        let url = format!("{}/api/v2", self.0.base);
        let post = self.0.http.post(url).body(envelope.to_string());
        self.call(post).await
    }
}

/// What does not arrive. The connection ends then.
#[derive(Clone, Copy, Debug)]
enum Dropped {
    Commit,
    Answer,
}

/// A proxy between the program and the server.
struct CommitProxy {
    address: SocketAddr,
    drop_during: Arc<Mutex<Option<Dropped>>>,
}

impl CommitProxy {
    async fn to(server: SocketAddr) -> CommitProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let drop_during = Arc::new(Mutex::new(None));
        let next = drop_during.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(server).await.unwrap();
                tokio::spawn(carry(near, far, next.clone()));
            }
        });
        CommitProxy {
            address,
            drop_during,
        }
    }

    /// Loses this of the first commit that a call needs, which must need one.
    async fn drop_during<T>(&self, lost: Dropped, call: impl Future<Output = T>) -> T {
        *self.drop_during.lock().unwrap() = Some(lost);
        let answer = call.await;
        assert!(
            self.drop_during.lock().unwrap().is_none(),
            "there was no commit"
        );
        answer
    }
}

/// Carries what comes to the other side, until something is lost.
async fn carry(mut near: TcpStream, mut far: TcpStream, drop_during: Arc<Mutex<Option<Dropped>>>) {
    let (mut asked, mut answered) = ([0; 65536], [0; 65536]);
    let mut sweeps = false;
    loop {
        tokio::select! {
            count = near.read(&mut asked) => {
                let Ok(count @ 1..) = count else { return };
                let asked = &asked[..count];
                // The whole statement, which stands at the end of either protocol's packet.
                let commits = asked.ends_with(b"COMMIT") || asked.ends_with(b"COMMIT\0");
                // Nobody called for what the program does by itself when it starts.
                let sweep = |text: &[u8]| text.starts_with(b"DELETE FROM ") && text.ends_with(b"nonce");
                sweeps |= asked.windows(18).any(sweep);
                let counts = commits && !std::mem::take(&mut sweeps);
                let lost = if counts { drop_during.lock().unwrap().take() } else { None };
                if matches!(lost, Some(Dropped::Commit)) || far.write_all(asked).await.is_err() {
                    return;
                }
                if lost.is_some() {
                    let _ = far.read(&mut answered).await;
                    return;
                }
            }
            count = far.read(&mut answered) => {
                let Ok(count @ 1..) = count else { return };
                if near.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
