//! The bytes of a connection before actix-web parses them.
//!
//! The platform's own senders write raw UTF-8, quotes and angle brackets into a URL, which actix-web's parser refuses with an empty
//! answer and no log line. A filter between the socket and that parser percent-encodes such bytes, and nothing else. It checks each
//! head with the same parser and the same rules for the length of a body, so that both agree on where a request ends; a head that
//! would be refused is replaced by a request for the refusal, which the server answers, logs and counts like any other.

mod filter;
mod framing;
mod head;
mod refusal;
mod stream;
#[cfg(test)]
mod tests;

pub use refusal::error_of;
pub use stream::FilteredStream;
