//! The operator of a command that changes the ledger: the operating-system user, in the command's context and in the log.

use crate::clock::Clock;
use crate::gateway::context::PointLimits;
use crate::gateway::context::{Context, Origin, RequestIds};
use crate::ledger::book::journal::Operator;

/// The dialect in the origin of commands.
const CLI: &str = "cli";

/// Builds the context of a command: a new request id, and the operating-system user as the caller.
pub fn context(clock: &Clock) -> Context {
    Context {
        request_id: RequestIds::start().next(),
        origin: Origin {
            dialect: CLI,
            caller: user(),
            key: None,
            address: None,
        },
        now: clock.now(),
        points: PointLimits::default(),
        details: (),
    }
}

/// The operator of a command, for the journal.
pub fn of(context: &Context) -> Operator {
    Operator {
        user: context.origin.caller.to_string(),
        request_id: context.request_id.to_string(),
    }
}

/// Runs a command under the request id of its context, and logs the user who runs it.
pub async fn run<T>(command: &str, context: &Context, future: impl Future<Output = T>) -> T {
    let logged = async {
        log::info!("command={command} user={}", context.origin.caller);
        future.await
    };
    context.request_id.scope(logged).await
}

/// The user as `uid:1000`. A number that the kernel vouches for, because anyone can set `$USER`.
fn user() -> String {
    format!("uid:{}", rustix::process::getuid().as_raw())
}
