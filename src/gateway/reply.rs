//! A method's reply with its type erased, and the future that brings it.

use std::pin::Pin;

/// A method's reply: its data as compact JSON, and the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Compact JSON.
    pub data: String,
    /// The message that goes with it.
    pub message: &'static str,
}

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
