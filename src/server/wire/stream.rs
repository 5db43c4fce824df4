//! A TCP connection whose received bytes pass the filter.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::filter::RequestFilter;
use crate::gateway::dialect::RequestError;

/// The bytes after which a reader has to handle them before it gets more. The buffer of actix-http doubles when less than 1 KiB of it
/// is free, up to 128 KiB, and never shrinks; so it stays at 32 KiB.
const TURN: usize = 31 << 10;
/// The time limit for what still arrives after a refusal.
const LINGER: Duration = Duration::from_secs(2);
/// The bytes that may still arrive after a refusal.
const MAX_LINGERED: usize = 4 << 20;

/// A connection. Between the socket and its reader stands the filter.
pub struct FilteredStream {
    tcp: TcpStream,
    filter: RequestFilter,
    /// The bytes passed on in this turn.
    passed: usize,
    opened: Instant,
    head_timeout: Duration,
    /// The end of the time for an unfinished head, with its number.
    late: Option<(u64, Pin<Box<Sleep>>)>,
    /// The end of the wait for the rest of what was refused, and the bytes of it so far.
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl FilteredStream {
    /// Filters a connection that was opened now. A head may take `head_timeout`: the first one from now on, the others from their
    /// first byte on.
    pub fn new(tcp: TcpStream, head_timeout: Duration) -> FilteredStream {
        FilteredStream {
            tcp,
            filter: RequestFilter::new(),
            passed: 0,
            opened: Instant::now(),
            head_timeout,
            late: None,
            linger: None,
        }
    }

    /// Reads from the socket; in a body, no more than the rest of this turn.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = TURN - self.passed;
        if !self.filter.is_in_body() || buffer.remaining() <= most {
            return Pin::new(&mut self.tcp).poll_read(cx, buffer);
        }
        let mut limited = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let read = Pin::new(&mut self.tcp).poll_read(cx, &mut limited);
        let count = limited.filled().len();
        buffer.advance(count);
        read
    }

    /// Waits for the end of the time for an unfinished head; forever without one.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(head) = self.filter.unfinished_head() else {
            self.late = None;
            return Poll::Pending;
        };
        let late = match &mut self.late {
            Some((number, late)) if *number == head => late,
            late => {
                let start = match head {
                    0 => self.opened,
                    _ => Instant::now(),
                };
                let end = Box::pin(sleep_until(start + self.head_timeout));
                &mut late.insert((head, end)).1
            }
        };
        late.as_mut().poll(cx)
    }

    /// Reads and drops what a refused sender still sends: closing at once would reset the connection, and the answer would be lost.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let end = || (Box::pin(tokio::time::sleep(LINGER)), 0);
        let (end, lingered) = self.linger.get_or_insert_with(end);
        let mut scratch = [0; 8 << 10];
        while *lingered < MAX_LINGERED && end.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => *lingered += buffer.filled().len(),
                // The sender has closed the connection, or broken it.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for FilteredStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.passed >= TURN {
            this.passed = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(ready) = this.filter.take_ready(buffer.remaining()) {
                buffer.put_slice(&ready);
                this.passed += ready.len();
                return Poll::Ready(Ok(()));
            }
            if this.filter.is_refused() {
                return Poll::Pending;
            }
            let before = buffer.filled().len();
            match this.poll_receive(cx, buffer) {
                Poll::Pending => {
                    this.passed = 0;
                    ready!(this.poll_late(cx));
                    this.filter.refuse(RequestError::Late);
                    continue;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => {}
            }
            let received = &buffer.filled()[before..];
            if received.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let passed = this.filter.receive(received);
            buffer.set_filled(before + passed);
            if passed > 0 {
                this.passed += passed;
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for FilteredStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // actix-http answers 408 when nothing arrives. A client that connects ahead would take it for the answer to its first request.
        if this.filter.is_silent() {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut this.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.tcp).poll_shutdown(cx))?;
        }
        match this.filter.is_refused() {
            true => this.poll_linger(cx),
            false => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Both ends of a connection: the client's, and the server's with this time for a head.
    async fn connection(head_timeout: Duration) -> (TcpStream, FilteredStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let server = FilteredStream::new(accepted.unwrap().0, head_timeout);
        (client.unwrap(), server)
    }

    async fn read(server: &mut FilteredStream) -> String {
        let mut bytes = [0; 1000];
        let count = server.read(&mut bytes).await.unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    #[tokio::test]
    async fn an_unfinished_head_is_refused_in_time() {
        let (mut client, mut server) = connection(Duration::from_millis(20)).await;
        let first = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        for start in [first, "GET /gateway HTTP/1.1\r\nHost: x"] {
            client.write_all(start.as_bytes()).await.unwrap();
        }
        assert_eq!(read(&mut server).await, first);
        let late = read(&mut server).await;
        assert!(late.starts_with("POINTGATE-REFUSED /gateway "), "{late}");
        assert!(late.ends_with("x-status: 408\r\n\r\n"), "{late}");
    }

    #[tokio::test]
    async fn a_silent_connection_gets_no_answer() {
        let (mut client, mut server) = connection(Duration::from_secs(60)).await;
        server
            .write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
            .await
            .unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        client.write_all(request).await.unwrap();
        assert_eq!(read(&mut server).await.as_bytes(), request);
        server.write_all(b"answer").await.unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
    }

    /// A sender that is still sending when it is refused can read the answer: the connection is not reset.
    #[tokio::test]
    async fn the_rest_of_what_is_refused_is_drained() {
        let (mut client, mut server) = connection(Duration::from_secs(60)).await;
        let sending = async {
            client.write_all(b"nonsense\r\n").await.unwrap();
            client.write_all(&vec![b'x'; 1 << 20]).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let answering = async {
            assert!(read(&mut server).await.ends_with("x-status: 400\r\n\r\n"));
            server.write_all(b"refused").await.unwrap();
            server.shutdown().await.unwrap();
            drop(server);
        };
        let (answer, ()) = tokio::join!(sending, answering);
        assert_eq!(answer, "refused");
    }

    /// A reader that takes all that it gets does not read ahead without bounds.
    #[tokio::test]
    async fn a_body_is_read_in_turns() {
        let (mut client, mut server) = connection(Duration::from_secs(60)).await;
        let size = 100 << 10;
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&vec![b'x'; size]).await.unwrap();
        let (mut taken, mut largest) = (0, 0);
        while taken < head.len() + size {
            let turn = std::future::poll_fn(|cx| {
                let (mut bytes, mut turn) = ([0; 1000], 0);
                loop {
                    let mut buffer = ReadBuf::new(&mut bytes);
                    match Pin::new(&mut server).poll_read(cx, &mut buffer) {
                        Poll::Ready(read) => {
                            read.unwrap();
                            turn += buffer.filled().len();
                        }
                        Poll::Pending if turn > 0 => return Poll::Ready(turn),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            });
            let turn = turn.await;
            taken += turn;
            largest = largest.max(turn);
        }
        assert!(largest <= TURN, "{largest} bytes in one turn");
    }
}
