//! A proxy between the program and the broker whose connections a test can cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::watch;

use super::test_broker::url;

/// The proxy; dropping it cuts all connections.
pub struct Proxy {
    /// The broker's URL through the proxy.
    pub url: String,
    whole: watch::Sender<bool>,
}

impl Proxy {
    /// Starts a proxy that lets no connection through yet.
    pub async fn cut_off() -> Proxy {
        let direct = url();
        let (head, address) = direct.split_once('@').expect("a URL with a name");
        let (host, path) = address.split_once('/').unwrap_or((address, "%2f"));
        let broker = lookup_host(host).await.unwrap().next().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{head}@{}/{path}", listener.local_addr().unwrap());
        let (whole, watched) = watch::channel(false);
        tokio::spawn(serve(listener, broker, watched));
        Proxy { url, whole }
    }

    /// Lets new connections through.
    pub fn restore(&self) {
        self.whole.send_replace(true);
    }

    /// Ends all connections and refuses new ones.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }
}

async fn serve(listener: TcpListener, broker: SocketAddr, whole: watch::Receiver<bool>) {
    while let Ok((near, _)) = listener.accept().await {
        let mut whole = whole.clone();
        if *whole.borrow_and_update() {
            tokio::spawn(async move {
                tokio::select! {
                    () = carry(near, broker) => {}
                    _ = whole.changed() => {}
                }
            });
        }
    }
}

async fn carry(mut near: TcpStream, broker: SocketAddr) {
    if let Ok(mut far) = TcpStream::connect(broker).await {
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}
