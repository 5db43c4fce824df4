//! `/userActionNotify`: records an action of a community user, and scores it for that user and for the other user it concerns.

use futures_util::future::try_join_all;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Community;
use super::dialect::FORGED;
use crate::config::Rule;
use crate::gateway::context::Context;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::value::Text;
use crate::ledger::Ledger;
use crate::ledger::book::transaction::{
    AccountKey, Action, Limit, Nonce, Posting, PostingKind, Receipt, Rejection, Transaction,
};
use crate::members::MemberName;
use crate::params;
use crate::points::keys::KeySpace;
use crate::points::{REWARD, call_error};

/// `/userActionNotify`.
pub struct UserActionNotify;

/// The path, which is the method's name.
pub const PATH: &str = "/userActionNotify";

/// The platform's value for no other user and for no object.
const NONE: &str = "0";
/// The longest reference of an entry (characters).
const MAX_REFERENCE_LENGTH: usize = 128;

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the acting user
        user: Text<255> as "user_token" = required,
        /// the other user, 0 = none
        other: Option<Text<255>> as "to_user_token" = optional(None),
        /// the object of the action, 0 = none
        object: Option<Text<255>> as "to_id" = optional(None),
        /// name of the action
        action: Text<255> = required,
        /// idempotency key of the platform's
        token: Text<255> as "action_token" = required,
    }
}

/// A user whom an action concerns.
struct Participant {
    /// The name of the token's parameter, which is also its name in the answer.
    parameter: &'static str,
    token: String,
    name: MemberName,
    /// Scores by index from 0, with the change of each, in the order of their postings.
    scores: Vec<(usize, i64)>,
}

impl Method for UserActionNotify {
    const NAME: &'static str = PATH;
    const SUMMARY: &'static str =
        "record an action of a user of the community, and score it by its rule";
    const EXAMPLE: &'static str = "user_token=14359234985&to_user_token=14359234956&to_id=256&action=osapi_com_sendThread&action_token=1520559498658924";
    const MESSAGE: &'static str = "ok";
    type State = Community;
    type Details = Nonce;
    type Params = Params;
    type Reply = Box<RawValue>;

    async fn call(
        community: &Community,
        params: Params,
        context: Context<Nonce>,
    ) -> Result<Box<RawValue>, CallError> {
        let present = |text: Option<Text<255>>| text.map(|Text(text)| text).filter(|it| it != NONE);
        let (Text(user), Text(action), Text(token)) = (params.user, params.action, params.token);
        let (other, object) = (present(params.other), present(params.object));
        let no_scores = Rule::default();
        let rule = community.rule(&action).unwrap_or(&no_scores);

        let name = community.name(&user, "user_token")?;
        let mut participants = vec![Participant {
            parameter: "user_token",
            token: user,
            name: name.clone(),
            scores: rule.user.clone(),
        }];
        let mut other_name = None;
        if let Some(other) = other {
            let name = community.name(&other, "to_user_token")?;
            other_name = Some(name.owner());
            participants.push(Participant {
                parameter: "to_user_token",
                token: other,
                name,
                scores: rule.to_user.clone(),
            });
        }
        let postings = participants.iter().flat_map(|participant| {
            let post = |&(score, amount)| {
                posting(
                    community,
                    &participant.name,
                    score,
                    amount,
                    rule,
                    &token,
                    context.now,
                )
            };
            participant.scores.iter().map(post)
        });
        let transaction = Transaction {
            nonce: Some(context.details),
            credit_limit: community.coins.credit_limit(&context),
            request_id: Some(context.request_id.shared()),
            origin: context.origin.clone(),
            postings: postings.collect(),
            action: Some(Action {
                key: KeySpace::CommunityAction.key(&[&token]),
                owner: name.owner(),
                name: action,
                other: other_name,
                object,
                limit: rule.daily_max.map(|most| {
                    let (from, until) = community.coins.calendar.day_bounds(context.now);
                    Limit { most, from, until }
                }),
                token: token.clone(),
            }),
            ..Transaction::default()
        };
        let profile = write(&community.profile(&name).await?)?;
        let balances = apply(&community.coins.ledger, transaction).await?;
        let answer = answer(&token, &participants, &balances, &profile);
        RawValue::from_string(answer).map_err(|error| {
            log::error!("cannot write an answer: {error}");
            CallError::Internal
        })
    }
}

/// Applies an action, unless its signature had another reading before. Returns for each posting the balance after the action, or
/// `None` if the posting changed nothing. A repeated action changes nothing and returns the current balances, or no balances if
/// the recorded action scored nothing.
async fn apply(ledger: &Ledger, transaction: Transaction) -> Result<Vec<Option<i64>>, CallError> {
    let postings = transaction.postings.iter();
    let accounts: Vec<AccountKey> = postings.map(|posting| posting.account.clone()).collect();
    let reject = |rejection| match rejection {
        Rejection::NonceSpent => FORGED.into(),
        rejection => {
            log::error!("the ledger rejected the scores of an action: {rejection}");
            CallError::Internal
        }
    };
    let applied = ledger.apply(transaction).await;
    let applied = applied.map_err(|error| call_error(error, reject))?;
    match applied.action {
        Some(action) if action.repeated => {
            let scored = accounts.into_iter().filter(|_| action.scored);
            Ok(try_join_all(scored.map(|account| ledger.balance(account))).await?)
        }
        _ => Ok(final_balances(&accounts, &applied.receipts)),
    }
}

/// For each posting the balance after the last posting to its account, or `None` if the posting changed nothing.
fn final_balances(accounts: &[AccountKey], receipts: &[Receipt]) -> Vec<Option<i64>> {
    let pairs = || accounts.iter().zip(receipts);
    let last = |account| pairs().rev().find(|(other, _)| *other == account);
    pairs()
        .map(|(account, receipt)| {
            let last = last(account).filter(|_| receipt.moved);
            last.map(|(_, receipt)| receipt.balance)
        })
        .collect()
}

fn posting(
    community: &Community,
    name: &MemberName,
    score: usize,
    amount: i64,
    rule: &Rule,
    token: &str,
    now: i64,
) -> Posting {
    let fits = token.chars().nth(MAX_REFERENCE_LENGTH).is_none();
    Posting {
        account: community.account(name, score),
        kind: match amount > 0 {
            true => PostingKind::Earn {
                amount,
                expires_at: community.expires_at(score, now),
            },
            false => PostingKind::SpendUpTo { amount: -amount },
        },
        reason: REWARD,
        idempotency: None,
        requires: None,
        reference: fits.then(|| token.to_owned()),
        message: rule.message.clone(),
        operator: None,
    }
}

/// The data of the answer: each participant with the balances of the scores that changed.
fn answer(
    token: &str,
    participants: &[Participant],
    balances: &[Option<i64>],
    profile: &str,
) -> String {
    let mut balances = balances.iter().copied();
    let fields: Vec<String> = participants
        .iter()
        .map(|participant| {
            let (name, token) = (participant.parameter, quoted(&participant.token));
            let mut fields = vec![format!(r#""{name}":{token}"#)];
            for (score, _) in &participant.scores {
                if let Some(balance) = balances.next().flatten() {
                    fields.push(format!(r#""score{}":"{balance}""#, score + 1));
                }
            }
            let info = name.replace("token", "info");
            format!(r#","{info}":{{{}}}"#, fields.join(","))
        })
        .collect();
    format!(
        r#"{{"action_token":{}{},"userInfo":{profile}}}"#,
        quoted(token),
        fields.concat()
    )
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn write(value: &impl serde::Serialize) -> Result<String, CallError> {
    serde_json::to_string(value).map_err(|error| {
        log::error!("cannot write a profile: {error}");
        CallError::Internal
    })
}
