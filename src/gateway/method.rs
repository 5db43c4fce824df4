//! A method: one declaration of its name, parameters, reply and behaviour.

use std::borrow::Borrow;

use serde::Serialize;

use super::context::Context;
use super::description::Description;
use super::fault::CallError;
use super::parameters::Parameters;
use super::params::{Field, ParameterFaults, Params, Reader};
use super::reply::{BoxFuture, Reply};

/// A method that clients call by name. Implementations are unit types, independent of the wire format and of HTTP.
pub trait Method: 'static {
    /// The name on the wire.
    const NAME: &'static str;
    /// Other names of the same method.
    const ALIASES: &'static [&'static str] = &[];
    /// The effect, in a few words, for `pointgate methods`.
    const SUMMARY: &'static str;
    /// The parameters of a valid call, such as `uid=1&num=5`; empty if only the payment provider can sign one.
    const EXAMPLE: &'static str;
    /// The message of a successful answer.
    const MESSAGE: &'static str;
    /// What the method works on, such as the shop's coins or the members.
    type State: Sync;
    /// What the dialect adds to the context.
    type Details: Send + 'static;
    /// Whether a message is applied without those of its optional parameters that cannot be read: its sender gets no answer, and
    /// would lose the others too.
    const SKIPS_UNREADABLE: bool = false;
    /// The parameters, declared with [`params!`](crate::params).
    type Params: Params;
    /// The data of a successful answer; fields are written in the order of their declaration.
    type Reply: Serialize;

    /// Answers a call.
    ///
    /// # Errors
    /// Returns a [`Fault`](super::fault::Fault) if the call is not allowed, otherwise [`CallError::Busy`] or
    /// [`CallError::Internal`].
    fn call(
        state: &Self::State,
        params: Self::Params,
        context: Context<Self::Details>,
    ) -> impl Future<Output = Result<Self::Reply, CallError>> + Send;
}

/// Who calls a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledBy {
    /// A client, which reads the answer.
    Client,
    /// A message, whose sender reads none.
    Message,
}

/// Reads the parameters of a method and calls it.
type ErasedCall<S, D> = for<'a> fn(
    &'a S,
    &Parameters<'_>,
    &dyn ParameterFaults,
    CalledBy,
    Context<D>,
) -> BoxFuture<'a, Result<Reply, CallError>>;

/// A method in a registry, with the types of its parameters and reply erased.
pub struct RegisteredMethod<S, D> {
    /// The name on the wire.
    pub name: &'static str,
    /// Other names of the same method.
    pub aliases: &'static [&'static str],
    summary: &'static str,
    example: &'static str,
    fields: &'static [Field],
    call: ErasedCall<S, D>,
}

impl<S: Sync + 'static, D: Send + 'static> RegisteredMethod<S, D> {
    /// Erases the types of `M`.
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

    /// Reads the parameters and calls the method; `faults` are the dialect's.
    pub fn call<'a>(
        &self,
        state: &'a S,
        parameters: &Parameters<'_>,
        faults: &dyn ParameterFaults,
        caller: CalledBy,
        context: Context<D>,
    ) -> BoxFuture<'a, Result<Reply, CallError>> {
        (self.call)(state, parameters, faults, caller, context)
    }

    /// The names of the parameters on the wire.
    pub fn parameter_names(&self) -> impl Iterator<Item = &'static str> {
        let names = |field: &'static Field| [&[field.name], field.aliases].concat();
        self.fields.iter().flat_map(names)
    }

    /// Describes the method; `faults` are the dialect's, and `sample` writes its example as arguments of `pointgate sign`.
    pub fn describe(
        &self,
        faults: &dyn ParameterFaults,
        sample: impl FnOnce(&str, &str) -> String,
    ) -> Description {
        let example = self.example;
        Description {
            name: self.name,
            aliases: self.aliases,
            summary: self.summary,
            parameters: self.fields.iter().map(|it| it.describe(faults)).collect(),
            sample: (!example.is_empty()).then(|| sample(self.name, &example.replace('&', " "))),
        }
    }
}

fn call<'a, M: Method, S: Borrow<M::State> + Sync>(
    state: &'a S,
    parameters: &Parameters<'_>,
    faults: &dyn ParameterFaults,
    caller: CalledBy,
    context: Context<M::Details>,
) -> BoxFuture<'a, Result<Reply, CallError>> {
    let reader = match caller {
        CalledBy::Message if M::SKIPS_UNREADABLE => Reader::skipping(parameters, faults),
        CalledBy::Message | CalledBy::Client => Reader::new(parameters, faults),
    };
    let params = M::Params::read(&reader);
    let skipped = reader.skipped();
    Box::pin(async move {
        let reply = M::call(state.borrow(), params?, context).await?;
        let data = serde_json::to_string(&reply).map_err(|error| {
            log::error!("cannot write the reply of {}: {error}", M::NAME);
            CallError::Internal
        })?;
        Ok(Reply {
            data,
            message: M::MESSAGE,
            skipped,
        })
    })
}
