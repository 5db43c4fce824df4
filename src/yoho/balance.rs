//! Shared by the methods that change a balance: posts to a user's account and returns the balance after it.

use serde::Serialize;

use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::CallError;
use crate::ledger::book::transaction::{Receipt, Rejection, Transaction};
use crate::points::call_error;
use crate::points::coins::Coins;
use crate::points::messages::{MESSAGE_ID_USED, message_key, message_nonce};
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

/// Applies a transaction of a method with one posting; `reject` maps a rejection by the ledger to the method's fault. A message with an
/// id counts once, whatever else makes its posting recognisable.
///
/// # Errors
/// Returns the result of `reject`, 412 if another message had the id, [`CallError::Busy`] if the ledger's queue is full, or
/// [`CallError::Internal`] if the database does not answer.
pub async fn post(
    coins: &Coins,
    method: &str,
    transaction: Transaction,
    context: &Context<Delivery>,
    reject: impl FnOnce(Rejection) -> CallError,
) -> Result<Receipt, CallError> {
    let transaction = Transaction {
        nonce: message_key(method, context).map(message_nonce),
        credit_limit: coins.credit_limit(context),
        ..transaction.requested_by(context.request_id.shared(), context.origin.clone())
    };
    let reject = |rejection| match rejection {
        Rejection::NonceSpent => MESSAGE_ID_USED.into(),
        rejection => reject(rejection),
    };
    let posted = coins.ledger.post(transaction).await;
    posted.map_err(|error| call_error(error, reject))
}
