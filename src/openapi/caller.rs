//! The caller of an Action, with the nonce that the call spends.

use std::sync::Arc;

use super::partner::AuthorisedPartner;
use super::{CallError, Fault, Nonce, REPLAYED};
use crate::gateway::context::{Origin, RequestId};
use crate::ledger::Ledger;
use crate::ledger::book::transaction::{CreditLimit, Posting, Receipt, Rejection, Transaction};
use crate::points::call_error;

/// The partner of an authenticated request, and the request's nonce.
#[derive(Clone)]
pub struct Caller {
    pub(super) partner: Arc<AuthorisedPartner>,
    pub(super) nonce: Nonce,
}

impl Caller {
    /// Spends the request's nonce in one transaction with its posting, within a limit, and returns the posting's receipt; `reject` maps a
    /// rejection by the ledger to the Action's fault. An Action that only reads spends the nonce once its answer is ready, so that a failed
    /// request spends none.
    ///
    /// # Errors
    /// Returns 110005 for a spent nonce, the result of `reject`, [`CallError::Busy`] if the ledger's queue is full, or
    /// [`CallError::Internal`] if the database does not answer.
    pub async fn spend(
        self,
        ledger: &Ledger,
        (request_id, origin): (&RequestId, &Origin),
        posting: Option<(Posting, Option<CreditLimit>)>,
        reject: impl FnOnce(Rejection) -> CallError,
    ) -> Result<Option<Receipt>, CallError> {
        let (posting, credit_limit) = posting.unzip();
        let transaction = Transaction {
            nonce: Some(self.nonce),
            postings: Vec::from_iter(posting),
            credit_limit: credit_limit.flatten(),
            ..Transaction::default()
        };
        let transaction = transaction.requested_by(request_id.shared(), origin.clone());
        let reject = |rejection| match rejection {
            Rejection::NonceSpent => REPLAYED.into(),
            rejection => reject(rejection),
        };
        match ledger.apply(transaction).await {
            Ok(applied) => Ok(applied.receipts.first().copied()),
            Err(error) => Err(call_error(error, reject)),
        }
    }

    /// Rejects a valid request with a fault of its business and without spending the nonce. A replay of a spent nonce gets 110005
    /// instead, so that it learns nothing.
    pub async fn reject(self, ledger: &Ledger, fault: Fault) -> CallError {
        match ledger.is_spent(self.nonce).await {
            Ok(true) => REPLAYED.into(),
            Ok(false) => fault.into(),
            Err(error) => error.into(),
        }
    }

    /// Spends the nonce of a request that changes nothing else.
    ///
    /// # Errors
    /// As [`Caller::spend`].
    pub async fn spend_alone(
        self,
        ledger: &Ledger,
        request: (&RequestId, &Origin),
    ) -> Result<(), CallError> {
        let reject = |_| CallError::Internal;
        self.spend(ledger, request, None, reject).await?;
        Ok(())
    }
}
