//! Shared by the methods that change a balance: posts to a user's account and returns the balance after it.

use serde::Serialize;

use crate::gateway::context::Context;
use crate::gateway::fault::CallError;
use crate::ledger::book::transaction::{Posting, Rejection, Transaction};
use crate::points::call_error;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// The reply: the balance after the posting. `currency` is a string, as in the document.
#[derive(Debug, Serialize)]
pub struct BalanceAfter {
    currency: String,
    uid: i64,
}

/// Posts to a user's account; `reject` maps a rejection by the ledger to the method's fault.
///
/// # Errors
/// Returns the result of `reject`, [`CallError::Busy`] if the ledger's queue is full, or [`CallError::Internal`] if the database
/// does not answer.
pub async fn post<D>(
    coins: &Coins,
    uid: Uid,
    posting: Posting,
    context: &Context<D>,
    reject: impl FnOnce(Rejection) -> CallError,
) -> Result<BalanceAfter, CallError> {
    let transaction = Transaction {
        credit_limit: coins.credit_limit(context),
        ..Transaction::of(posting).requested_by(context.request_id.shared())
    };
    match coins.ledger.post(transaction).await {
        Ok(receipt) => Ok(BalanceAfter {
            currency: receipt.balance.to_string(),
            uid: uid.0,
        }),
        Err(error) => Err(call_error(error, reject)),
    }
}
