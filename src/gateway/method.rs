//! A method: its name, parameters, reply and meaning, declared once and in one place.

use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

use super::fault::CallError;
use super::params::{Field, Parameters, Params, Reader, Refusals};

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
    /// What it learns of who calls: its dialect's.
    type Caller: Send + 'static;
    /// What it takes.
    type Params: Params;
    /// What it answers: fields in the order in which they are written.
    type Reply: Serialize;

    /// Does it.
    fn call(
        &self,
        params: Self::Params,
        caller: Self::Caller,
    ) -> impl Future<Output = Result<Self::Reply, CallError>> + Send;
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
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Reply, CallError>> + Send + 'a>>;

/// A method with the types of its parameters and its reply erased.
pub struct RegisteredMethod<C> {
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
    method: Box<dyn Erased<C>>,
}

impl<C: Send + 'static> RegisteredMethod<C> {
    /// Erases a method's types.
    pub fn new<M: Method<Caller = C>>(method: M) -> RegisteredMethod<C> {
        RegisteredMethod {
            name: M::NAME,
            aliases: M::ALIASES,
            summary: M::SUMMARY,
            example: M::EXAMPLE,
            fields: M::Params::FIELDS,
            method: Box::new(method),
        }
    }

    /// Reads the parameters and does it; `refusals` are the dialect's.
    pub fn call<'a>(
        &'a self,
        parameters: &Parameters,
        refusals: &dyn Refusals,
        caller: C,
    ) -> Calling<'a> {
        self.method.call(&Reader::new(parameters, refusals), caller)
    }
}

trait Erased<C>: Send + Sync {
    fn call<'a>(&'a self, reader: &Reader<'_>, caller: C) -> Calling<'a>;
}

impl<M: Method> Erased<M::Caller> for M {
    fn call<'a>(&'a self, reader: &Reader<'_>, caller: M::Caller) -> Calling<'a> {
        let params = M::Params::read(reader);
        Box::pin(async move {
            let reply = Method::call(self, params?, caller).await?;
            let data = serde_json::to_string(&reply).map_err(|error| {
                log::error!("{}: the reply cannot be written: {error}", M::NAME);
                CallError::Internal
            })?;
            Ok(Reply {
                data,
                message: M::MESSAGE,
            })
        })
    }
}
