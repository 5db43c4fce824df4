//! A method: its name, parameters, reply and meaning, declared once and in one place.

use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

use super::fault::{Failure, Fault};
use super::params::{Field, Parameters, Params, Reader};

/// One method of the gateway. It knows its parameters and its meaning, and nothing of the web.
pub trait Method: Send + Sync + 'static {
    /// Its name on the wire.
    const NAME: &'static str;
    /// Other names that mean the same.
    const ALIASES: &'static [&'static str] = &[];
    /// What it does, in a few words.
    const SUMMARY: &'static str;
    /// Parameters of a call that can be tried out: `uid=1&num=5`.
    const EXAMPLE: &'static str;
    /// The message that goes with its reply.
    const MESSAGE: &'static str;
    /// What it takes.
    type Params: Params;
    /// What it answers: fields in alphabetical order, which is the order in which they are written.
    type Reply: Serialize;

    /// Does it.
    fn call(
        &self,
        params: Self::Params,
    ) -> impl Future<Output = Result<Self::Reply, Failure>> + Send;
}

/// What a method answered: its data as compact JSON, and the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Compact JSON.
    pub data: String,
    /// The message that goes with it.
    pub message: &'static str,
}

/// A call under way.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

/// A method with its types erased.
pub struct Entry {
    /// Its name on the wire.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it does.
    pub summary: &'static str,
    /// Parameters to try.
    pub example: &'static str,
    /// Its parameters, in the order of their checks.
    pub fields: &'static [Field],
    method: Box<dyn Erased>,
}

impl Entry {
    /// Erases a method's types.
    pub fn new<M: Method>(method: M) -> Entry {
        Entry {
            name: M::NAME,
            aliases: M::ALIASES,
            summary: M::SUMMARY,
            example: M::EXAMPLE,
            fields: M::Params::FIELDS,
            method: Box::new(method),
        }
    }

    /// Reads the parameters and does it; `too_long` is the dialect's refusal of an overlong parameter.
    pub fn call<'a>(
        &'a self,
        parameters: &Parameters,
        too_long: &dyn Fn(&str) -> Fault,
    ) -> Calling<'a> {
        self.method.call(&Reader::new(parameters, too_long))
    }
}

trait Erased: Send + Sync {
    fn call<'a>(&'a self, reader: &Reader<'_>) -> Calling<'a>;
}

impl<M: Method> Erased for M {
    fn call<'a>(&'a self, reader: &Reader<'_>) -> Calling<'a> {
        let params = M::Params::read(reader);
        Box::pin(async move {
            let reply = Method::call(self, params?).await?;
            let data = serde_json::to_string(&reply).map_err(|error| {
                log::error!("{}: the reply cannot be written: {error}", M::NAME);
                Failure::Internal
            })?;
            Ok(Reply {
                data,
                message: M::MESSAGE,
            })
        })
    }
}
