//! The socket to the broker, plain or under TLS.
//!
//! lapin's own TLS brings some 35 crates that read client certificates in PKCS#12, which no setting of ours names. Its runtime here
//! is Tokio's with another type of stream, which is encrypted already if the URL is `amqps://`.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_compat::CompatExt as _;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::Stream;
use futures_util::io::{AsyncRead, AsyncWrite};
use lapin::ConnectionProperties;
use lapin::tcp::AsyncTcpStream;
use lapin::uri::{AMQPScheme, AMQPUri};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::config::Secret;

/// How long the broker's address may take to accept a connection.
const REACH_WITHIN: Duration = Duration::from_secs(10);
/// The heartbeat (s), unless the URL or the broker asks for a shorter one.
const HEARTBEAT: u16 = 30;

/// The socket of a connection. Dropping it shuts the socket down: a peer that never answers would otherwise keep the client's
/// thread for ever.
#[derive(Default)]
pub(super) struct BrokerSocket(Arc<Mutex<Option<TcpStream>>>);

impl BrokerSocket {
    /// Connects to the broker and logs in.
    pub async fn connect(&self, url: &Secret) -> lapin::Result<lapin::Connection> {
        let mut uri: AMQPUri = url.reveal().parse().map_err(io::Error::other)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        let kept = self.0.clone();
        let tokio = Tokio::current();
        lapin::Connection::connector(
            uri,
            Runtime::new(RuntimeParts::new(tokio.clone(), Streams(tokio))),
            async move |uri, _| {
                let reached = timeout(REACH_WITHIN, connect(&uri, &kept)).await;
                let stream = reached.map_err(io::Error::from)??;
                Ok(AsyncTcpStream::Plain(stream))
            },
            ConnectionProperties::default().with_connection_name("pointgate".into()),
        )
        .await
    }
}

impl Drop for BrokerSocket {
    fn drop(&mut self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = kept.take() {
            // The peer may have closed it already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

async fn connect(uri: &AMQPUri, kept: &Mutex<Option<TcpStream>>) -> io::Result<AnyStream> {
    let (host, port) = (uri.authority.host.as_str(), uri.authority.port);
    let tcp = tokio::net::TcpStream::connect((host, port)).await?;
    tcp.set_nodelay(true)?;
    let socket = tcp.as_fd().try_clone_to_owned().ok().map(TcpStream::from);
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = socket;
    Ok(match uri.scheme {
        AMQPScheme::AMQP => Box::new(tcp.compat()),
        AMQPScheme::AMQPS => Box::new(encrypted(tcp, host).await?.compat()),
    })
}

/// Starts TLS to a host, whose certificate must lead to a root that this machine trusts.
async fn encrypted(
    tcp: tokio::net::TcpStream,
    host: &str,
) -> io::Result<TlsStream<tokio::net::TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let trusted = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(trusted.certs);
    if added == 0 {
        let why = trusted.errors.first().map(|error| format!(": {error}"));
        let why = why.unwrap_or_default();
        return Err(io::Error::other(format!(
            "this machine trusts no certificates{why}"
        )));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
}

/// A plain or an encrypted stream, as lapin reads and writes it.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
type AnyStream = Box<dyn Duplex>;

/// Tokio's reactor with another type of stream.
#[derive(Clone, Debug)]
struct Streams(Tokio);

impl Reactor for Streams {
    type TcpStream = AnyStream;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<AnyStream>> + Send + 'static {
        let connecting = self.0.tcp_connect_addr(address);
        async move { Ok(Box::new(connecting.await?) as AnyStream) }
    }
}
