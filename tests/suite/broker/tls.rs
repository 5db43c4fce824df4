//! A broker behind TLS: the program trusts the certificates that the machine trusts, and verifies the host name.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::test_broker::{EARN, TestBroker, earn, url, wait_for_total};
use crate::program::{Program, ProgramDir};

const UID: &str = "50030299";

/// A proxy that terminates TLS in front of the broker, with a certificate for `localhost`.
struct Front {
    port: u16,
    folder: TempDir,
}

impl Front {
    async fn start() -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut authority = CertificateParams::default();
        let name = format!("authority of port {port}");
        authority.distinguished_name.push(DnType::CommonName, name);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap());
        let authority = authority.unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();

        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
        Front { port, folder }
    }

    /// The broker's URL through the proxy, with this host name.
    fn url(&self, host: &str) -> String {
        let direct = url();
        let (name, address) = direct.split_once('@').expect("a URL with a name");
        let name = name.replace("amqp://", "amqps://");
        let (_, path) = address.split_once('/').unwrap_or((address, "%2f"));
        format!("{name}@{host}:{}/{path}", self.port)
    }

    /// The certificate file of the authority that signed the certificate.
    fn authority(&self) -> String {
        let file = self.folder.path().join("ca.pem");
        file.to_str().unwrap().to_owned()
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((near, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let direct = url();
            let (_, address) = direct.split_once('@').expect("a URL with a name");
            let host = address.split('/').next().unwrap_or(address);
            // The handshake fails if the client does not trust the certificate.
            if let Ok(mut near) = acceptor.accept(near).await {
                let mut far = TcpStream::connect(host).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn messages_arrive_over_tls_from_a_trusted_broker() {
    let broker = TestBroker::declared().await;
    let front = Front::start().await;
    let dir = ProgramDir::with_config(&broker.config_with_url(&front.url("localhost")));
    let trusted = front.authority();
    let trusted = [("SSL_CERT_FILE", trusted.as_str()), ("SSL_CERT_DIR", "")];
    let mut program = Program::start(&dir, &trusted).await;
    // Enough messages for more than one TLS record.
    for i in 0..300 {
        let reference = format!("tls-{i}");
        broker
            .publish(EARN, &earn(UID, 2, &reference), &reference)
            .await;
    }
    wait_for_total(&program.client(), UID, 600).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(broker.remaining().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: tests/with_servers.sh"]
async fn an_untrusted_broker_is_refused() {
    let broker = TestBroker::declared().await;
    broker.publish(EARN, &earn(UID, 7, "a"), "a").await;
    let front = Front::start().await;
    let another = Front::start().await;
    let nowhere = front.folder.path().join("missing.pem");
    let (nowhere, own, other) = (
        nowhere.to_str().unwrap().to_owned(),
        front.authority(),
        another.authority(),
    );
    for (host, trusted, why) in [
        (
            "localhost",
            &other,
            "invalid peer certificate: UnknownIssuer",
        ),
        (
            "127.0.0.1",
            &own,
            "invalid peer certificate: certificate not valid for name",
        ),
        (
            "localhost",
            &nowhere,
            "this machine has no trusted root certificates",
        ),
    ] {
        let dir = ProgramDir::with_config(&broker.config_with_url(&front.url(host)));
        let trusted = [("SSL_CERT_FILE", trusted.as_str()), ("SSL_CERT_DIR", "")];
        let mut program = Program::start(&dir, &trusted).await;
        let line = program.wait_for_log("cannot reach the broker").await;
        assert!(line.contains(why), "{line}");
        assert_eq!(program.terminate().await.code(), Some(0));
    }
    assert_eq!(broker.waiting(&broker.queue()).await, 1);
}
