//! The socket to the broker, plain or with TLS.
//!
//! lapin's own TLS brings some 35 crates for client certificates in PKCS#12, which the configuration does not offer. This module
//! gives lapin a runtime that is Tokio's with another type of stream, which is already encrypted if the URL is `amqps://`.

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

use crate::config::Secret;
use crate::tls;

/// The time limit for the TCP connection and the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The heartbeat (s), unless the URL or the broker asks for a shorter one.
const HEARTBEAT: u16 = 30;

/// A handle of a connection's socket. Its drop shuts the socket down, because lapin's thread would otherwise wait for ever for a
/// peer that does not answer.
#[derive(Default)]
pub(super) struct BrokerSocket(Arc<Mutex<Option<TcpStream>>>);

impl BrokerSocket {
    /// Connects to the broker and logs in.
    pub async fn connect(&self, url: &Secret) -> lapin::Result<lapin::Connection> {
        let mut uri: AMQPUri = url.reveal().parse().map_err(io::Error::other)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        let socket = self.0.clone();
        let tokio = Tokio::current();
        lapin::Connection::connector(
            uri,
            Runtime::new(RuntimeParts::new(tokio.clone(), BoxedStreams(tokio))),
            async move |uri, _| {
                let connected = timeout(CONNECT_TIMEOUT, connect(&uri, &socket)).await;
                let stream = connected.map_err(io::Error::from)??;
                Ok(AsyncTcpStream::Plain(stream))
            },
            ConnectionProperties::default().with_connection_name("pointgate".into()),
        )
        .await
    }
}

impl Drop for BrokerSocket {
    fn drop(&mut self) {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = socket.take() {
            // The peer may have closed the socket already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Connects a stream, and stores a second handle of its socket in `handle`.
async fn connect(uri: &AMQPUri, handle: &Mutex<Option<TcpStream>>) -> io::Result<AnyStream> {
    let (host, port) = (uri.authority.host.as_str(), uri.authority.port);
    let tcp = tokio::net::TcpStream::connect((host, port)).await?;
    tcp.set_nodelay(true)?;
    let socket = tcp.as_fd().try_clone_to_owned().ok().map(TcpStream::from);
    *handle.lock().unwrap_or_else(PoisonError::into_inner) = socket;
    Ok(match uri.scheme {
        AMQPScheme::AMQP => Box::new(tcp.compat()),
        AMQPScheme::AMQPS => Box::new(tls::connect(tcp, host).await?.compat()),
    })
}

/// A plain or an encrypted stream.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
type AnyStream = Box<dyn Duplex>;

/// Tokio's reactor, with boxed streams.
#[derive(Clone, Debug)]
struct BoxedStreams(Tokio);

impl Reactor for BoxedStreams {
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
