//! The caller of an Action, and the nonce that the call spends.

use std::sync::Arc;

use super::partner::AuthorisedPartner;
use super::{CallError, Fault, Nonce, REPLAYED};
use crate::gateway::context::RequestId;
use crate::ledger::Ledger;
use crate::ledger::book::transaction::{Posting, Rejection, Transaction};
use crate::points::call_error;

/// The partner of an authenticated request, and its nonce.
#[derive(Clone)]
pub struct Caller {
    pub(super) partner: Arc<AuthorisedPartner>,
    pub(super) nonce: Nonce,
}

impl Caller {
    /// Spends the request's nonce in one transaction with its posting; `reject` is the Action's answer to what the ledger's rules do
    /// not allow. An Action that only reads spends the nonce once its answer is ready, so that a refusal costs none.
    ///
    /// # Errors
    /// Returns 110005 for a nonce that was used before, what `reject` gives, or that the ledger is busy or does not answer.
    pub async fn spend(
        self,
        ledger: &Ledger,
        request_id: &RequestId,
        posting: Option<Posting>,
        reject: impl FnOnce(Rejection) -> CallError,
    ) -> Result<(), CallError> {
        let unit = Transaction {
            nonce: Some(self.nonce),
            postings: Vec::from_iter(posting),
            request_id: Some(request_id.shared()),
            ..Transaction::default()
        };
        let reject = |rejection| match rejection {
            Rejection::NonceSpent => REPLAYED.into(),
            rejection => reject(rejection),
        };
        match ledger.apply(unit).await {
            Ok(_) => Ok(()),
            Err(error) => Err(call_error(error, reject)),
        }
    }

    /// Answers a good request that its business refuses, which costs no nonce. A replay learns nothing from it: it gets 110005.
    pub async fn refusal(self, ledger: &Ledger, fault: Fault) -> CallError {
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
        request_id: &RequestId,
    ) -> Result<(), CallError> {
        self.spend(ledger, request_id, None, |_| CallError::Internal)
            .await
    }
}
