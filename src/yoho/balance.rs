//! What the writing methods share: a posting to a user's account, answered with the balance afterwards.

use serde::Serialize;

use crate::gateway::fault::CallError;
use crate::ledger::book::transaction::{Posting, Rejection};
use crate::points::{Coins, Uid, failed};

/// The balance afterwards, as the document's string.
#[derive(Debug, Serialize)]
pub struct Balance {
    currency: String,
    uid: i64,
}

/// Posts to a user's account; `refuse` is how the method answers what the ledger refuses.
///
/// # Errors
/// What `refuse` gives, or a ledger that is busy or does not answer.
pub async fn post(
    coins: &Coins,
    uid: Uid,
    posting: Posting,
    refuse: impl FnOnce(Rejection) -> CallError,
) -> Result<Balance, CallError> {
    match coins.ledger.post(posting).await {
        Ok(receipt) => Ok(Balance {
            currency: receipt.balance.to_string(),
            uid: uid.0,
        }),
        Err(error) => Err(failed(error, refuse)),
    }
}
