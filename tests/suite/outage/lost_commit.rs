//! A COMMIT or its answer is lost between gateway and database: a write with an idempotency key succeeds all the same and counts
//! once; any other write answers an internal error, since its outcome is unknown.

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
async fn a_lost_commit_on_postgresql_counts_once() {
    lose_commits(ServerKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: tests/with_servers.sh"]
async fn a_lost_commit_on_mariadb_counts_once() {
    lose_commits(ServerKind::MariaDb).await;
}

async fn lose_commits(kind: ServerKind) {
    let server = DatabaseServer::new(kind).await;
    let proxy = CommitProxy::to(server.address()).await;
    let config = format!("{CONFIG}{PARTNERS}{COMMUNITY}");
    let dir = ProgramDir::with_config(&config).on_database(&server.url_at(proxy.address));
    let program = Program::start(&dir, &[]).await;
    let caller = Caller(program.client());
    for (dropped, applied) in [(Dropped::Commit, 0), (Dropped::Answer, 1)] {
        let uid = format!("5003000{applied}");
        let earn = [("num", "10"), ("type", "18"), ("referenceId", "r")];
        let (status, data) = proxy
            .drop_during(dropped, caller.coins("app.yohocoin.get", &uid, &earn))
            .await;
        assert_eq!(
            (status, &data["currency"]),
            (200, &json!("10")),
            "{dropped:?}"
        );
        let spend = [("num", "-3"), ("type", "19"), ("orderCode", "o")];
        let (status, data) = proxy
            .drop_during(dropped, caller.coins("app.yohocoin.subtract", &uid, &spend))
            .await;
        assert_eq!(
            (status, &data["currency"]),
            (200, &json!("7")),
            "{dropped:?}"
        );

        let token = next_nonce();
        let (status, first) = proxy
            .drop_during(dropped, caller.notify(&format!("{uid} 1 post {token}")))
            .await;
        assert_eq!((status, &first["user_info"]["score1"]), (200, &json!("10")));
        let again = caller.notify(&format!("{uid} 1 post {token}")).await;
        assert_eq!(again, (200, first), "{dropped:?}");

        // After the loss the gateway cannot tell whether this call or another one used the nonce.
        assert_eq!(
            proxy.drop_during(dropped, caller.add(&uid, "b")).await.0,
            500,
            "{dropped:?}"
        );
        assert_eq!(caller.add(&uid, "b").await.0, 200, "{dropped:?}");
        assert_eq!(caller.0.total(&uid).await, 8, "{dropped:?}");

        let one = [("count", "1"), ("change_type", "outage")];
        let diamond = || caller.status("status.add_diamond", &uid, &one);
        assert_eq!(
            proxy.drop_during(dropped, diamond()).await.0,
            500,
            "{dropped:?}"
        );
        let expected = json!(applied + 1);
        assert_eq!(diamond().await.1["diamonds"], expected, "{dropped:?}");

        let line = [("description", "x")];
        let profile = caller.status("status.update_profile", &uid, &line);
        assert_eq!(
            proxy.drop_during(dropped, profile).await.0,
            200,
            "{dropped:?}"
        );
        let light = caller.status("status.extend_light", &uid, &[("time", "1")]);
        assert_eq!(
            proxy.drop_during(dropped, light).await.0,
            500,
            "{dropped:?}"
        );
    }
    program.audit();
}

/// A caller that returns the HTTP status and the data of each answer.
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

/// What the proxy drops, before it closes the connection.
#[derive(Clone, Copy, Debug)]
enum Dropped {
    Commit,
    Answer,
}

/// A proxy between the program and the database server.
struct CommitProxy {
    address: SocketAddr,
    drop_next: Arc<Mutex<Option<Dropped>>>,
}

impl CommitProxy {
    async fn to(server: SocketAddr) -> CommitProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let drop_next = Arc::new(Mutex::new(None));
        let next = drop_next.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(server).await.unwrap();
                tokio::spawn(forward(near, far, next.clone()));
            }
        });
        CommitProxy { address, drop_next }
    }

    /// Drops this part of the first commit during `call`, which must commit.
    async fn drop_during<T>(&self, dropped: Dropped, call: impl Future<Output = T>) -> T {
        *self.drop_next.lock().unwrap() = Some(dropped);
        let answer = call.await;
        assert!(
            self.drop_next.lock().unwrap().is_none(),
            "there was no commit"
        );
        answer
    }
}

/// Forwards bytes in both directions until something is dropped.
async fn forward(mut near: TcpStream, mut far: TcpStream, drop_next: Arc<Mutex<Option<Dropped>>>) {
    let (mut request, mut response) = ([0; 65536], [0; 65536]);
    let mut purges = false;
    loop {
        tokio::select! {
            count = near.read(&mut request) => {
                let Ok(count @ 1..) = count else { return };
                let request = &request[..count];
                // The statement ends the packet in either database's protocol.
                let commits = request.ends_with(b"COMMIT") || request.ends_with(b"COMMIT\0");
                // Leave the purge alone, which the program starts by itself.
                let purge = |text: &[u8]| text.starts_with(b"DELETE FROM ") && text.ends_with(b"nonce");
                purges |= request.windows(18).any(purge);
                let droppable = commits && !std::mem::take(&mut purges);
                let dropped = if droppable { drop_next.lock().unwrap().take() } else { None };
                if matches!(dropped, Some(Dropped::Commit)) || far.write_all(request).await.is_err() {
                    return;
                }
                if dropped.is_some() {
                    let _ = far.read(&mut response).await;
                    return;
                }
            }
            count = far.read(&mut response) => {
                let Ok(count @ 1..) = count else { return };
                if near.write_all(&response[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
