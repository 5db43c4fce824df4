//! Shared by the diamond methods: posts to a member's diamonds and returns the balance after it.

use serde::Serialize;

use super::MemberStatus;
use crate::gateway::context::{Context, Delivery};
use crate::gateway::fault::{CallError, Fault};
use crate::ledger::ApplyError;
use crate::ledger::book::key::Key;
use crate::ledger::book::transaction::{
    AccountKey, Gain, Idempotency, NEVER, Posting, PostingKind, Rejection, Transaction,
};
use crate::members::{MemberName, MessageKey};
use crate::points::keys::KeySpace;
use crate::points::messages::{MESSAGE_ID_USED, message_nonce};
use crate::points::{FROZEN, OVER_LIMIT, REWARD, call_error};

/// The largest number of diamonds in one request.
pub const MAX_DIAMONDS: i64 = 1_000_000_000;

pub const BAD_COUNT: Fault = Fault::new(402, "count不合法");
const TOO_FEW: Fault = Fault::new(407, "钻石不足");
const IDENTITY_USED: Fault = Fault::new(410, "identity已被使用");

/// The reply: the balance after the change.
#[derive(Debug, Serialize)]
pub struct Diamonds {
    diamonds: i64,
    /// `false` if a reduction with `with_prevent` found nothing of an addition to take back; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    reduced: Option<bool>,
    user_key: String,
}

/// A change of a member's diamonds.
pub struct DiamondChange<'a> {
    pub user_key: String,
    /// Diamonds to add, or to take if negative.
    pub count: i64,
    /// The call that asks for it.
    pub context: &'a Context<Delivery>,
    /// The sender's cause, which becomes the entry's message.
    pub change_type: Option<&'a str>,
    /// The sender's object, which becomes the entry's reference.
    pub identity: Option<&'a str>,
    /// The idempotency key of the sender's object. Without it, the message's key identifies the change; without either, the change
    /// applies each time.
    pub identity_key: Option<Key>,
    /// The message that asks for it, if one with an id does.
    pub message: Option<MessageKey>,
    /// The addition that the change takes back.
    pub requires: Option<Gain>,
}

fn account(user_key: &str) -> AccountKey {
    AccountKey {
        owner: MemberName::UserKey(user_key.to_owned()).owner(),
        asset: "diamond".into(),
    }
}

impl MemberStatus {
    /// Applies a change.
    ///
    /// # Errors
    /// Returns 508 for more than the caller may give, 407 for too few diamonds, 410 for an identity and 412 for a message id that a different change used, 411 for a frozen account, 402 for a balance out of range,
    /// [`CallError::Busy`] if the ledger's queue is full, or [`CallError::Internal`] if the database does not answer.
    pub async fn change_diamonds(&self, change: DiamondChange<'_>) -> Result<Diamonds, CallError> {
        let idempotency = match (change.identity_key, change.message) {
            (Some(key), _) => Some(of_count(key, change.count)),
            (None, Some(message)) => Some(self.of_message(&change, message).await?),
            (None, None) => None,
        };
        let posting = Posting {
            account: account(&change.user_key),
            kind: match change.count > 0 {
                true => PostingKind::Earn {
                    amount: change.count,
                    expires_at: NEVER,
                },
                false => PostingKind::Spend {
                    amount: -change.count,
                    order: None,
                },
            },
            reason: REWARD,
            idempotency,
            requires: change.requires,
            reference: change.identity.map(str::to_owned),
            message: change.change_type.map(str::to_owned),
            operator: None,
        };
        let ledger = &self.coins.ledger;
        let context = change.context;
        let transaction = Transaction {
            nonce: change.message.map(message_nonce),
            credit_limit: self.coins.credit_limit(context),
            ..Transaction::of(posting)
                .requested_by(context.request_id.shared(), context.origin.clone())
        };
        let error = match ledger.post(transaction).await {
            Ok(receipt) => {
                return Ok(Diamonds {
                    diamonds: receipt.balance,
                    reduced: None,
                    user_key: change.user_key,
                });
            }
            Err(error) => error,
        };
        if error == ApplyError::Rejected(Rejection::RequirementMissing) {
            let diamonds = ledger.balance(account(&change.user_key)).await?;
            return Ok(Diamonds {
                diamonds: diamonds.unwrap_or_default(),
                reduced: Some(false),
                user_key: change.user_key,
            });
        }
        let has_identity = change.identity_key.is_some();
        Err(call_error(error, |rejection| match rejection {
            Rejection::Insufficient => TOO_FEW.into(),
            Rejection::IdempotencyConflict if has_identity => IDENTITY_USED.into(),
            Rejection::IdempotencyConflict | Rejection::NonceSpent => MESSAGE_ID_USED.into(),
            Rejection::Frozen => FROZEN.into(),
            Rejection::OutOfRange => BAD_COUNT.into(),
            Rejection::CreditLimit => OVER_LIMIT.into(),
            Rejection::PaymentChanged
            | Rejection::RequirementMissing
            | Rejection::ReturnExceeds
            | Rejection::NotCorrectable
            | Rejection::NothingSpent => CallError::Internal,
        }))
    }
}

impl MemberStatus {
    /// The idempotency of a change that only its message identifies: by the older key if an older version of the program applied
    /// the message before the broker delivered it again.
    async fn of_message(
        &self,
        change: &DiamondChange<'_>,
        message: MessageKey,
    ) -> Result<Idempotency, CallError> {
        if let Some(older) = message.older {
            let applied = self.coins.ledger.gains(&[older]).await?;
            let name = MemberName::UserKey(change.user_key.clone());
            let uid = self.members.find(&name).await?.and_then(|it| it.uid);
            let owners = [
                Some(name.owner()),
                uid.map(|uid| MemberName::Uid(uid).owner()),
            ];
            let is_this = |(account, amount): &(AccountKey, i64)| {
                *amount == change.count && owners.iter().flatten().any(|it| *it == account.owner)
            };
            if applied.iter().any(is_this) {
                return Ok(of_count(older, change.count));
            }
        }
        Ok(Idempotency {
            key: message.key,
            fingerprint: message.fingerprint,
        })
    }
}

/// The idempotency of a change whose content is its number of diamonds.
fn of_count(key: Key, count: i64) -> Idempotency {
    let fingerprint = Key::of(&[&count.to_string()]);
    Idempotency { key, fingerprint }
}

/// The addition for a sender's object, for a reduction that takes back `count` of its diamonds.
pub fn addition(user_key: &str, change_type: &str, identity: &str, count: i64) -> Gain {
    let count = count.to_string();
    Gain {
        key: identity_key("add", user_key, change_type, identity),
        further: KeySpace::DiamondChange.key(&["reduce", user_key, change_type, identity, &count]),
    }
}

/// The idempotency key of an addition (`add`) or a reduction (`reduce`) for a sender's object.
pub fn identity_key(direction: &str, user_key: &str, change_type: &str, identity: &str) -> Key {
    KeySpace::DiamondChange.key(&[direction, user_key, change_type, identity])
}
