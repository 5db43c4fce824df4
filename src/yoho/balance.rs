//! What the writing methods share: a posting to a user's account, answered with the balance afterwards.

use serde::Serialize;

use crate::gateway::context::Context;
use crate::gateway::fault::CallError;
use crate::ledger::book::transaction::{Posting, Rejection, Transaction};
use crate::points::call_error;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// The balance after a posting; `currency` is a string, as in the document.
#[derive(Debug, Serialize)]
pub struct Balance {
    currency: String,
    uid: i64,
}

/// Posts to a user's account; `reject` is the method's answer to what the ledger's rules do not allow.
///
/// # Errors
/// Returns what `reject` gives, or that the ledger is busy or does not answer.
pub async fn post<D>(
    coins: &Coins,
    uid: Uid,
    posting: Posting,
    context: &Context<D>,
    reject: impl FnOnce(Rejection) -> CallError,
) -> Result<Balance, CallError> {
    let transaction = Transaction::of(posting).requested_by(context.request_id.shared());
    match coins.ledger.post(transaction).await {
        Ok(receipt) => Ok(Balance {
            currency: receipt.balance.to_string(),
            uid: uid.0,
        }),
        Err(error) => Err(call_error(error, reject)),
    }
}
