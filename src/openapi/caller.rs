//! Who calls an Action, and the nonce that the call spends.

use std::sync::Arc;

use super::partner::Partner;
use super::{CallError, Fault, Nonce, REPLAYED};
use crate::ledger::Ledger;
use crate::ledger::book::transaction::{Posting, Rejection, Transaction};
use crate::points::failed;

/// A partner's request that has been found genuine.
pub struct Caller {
    pub(super) partner: Arc<Partner>,
    pub(super) nonce: Nonce,
}

impl Caller {
    /// Spends the request's nonce, in one unit with what the request changes; `refuse` is how the Action answers what the
    /// ledger refuses. An Action that only reads spends it when its answer is ready, so that a refusal costs none.
    ///
    /// # Errors
    /// 110005 where the nonce has been used; what `refuse` gives; a ledger that is busy or does not answer.
    pub async fn spend(
        self,
        ledger: &Ledger,
        posting: Option<Posting>,
        refuse: impl FnOnce(Rejection) -> CallError,
    ) -> Result<(), CallError> {
        let unit = Transaction {
            nonce: Some(self.nonce),
            postings: Vec::from_iter(posting),
            ..Transaction::default()
        };
        let refuse = |refusal| match refusal {
            Rejection::NonceSpent => REPLAYED.into(),
            refusal => refuse(refusal),
        };
        match ledger.apply(unit).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(error, refuse)),
        }
    }

    /// The refusal of a good request by its business, which costs no nonce. A replay learns nothing from it.
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
    pub async fn spend_alone(self, ledger: &Ledger) -> Result<(), CallError> {
        self.spend(ledger, None, |_| CallError::Internal).await
    }
}
