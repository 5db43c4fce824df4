//! A method: its name, parameters, reply and meaning, declared once and in one place.

use std::borrow::Borrow;

use serde::Serialize;

use super::context::Context;
use super::description::Description;
use super::fault::CallError;
use super::parameters::Parameters;
use super::params::{Field, ParameterFaults, Params, Reader};
use super::reply::{BoxFuture, Reply};

/// One method of the gateway: a type without values. It knows its parameters and its meaning, and nothing of the web.
pub trait Method: 'static {
    /// Its name on the wire.
    const NAME: &'static str;
    /// Other names for it.
    const ALIASES: &'static [&'static str] = &[];
    /// What it does, in a few words.
    const SUMMARY: &'static str;
    /// Parameters of a call that works: `uid=1&num=5`; empty where the provider signs.
    const EXAMPLE: &'static str;
    /// The message that goes with its reply.
    const MESSAGE: &'static str;
    /// What it works on: the shop's coins, the members.
    type State: Sync;
    /// What its dialect adds to the context.
    type Details: Send + 'static;
    /// Its parameters, which [`params!`](crate::params) declares.
    type Params: Params;
    /// Its reply: fields in the order in which they are written.
    type Reply: Serialize;

    /// Answers a call.
    ///
    /// # Errors
    /// Returns a [`Fault`](super::fault::Fault) that stands beside the method, or says that the gateway is busy or broken.
    fn call(
        state: &Self::State,
        params: Self::Params,
        context: Context<Self::Details>,
    ) -> impl Future<Output = Result<Self::Reply, CallError>> + Send;
}

/// A call of a method whose types are erased.
type Call<S, D> = for<'a> fn(
    &'a S,
    &Parameters,
    &dyn ParameterFaults,
    Context<D>,
) -> BoxFuture<'a, Result<Reply, CallError>>;

/// A method in a registry, with the types of its parameters and its reply erased.
pub struct RegisteredMethod<S, D> {
    /// Its name on the wire.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    summary: &'static str,
    example: &'static str,
    fields: &'static [Field],
    call: Call<S, D>,
}

impl<S: Sync + 'static, D: Send + 'static> RegisteredMethod<S, D> {
    /// Erases a method's types.
    pub fn new<M: Method<Details = D>>() -> RegisteredMethod<S, D>
    where
        S: Borrow<M::State>,
    {
        RegisteredMethod {
            name: M::NAME,
            aliases: M::ALIASES,
            summary: M::SUMMARY,
            example: M::EXAMPLE,
            fields: M::Params::FIELDS,
            call: call::<M, S>,
        }
    }

    /// Reads the parameters, for which `refusals` are the dialect's, and calls the method.
    pub fn call<'a>(
        &self,
        state: &'a S,
        parameters: &Parameters,
        refusals: &dyn ParameterFaults,
        context: Context<D>,
    ) -> BoxFuture<'a, Result<Reply, CallError>> {
        (self.call)(state, parameters, refusals, context)
    }

    /// The names of its parameters on the wire.
    pub fn parameter_names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    /// Describes the method; `refusals` are the dialect's, and `sample` writes its example as arguments of `pointgate sign`.
    pub fn describe(
        &self,
        refusals: &dyn ParameterFaults,
        sample: impl FnOnce(&str, &str) -> String,
    ) -> Description {
        let example = self.example;
        Description {
            name: self.name,
            aliases: self.aliases,
            summary: self.summary,
            parameters: self.fields.iter().map(|it| it.describe(refusals)).collect(),
            sample: (!example.is_empty()).then(|| sample(self.name, &example.replace('&', " "))),
        }
    }
}

fn call<'a, M: Method, S: Borrow<M::State> + Sync>(
    state: &'a S,
    parameters: &Parameters,
    refusals: &dyn ParameterFaults,
    context: Context<M::Details>,
) -> BoxFuture<'a, Result<Reply, CallError>> {
    let params = M::Params::read(&Reader::new(parameters, refusals));
    Box::pin(async move {
        let reply = M::call(state.borrow(), params?, context).await?;
        let data = serde_json::to_string(&reply).map_err(|error| {
            log::error!("cannot write the reply of {}: {error}", M::NAME);
            CallError::Internal
        })?;
        Ok(Reply {
            data,
            message: M::MESSAGE,
        })
    })
}
