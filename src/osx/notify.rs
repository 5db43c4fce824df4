//! `/userActionNotify`: an action of a user of the community, which may score for that user and for another one.

use futures_util::future::try_join_all;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Community;
use crate::config::Rule;
use crate::gateway::context::Context;
use crate::gateway::fault::CallError;
use crate::gateway::method::Method;
use crate::gateway::value::Text;
use crate::ledger::Ledger;
use crate::ledger::book::transaction::{
    AccountKey, Action, Limit, Posting, PostingKind, Receipt, Transaction,
};
use crate::members::MemberName;
use crate::params;
use crate::points::keys::KeySpace;
use crate::points::{REWARD, call_error};

/// `/userActionNotify`.
pub struct UserActionNotify;

/// The path, which is the method's name.
pub const PATH: &str = "/userActionNotify";

/// The platform's value for a missing counterpart or object.
const NOBODY: &str = "0";
/// The most characters of an entry's reference.
const LONGEST_REFERENCE: usize = 128;

params! {
    /// The parameters, in the order of their checks.
    pub struct Params {
        /// the acting user
        user: Text<255> as "user_token" = required,
        /// the other user, 0 for nobody
        other: Option<Text<255>> as "to_user_token" = optional(None),
        /// the object of the action, 0 for nothing
        object: Option<Text<255>> as "to_id" = optional(None),
        /// name of the action
        action: Text<255> = required,
        /// the sender's idempotency key
        token: Text<255> as "action_token" = required,
    }
}

/// One side of an action: the scores that its rule moves for one user, in the order of their postings.
struct Side {
    /// The name of the token in the answer, and the token.
    named: (&'static str, String),
    name: MemberName,
    scores: Vec<(usize, i64)>,
}

impl Method for UserActionNotify {
    const NAME: &'static str = PATH;
    const SUMMARY: &'static str = "record an action of a community user, and score it by its rule";
    const EXAMPLE: &'static str = "user_token=14359234985&to_user_token=14359234956&to_id=256&action=osapi_com_sendThread&action_token=1520559498658924";
    const MESSAGE: &'static str = "ok";
    type State = Community;
    type Details = ();
    type Params = Params;
    type Reply = Box<RawValue>;

    async fn call(
        community: &Community,
        params: Params,
        context: Context,
    ) -> Result<Box<RawValue>, CallError> {
        let some = |text: Option<Text<255>>| text.map(|Text(text)| text).filter(|it| it != NOBODY);
        let (Text(user), Text(action), Text(token)) = (params.user, params.action, params.token);
        let (other, object) = (some(params.other), some(params.object));
        let none = Rule::default();
        let rule = community.rule(&action).unwrap_or(&none);

        let name = community.name(&user, "user_token")?;
        let mut sides = vec![Side {
            named: ("user_token", user),
            name: name.clone(),
            scores: rule.user.clone(),
        }];
        let mut other_name = None;
        if let Some(other) = other {
            let name = community.name(&other, "to_user_token")?;
            other_name = Some(name.owner());
            sides.push(Side {
                named: ("to_user_token", other),
                name,
                scores: rule.to_user.clone(),
            });
        }
        let postings = sides.iter().flat_map(|side| {
            let post = |&(score, amount)| {
                posting(
                    community,
                    &side.name,
                    score,
                    amount,
                    rule,
                    &token,
                    context.now,
                )
            };
            side.scores.iter().map(post)
        });
        let transaction = Transaction {
            nonce: None,
            request_id: Some(context.request_id.shared()),
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
        };
        let profile = write(&community.profile(&name).await?)?;
        let balances = apply(&community.coins.ledger, transaction).await?;
        let answer = answer(&token, &sides, &balances, &profile);
        RawValue::from_string(answer).map_err(|error| {
            log::error!("an answer is not JSON: {error}");
            CallError::Internal
        })
    }
}

/// Applies an action. Returns for each posting the balance after the action, or `None` if the posting moved nothing; for a
/// repeat, the balance of now if the recorded action scored, and else nothing.
async fn apply(ledger: &Ledger, transaction: Transaction) -> Result<Vec<Option<i64>>, CallError> {
    let postings = transaction.postings.iter();
    let accounts: Vec<AccountKey> = postings.map(|posting| posting.account.clone()).collect();
    let reject = |rejection| {
        log::error!("the ledger rejected the scores of an action: {rejection}");
        CallError::Internal
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

/// For each posting the balance after the last posting to its account, or `None` if the posting moved nothing.
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
    let short = token.chars().nth(LONGEST_REFERENCE).is_none();
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
        reference: short.then(|| token.to_owned()),
        message: rule.message.clone(),
        operator: None,
    }
}

/// The answer's data: each side with the balances of the scores that changed.
fn answer(token: &str, sides: &[Side], balances: &[Option<i64>], profile: &str) -> String {
    let mut balances = balances.iter().copied();
    let sides: Vec<String> = sides
        .iter()
        .map(|side| {
            let (name, token) = (side.named.0, quoted(&side.named.1));
            let mut fields = vec![format!(r#""{name}":{token}"#)];
            for (score, _) in &side.scores {
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
        sides.concat()
    )
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn write(value: &impl serde::Serialize) -> Result<String, CallError> {
    serde_json::to_string(value).map_err(|error| {
        log::error!("a profile cannot be written: {error}");
        CallError::Internal
    })
}
