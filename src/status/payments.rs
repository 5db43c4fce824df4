//! Payments: records an event of the payment provider together with the points that it gives or takes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::MemberStatus;
use super::payment_event::{Effect, PaymentEvent, is_refund_of};
use crate::config;
use crate::gateway::context::{Origin, RequestId};
use crate::gateway::fault::CallError;
use crate::ledger::ApplyError;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{
    AccountKey, Idempotency, MOST, Posting, PostingKind, Rejection, Transaction,
};
use crate::members::{MemberName, Payment};
use crate::points::PAYMENT;
use crate::points::keys::KeySpace;
use crate::sign::RsaKey;

/// How often an event is tried of whose charge other events are recorded meanwhile.
const TRIES: usize = 8;

/// The rules of payments: the provider's keys, and which payments are rewarded in which assets.
#[derive(Clone)]
pub struct PaymentRules {
    pub(super) keys: Arc<[RsaKey]>,
    award: Vec<String>,
    apps: Vec<String>,
    currency: Option<String>,
}

impl PaymentRules {
    /// Takes the rules of `[status]`.
    ///
    /// # Errors
    /// Returns a message for the user if `pingpp_public_key` is not a public key.
    pub fn new(config: &config::Status) -> Result<PaymentRules, String> {
        let keys = match &config.pingpp_public_key {
            None => Vec::new(),
            Some(pem) => RsaKey::all_from_pem(pem.reveal()).ok_or(
                "status.pingpp_public_key is not an RSA public key of 2048 to 8192 bits in PEM (-----BEGIN PUBLIC KEY-----), or several",
            )?,
        };
        Ok(PaymentRules {
            keys: keys.into(),
            award: config.award.clone(),
            apps: config.apps.clone(),
            currency: config.currency.clone(),
        })
    }

    /// The payer and the points of a charge that is rewarded.
    ///
    /// # Errors
    /// Returns why the charge is not rewarded.
    fn reward<'e>(&self, event: &'e PaymentEvent) -> Result<(&'e str, i64), &'static str> {
        let payment = &event.payment;
        let matches_app = |app: &String| self.apps.contains(app);
        let matches_currency = |wanted: &String| payment.currency.as_ref() == Some(wanted);
        if !event.live {
            return Err("it is a test: livemode is not true");
        }
        if !self.apps.is_empty() && !event.app.as_ref().is_some_and(matches_app) {
            return Err("its app is not among [status.pay] apps");
        }
        if !self.currency.as_ref().is_none_or(matches_currency) {
            return Err("its currency is not [status.pay] currency");
        }
        let payer = payment.user_key.as_deref();
        let payer = payer.ok_or("its metadata names no user_key of 1 to 64 characters")?;
        match payment.amount {
            Some(amount @ 1..=MOST) => Ok((payer, amount)),
            _ => Err("its amount is not a possible number of points"),
        }
    }
}

impl MemberStatus {
    /// Records an event, and gives or takes the points of its charge, in one transaction. An event that is recorded gives points
    /// that it has not given yet.
    ///
    /// # Errors
    /// Returns [`CallError::Busy`] if the ledger's queue is full or other events of the charge keep coming in, and
    /// [`CallError::Internal`] if the database fails.
    pub async fn record(
        &self,
        event: &PaymentEvent,
        (request_id, origin): (&RequestId, &Origin),
    ) -> Result<(), CallError> {
        let id = &event.payment.event_id;
        let mut moves_points = true;
        for _ in 0..TRIES {
            let mut payment = event.payment.clone();
            let stored = self.members.payment_events(id, &payment.subject).await?;
            let of_subject = stored.iter().filter(|it| it.subject == payment.subject);
            payment.subject_seq = i64::try_from(of_subject.count()).unwrap_or(i64::MAX);
            let is_stored = stored.iter().any(|stored| event.is_stored_as(stored));
            let postings = match moves_points {
                true => self.postings(event, &stored, is_stored).await?,
                false => Vec::new(),
            };
            if is_stored && postings.is_empty() {
                return Ok(());
            }
            let transaction = Transaction {
                postings,
                payment: (!is_stored).then(|| Box::new(payment)),
                ..Transaction::default()
            };
            let transaction = transaction.requested_by(request_id.shared(), origin.clone());
            match self.coins.ledger.apply(transaction).await {
                Ok(_) => return Ok(()),
                Err(ApplyError::Rejected(Rejection::PaymentChanged)) => {}
                Err(ApplyError::Rejected(rejection)) if moves_points => {
                    log::error!(
                        "the payment event {id:?} moves no points: {rejection} id={request_id}"
                    );
                    moves_points = false;
                }
                Err(ApplyError::Busy) => return Err(CallError::Busy),
                Err(ApplyError::Rejected(_) | ApplyError::Unavailable) => {
                    return Err(CallError::Internal);
                }
            }
        }
        log::warn!(
            "other events kept coming in while the payment event {id:?} was recorded id={request_id}"
        );
        Err(CallError::Busy)
    }

    /// The postings of an event; `stored` are the stored events of its charge.
    async fn postings(
        &self,
        event: &PaymentEvent,
        stored: &[Payment],
        is_stored: bool,
    ) -> Result<Vec<Posting>, CallError> {
        let was_refunded = |charge: &str| stored.iter().any(|it| is_refund_of(it, charge));
        let chosen = match &event.effect {
            Effect::Award(_) if self.payments.award.is_empty() => Ok(Vec::new()),
            Effect::Award(charge) if was_refunded(charge) => Err("it was refunded"),
            Effect::Award(charge) => {
                let reward = self.payments.reward(event);
                reward.map(|(payer, amount)| self.awards(event, charge, payer, amount))
            }
            Effect::TakeBack(_) if is_stored => Ok(Vec::new()),
            Effect::TakeBack(charge) if was_refunded(charge) => {
                Err("an earlier refund took back what the charge brought")
            }
            Effect::TakeBack(charge) => self.take_backs(event, charge).await?,
            Effect::Nothing => Ok(Vec::new()),
        };
        Ok(chosen.unwrap_or_else(|why| {
            let (kind, id, subject) = (
                &event.payment.kind,
                &event.payment.event_id,
                &event.payment.subject,
            );
            log::warn!("the payment event {id:?} ({kind:?} of {subject:?}) moves no points: {why}");
            Vec::new()
        }))
    }

    /// Credits `amount` to the payer in each asset, once per charge.
    fn awards(&self, event: &PaymentEvent, charge: &str, payer: &str, amount: i64) -> Vec<Posting> {
        let owner = MemberName::UserKey(payer.to_owned()).owner();
        let award = |asset: &String| Posting {
            account: AccountKey {
                owner: owner.clone(),
                asset: asset.clone(),
            },
            kind: PostingKind::Earn {
                amount,
                expires_at: self.coins.expiry_of(asset, event.payment.at),
            },
            reason: PAYMENT,
            idempotency: Some(Idempotency {
                key: KeySpace::Payment.key(&[charge, asset]),
                fingerprint: Key::of(&[charge]),
            }),
            requires: None,
            reference: event.payment.order_no.clone(),
            message: None,
            operator: None,
        };
        self.payments.award.iter().map(award).collect()
    }

    /// Takes back what a charge brought, down to a balance of zero, or says why there is nothing to take back.
    async fn take_backs(
        &self,
        event: &PaymentEvent,
        charge: &str,
    ) -> Result<Result<Vec<Posting>, &'static str>, CallError> {
        let ledger = &self.coins.ledger;
        // The charge may have been rewarded by an older configuration, in other assets.
        let mut assets: BTreeSet<String> = ledger.assets().await?.into_iter().collect();
        assets.extend(self.payments.award.iter().cloned());
        let keys = assets
            .iter()
            .map(|asset| KeySpace::Payment.key(&[charge, asset]));
        let keys: Vec<Key> = keys.collect();
        let gains = ledger.gains(&keys).await?;
        if gains.is_empty() && !self.payments.award.is_empty() {
            return Ok(Err("the charge brought nothing"));
        }
        let take_back = |(account, amount)| Posting {
            account,
            kind: PostingKind::SpendUpTo { amount },
            reason: PAYMENT,
            idempotency: None,
            requires: None,
            reference: event.payment.order_no.clone(),
            message: None,
            operator: None,
        };
        Ok(Ok(gains.into_iter().map(take_back).collect()))
    }
}
