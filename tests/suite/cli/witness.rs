//! A witness behind a URL: it gets each checkpoint, its last one must be of this ledger, and no message shows its password.

use std::process::Output;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::program::{CONFIG, ProgramDir, text};

/// What a witness has, and how it answers.
#[derive(Default)]
struct Published {
    notes: Vec<String>,
    /// The first lines of the requests, and their credentials.
    requests: Vec<String>,
    /// Answers every POST with 500.
    refuses: bool,
}

/// A witness on this machine.
struct TestWitness {
    port: u16,
    place: Arc<Mutex<Published>>,
}

impl TestWitness {
    async fn start(tls: Option<TlsAcceptor>) -> TestWitness {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let place: Arc<Mutex<Published>> = Arc::default();
        let of_server = place.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let place = of_server.clone();
                match &tls {
                    None => drop(tokio::spawn(serve(stream, place))),
                    // The handshake fails if the client does not trust the certificate.
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            tokio::spawn(serve(stream, place));
                        }
                    }
                }
            }
        });
        TestWitness { port, place }
    }

    fn change(&self, change: impl FnOnce(&mut Published)) {
        change(&mut self.place.lock().unwrap());
    }

    fn notes(&self) -> Vec<String> {
        self.place.lock().unwrap().notes.clone()
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, place: Arc<Mutex<Published>>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    let (head, body) = loop {
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "cut off: {bytes:?}");
        bytes.extend_from_slice(&buffer[..count]);
        let request = String::from_utf8(bytes.clone()).unwrap();
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.split("Content-Length: ").nth(1);
        let length = length.map_or(0, |it| it.split('\r').next().unwrap().parse().unwrap());
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    let answer = {
        let mut place = place.lock().unwrap();
        let first = head.split("\r\n").next().unwrap().to_owned();
        let credentials = head.split("Authorization: ").nth(1).unwrap_or_default();
        let credentials = credentials.split("\r\n").next().unwrap_or_default();
        place.requests.push(format!("{first} {credentials}"));
        match (first.starts_with("GET "), place.notes.last()) {
            (true, None) => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
            (true, Some(note)) => format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{note}\r\n0\r\n\r\n",
                note.len()
            ),
            (false, _) if place.refuses => "HTTP/1.1 500 Oops\r\n\r\n".to_owned(),
            (false, _) => {
                place.notes.push(body);
                "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
            }
        }
    };
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// A directory with a key, whose seals go to this URL.
fn dir_with(url: &str) -> ProgramDir {
    let dir = ProgramDir::with_config(CONFIG);
    assert!(dir.run(&["seal", "keygen", "seal.key"]).status.success());
    assert!(dir.run(&["migrate"]).status.success());
    dir.write(
        "gateway.toml",
        &format!("{CONFIG}[seal]\nkey_file = 'seal.key'\nwitness = '{url}'\n"),
    );
    dir
}

#[track_caller]
fn assert_refused(out: &Output, why: &str) {
    assert_eq!(out.status.code(), Some(1));
    let error = text(&out.stderr);
    assert!(error.contains(why), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_gets_each_checkpoint() {
    let witness = TestWitness::start(None).await;
    let port = witness.port;
    let dir = dir_with(&format!("http://me:hush@127.0.0.1:{port}/p?token=hush"));
    let seal = || dir.run(&["seal"]);
    let sealed = |out: &Output| {
        assert!(out.status.success(), "{}", text(&out.stderr));
        let lines = text(&out.stdout);
        lines.lines().skip(2).collect::<Vec<_>>().join("\n") + "\n"
    };
    let first = sealed(&seal());
    assert_eq!(witness.notes().as_slice(), std::slice::from_ref(&first));
    let asked = ["GET /p?token=hush HTTP/1.1", "POST /p?token=hush HTTP/1.1"];
    let asked = asked.map(|line| format!("{line} Basic bWU6aHVzaA=="));
    witness.change(|place| assert_eq!(place.requests, asked));

    // What it does not take is made all the same, and published with the next.
    witness.change(|place| place.refuses = true);
    let why = "not sealed: the witness at 127.0.0.1: POST is answered with 500";
    assert_refused(&seal(), why);
    witness.change(|place| place.refuses = false);
    let third = sealed(&seal());
    assert!(third.contains("\n3\n"), "{third}");
    let notes = witness.notes();
    assert_eq!((notes.len(), &notes[0], &notes[2]), (3, &first, &third));

    // A ledger that is not the one which was published.
    let other = dir_with(&format!("http://127.0.0.1:{port}/p"));
    assert!(
        other
            .run_with(&["seal"], &[("POINTGATE__SEAL__WITNESS", "elsewhere")])
            .status
            .success()
    );
    let why =
        "the ledger does not extend the last published checkpoint: checkpoint 3: no known key";
    assert_refused(&other.run(&["seal"]), why);
    witness.change(|place| place.notes.push("no note".to_owned()));
    assert_refused(
        &seal(),
        "the witness at 127.0.0.1: this is not a signed note",
    );
    assert_eq!(witness.notes().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_does_not_answer_keeps_the_ledger_from_being_sealed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let dir = dir_with(&format!("http://me:hush@localhost:{port}/"));
    assert_refused(
        &dir.run(&["seal"]),
        "not sealed: the witness at localhost: ",
    );
    let journal = text(&dir.run(&["journal"]).stdout);
    assert!(!journal.contains("  seal  "), "{journal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_to_another_machine_needs_tls_and_a_trusted_certificate() {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    let witness = TestWitness::start(Some(TlsAcceptor::from(Arc::new(tls)))).await;
    let dir = dir_with(&format!("https://localhost:{}/", witness.port));
    dir.write("ca.pem", &authority.pem());
    let pem = dir.path("ca.pem");
    let trust = [("SSL_CERT_FILE", pem.to_str().unwrap())];
    let out = dir.run_with(&["seal"], &trust);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(witness.notes().len(), 1);
    // The same name, another authority.
    let stranger = KeyPair::generate().unwrap();
    let stranger = CertificateParams::default().self_signed(&stranger).unwrap();
    dir.write("ca.pem", &stranger.pem());
    assert_refused(
        &dir.run_with(&["seal"], &trust),
        "the witness at localhost: ",
    );
    assert_eq!(witness.notes().len(), 1);

    for (url, why) in [
        (
            "http://me:hush@203.0.113.9/",
            "[seal] witness: must use https to another machine",
        ),
        (
            "ftp://hush/",
            "[seal] witness: must be the path of a file, or a URL such as",
        ),
        (
            "https://",
            "[seal] witness: must be the path of a file, or a URL such as",
        ),
    ] {
        let config = format!("{CONFIG}[seal]\nwitness = '{url}'\n");
        dir.write("gateway.toml", &config);
        assert_refused(&dir.run(&["check-config"]), why);
    }
}
