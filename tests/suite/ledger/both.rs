//! Two instances on one database that get the same requests: one after the other, and both at once.

use std::future::Future;

use futures_util::future::join_all;
use pointgate::clock::Clock;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Action, Limit, Posting, PostingKind, Reason, Transaction,
};
use pointgate::ledger::read::history::{Direction, Range};
use pointgate::ledger::{Ledger, Settings};
use pointgate::members::{LinkError, Members};
use pointgate::points::EXPIRED;
use serde_json::json;

use super::journal::operator;
use super::write_load::history;
use crate::openapi::client::{ENVELOPE_SIGNER, PARTNERS, fault, next_nonce, success};
use crate::osx::client::{COMMUNITY, sign_action};
use crate::program::{CONFIG, Client, Program, ProgramDir};
use crate::test_gateway::TestGateway;

/// The number of requests sent to one instance after the other, and of those sent to both at once.
const TIMES: usize = 60;

/// Two programs that serve everything.
struct Both {
    one: Program,
    _other: Program,
    clients: [Client; 2],
}

impl Both {
    async fn start() -> Both {
        let dir = ProgramDir::with_config(&format!("{CONFIG}{PARTNERS}{COMMUNITY}"));
        let one = Program::start(&dir, &[]).await;
        let other = Program::start(&dir, &[]).await;
        let clients = [one.client(), other.client()];
        Both {
            one,
            _other: other,
            clients,
        }
    }

    /// Sends [`TIMES`] requests to one instance and then to the other, then as many more to both at once. Returns the two answers
    /// to each request. `send` gets the client, the client's place, and the request's number.
    async fn send<F: Future<Output = String>>(
        &self,
        send: impl Fn(Client, usize, usize) -> F,
    ) -> Vec<[String; 2]> {
        let mut answers = Vec::new();
        for i in 0..TIMES {
            let (first, second) = (i % 2, 1 - i % 2);
            let a = send(self.clients[first].clone(), first, i).await;
            let b = send(self.clients[second].clone(), second, i).await;
            answers.push([a, b]);
        }
        let pairs = (TIMES..2 * TIMES).map(|i| {
            let [one, other] = self.clients.clone();
            let (one, other) = (send(one, 0, i), send(other, 1, i));
            async { <[String; 2]>::from(tokio::join!(one, other)) }
        });
        answers.extend(join_all(pairs).await);
        answers
    }
}

/// Only the nonce prevents the second request: each instance adds points under another reference.
#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_is_spent_at_both() {
    let both = Both::start().await;
    let at = jiff::Timestamp::now().as_second();
    let nonces: Vec<String> = (0..2 * TIMES).map(|_| next_nonce()).collect();
    let answers = both.send(|client, which, i| {
        let gift = json!({"balance": 10, "bizId": format!("{which}-{i}"), "customerId": 7});
        let body = ENVELOPE_SIGNER.envelope(at, &nonces[i], "user.points-add", &gift);
        let request = client.http.post(format!("{}/api/v2", client.base));
        async move { text(Client::send(request.body(body.to_string())).await) }
    });
    let answers = answers.await;
    let (good, spent) = (success("[]").1, fault(110005, "Nonce已被使用").1);
    for (i, [first, second]) in answers.into_iter().enumerate() {
        let mut pair = [first, second];
        if i >= TIMES {
            // Either was first.
            pair.sort_unstable_by_key(|answer| *answer == spent);
        }
        assert_eq!(pair, [good.clone(), spent.clone()], "{i}");
    }
    let coins = i64::try_from(20 * TIMES).unwrap();
    for client in &both.clients {
        assert_eq!(client.total("7").await, coins);
    }
    both.one.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_counts_once_at_both() {
    let both = Both::start().await;
    let answers = both.send(|client, _, i| earn(client, "10", format!("r{i}")));
    for (i, [first, second]) in answers.await.into_iter().enumerate() {
        assert!(first.contains(r#""code":200"#), "{i}: {first}");
        assert_eq!(first, second, "{i}");
    }
    // With another amount, the reference belongs to the instance that was first.
    let answers = both.send(|client, which, i| {
        let num = ["10", "11"][which];
        earn(client, num, format!("s{i}"))
    });
    for (i, pair) in answers.await.into_iter().enumerate() {
        let good = pair.iter().filter(|it| it.contains(r#""code":200"#));
        let used = pair.iter().filter(|it| it.contains(r#""code":410"#));
        assert_eq!((good.count(), used.count()), (1, 1), "{i}: {pair:?}");
    }
    let rows = history(&both.clients[0], "5").await;
    assert_eq!(rows.len(), 4 * TIMES);
    let sum: i64 = rows.iter().map(|row| row.num).sum();
    assert_eq!(both.clients[1].total("5").await, sum);
    both.one.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_counts_once_at_both() {
    let both = Both::start().await;
    let end = jiff::Timestamp::now().as_second() + 300;
    let send = |client: Client, call: String| async move {
        let path = format!("/userActionNotify?{}", sign_action(&call, end));
        text(client.get(&path).await)
    };
    let answers = both.send(|client, _, i| send(client, format!("a>b 1 post t{i}")));
    for (i, [first, second]) in answers.await.into_iter().enumerate() {
        assert!(first.contains(r#""msg":"ok""#), "{i}: {first}");
        // One of the two is a repeat, which has the balances of now.
        assert_eq!(without_numbers(&first), without_numbers(&second), "{i}");
    }
    let last = send(both.clients[0].clone(), "a 1 post last".to_owned()).await;
    let score = format!(r#""score1":"{}""#, 10 * (2 * TIMES + 1));
    assert!(last.contains(&score), "{last}");
    both.one.audit();
}

/// An answer without the numbers in it that are texts: its scores.
fn without_numbers(answer: &str) -> String {
    let parts = answer.split('"').map(|part| match part.parse::<i64>() {
        Ok(_) => "",
        Err(_) => part,
    });
    parts.collect::<Vec<_>>().join("\"")
}

fn text(answer: reqwest::Result<crate::program::Answer>) -> String {
    answer.unwrap().text
}

async fn earn(client: Client, num: &str, reference: String) -> String {
    let parameters = [
        ("method", "app.yohocoin.get"),
        ("uid", "5"),
        ("num", num),
        ("type", "18"),
        ("referenceId", &reference),
    ];
    text(client.call(&parameters).await)
}

/// A gateway's ledger, and another instance on its database, by the same clock.
async fn ledgers(gateway: &TestGateway) -> [Ledger; 2] {
    let now = gateway.now();
    let settings = Settings {
        queue: 2000,
        batch: 64,
        writers: 0,
        expiry_reason: EXPIRED,
    };
    let other = Ledger::open(&gateway.database_url(), settings, Clock::new(move || now)).await;
    [gateway.ledger().clone(), other.unwrap()]
}

fn account(owner: impl Into<String>) -> AccountKey {
    AccountKey {
        owner: owner.into(),
        asset: "coin".into(),
    }
}

fn points(owner: impl Into<String>, amount: i64, expires_at: i64) -> Posting {
    Posting {
        account: account(owner),
        kind: PostingKind::Earn { amount, expires_at },
        reason: Reason(18),
        idempotency: None,
        requires: None,
        reference: None,
        message: None,
        operator: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_expires_once_if_both_expire_it() {
    let gateway = TestGateway::start().await;
    let [one, other] = ledgers(&gateway).await;
    let owners: Vec<String> = (0..300).map(|i| format!("uid:{i}")).collect();
    let due = gateway.now() + 1000;
    let earned = owners
        .iter()
        .flat_map(|owner| [(owner, due), (owner, due + 1), (owner, due + 2)])
        .map(|(owner, expires_at)| one.post(points(owner, 10, expires_at)));
    assert!(join_all(earned).await.iter().all(Result::is_ok));
    // Each round expires another lot of every account.
    for round in 0..3 {
        let (a, b) = tokio::join!(one.expire(due + round), other.expire(due + round));
        assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
        assert!(a.unwrap() + b.unwrap() >= owners.len());
    }
    for owner in &owners {
        let range = Range {
            account: account(owner),
            direction: Some(Direction::Expense),
            from: None,
            until: None,
            skip: 0,
            limit: 10,
        };
        let page = one.history(&range).await.unwrap().unwrap();
        let expired: Vec<i64> = page.entries.iter().map(|row| row.amount).collect();
        assert_eq!(expired, [-10; 3], "{owner}");
    }
    other.close().await;
    let report = gateway.audit().await;
    assert_eq!((report.points, report.entries), (0, 6 * 300));
}

/// The limited actor has no account that could be locked meanwhile: the points go to others.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_at_both() {
    let gateway = TestGateway::start().await;
    let ledgers = ledgers(&gateway).await;
    let (most, tries) = (3, 16);
    let day = gateway.now() / 86_400_000 * 86_400_000;
    let never = pointgate::ledger::book::transaction::NEVER;
    for actor in 0..TIMES {
        let act = |i: usize| {
            let transaction = Transaction {
                postings: vec![points(format!("key:{actor}-{i}"), 1, never)],
                action: Some(Action {
                    key: Key::of(&["action", &actor.to_string(), &i.to_string()]),
                    token: format!("{actor}-{i}"),
                    owner: format!("key:{actor}"),
                    name: "collect".to_owned(),
                    other: None,
                    object: None,
                    limit: Some(Limit {
                        most,
                        from: day,
                        until: day + 86_400_000,
                    }),
                }),
                ..Transaction::default()
            };
            ledgers[i % 2].apply(transaction)
        };
        let applied = join_all((0..tries).map(act)).await;
        let applied = applied.into_iter().map(Result::unwrap);
        let scored = applied.filter(|one| {
            one.action.unwrap().scored && one.receipts.iter().all(|receipt| receipt.balance == 1)
        });
        assert_eq!(scored.count(), most as usize, "{actor}");
    }
    let [_, other] = ledgers;
    other.close().await;
    let report = gateway.audit().await;
    assert_eq!(report.entries, TIMES as u64 * most as u64);
}

/// Whichever is first, the link or the accounts: two names share one account, or are not linked and have one each. No account is
/// left under a name that leads to another owner.
#[tokio::test(flavor = "multi_thread")]
async fn names_are_linked_while_the_other_adds_accounts() {
    let gateway = TestGateway::start().await;
    let [one, other] = ledgers(&gateway).await;
    let members = Members::new(one.clone());
    let never = pointgate::ledger::book::transaction::NEVER;
    let mut linked_names = 0;
    for i in 1..=TIMES {
        let key = format!("k{i}");
        let (by_uid, by_key) = (format!("uid:{i}"), format!("key:{key}"));
        let uid = i64::try_from(i).unwrap();
        // By turns one name has points, the other, or both.
        let link = members.link(uid, &key, operator());
        let uid_too = async {
            match i % 3 {
                0 => None,
                _ => Some(other.post(points(&by_uid, 1, never)).await),
            }
        };
        let key_too = async {
            match i % 3 {
                1 => None,
                _ => Some(other.post(points(&by_key, 2, never)).await),
            }
        };
        let (linked, a, b) = tokio::join!(link, uid_too, key_too);
        assert!(a.is_none_or(|it| it.is_ok()) && b.is_none_or(|it| it.is_ok()));
        let all = i64::from(i % 3 != 0) + 2 * i64::from(i % 3 != 1);
        for ledger in [&one, &other] {
            let of_uid = ledger.balance(account(&by_uid)).await.unwrap();
            let of_key = ledger.balance(account(&by_key)).await.unwrap();
            match &linked {
                Ok(_) => assert_eq!((of_uid, of_key), (Some(all), Some(all)), "{i}"),
                Err(LinkError::BothHold { .. }) => {
                    assert_eq!((of_uid, of_key), (Some(1), Some(2)), "{i}");
                }
                Err(error) => panic!("{i}: {error}"),
            }
        }
        linked_names += u32::from(linked.is_ok());
    }
    // Nothing prevents a link if only one name has points.
    assert!(linked_names >= 40, "{linked_names}");
    other.close().await;
    gateway.audit().await;
}
