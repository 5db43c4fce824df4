//! The reply of a method with its type erased, and the future that returns it.

use std::pin::Pin;

/// The reply of a method, ready for an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The method's `Reply` as compact JSON.
    pub data: String,
    /// The method's `MESSAGE`.
    pub message: &'static str,
    /// The optional parameters that could not be read and count as absent.
    pub skipped: Vec<&'static str>,
}

/// A boxed future, which methods of object-safe traits return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
