//! Shared by the methods that change a balance: posts to a user's account and returns the balance after it.

use serde::Serialize;

use crate::gateway::context::Context;
use crate::gateway::fault::CallError;
use crate::ledger::book::transaction::{Receipt, Rejection, Transaction};
use crate::points::call_error;
use crate::points::coins::Coins;
use crate::points::values::Uid;

/// The reply: the balance after the posting. `currency` is a string, as in the document.
#[derive(Debug, Serialize)]
pub struct BalanceAfter {
    currency: String,
    uid: i64,
}

impl BalanceAfter {
    /// The answer to a posting to a user's account.
    pub fn of(uid: Uid, receipt: Receipt) -> BalanceAfter {
        BalanceAfter {
            currency: receipt.balance.to_string(),
            uid: uid.0,
        }
    }
}

/// Applies a transaction of a method with one posting; `reject` maps a rejection by the ledger to the method's fault.
///
/// # Errors
/// Returns the result of `reject`, [`CallError::Busy`] if the ledger's queue is full, or [`CallError::Internal`] if the database
/// does not answer.
pub async fn post<D>(
    coins: &Coins,
    transaction: Transaction,
    context: &Context<D>,
    reject: impl FnOnce(Rejection) -> CallError,
) -> Result<Receipt, CallError> {
    let transaction = Transaction {
        credit_limit: coins.credit_limit(context),
        ..transaction.requested_by(context.request_id.shared())
    };
    let posted = coins.ledger.post(transaction).await;
    posted.map_err(|error| call_error(error, reject))
}
