//! What payments award, and what their refunds take back.

use futures_util::future::join_all;
use pointgate::ledger::book::freeze::FreezeScope;
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};

use super::provider::{Provider, charge, refund};
use crate::ledger::journal::operator;

const AWARD: &str = "[status.pay]\naward = { diamond = 'amount', coin = 'amount' }\n";
const BOTH: [&str; 2] = ["diamond", "coin"];

async fn send(provider: &Provider, event: &Value) {
    let (status, answer) = provider.notify(event).await;
    assert_eq!(status, 200, "{event}: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_is_credited_once_if_configured() {
    let provider = Provider::with(AWARD).await;
    let mut event = charge(1);
    for id in ["evt_2", "evt_2", "evt_3"] {
        event["id"] = id.into();
        send(&provider, &event).await;
    }
    let report = provider.gateway.audit().await;
    assert_eq!((report.entries, report.points), (2, 200));
    assert_eq!(provider.payments().await.len(), 1);
    provider.gateway.check_table(r#"diamonds | status.sports_envious.v2 {"user_key":"a","envious":-1} | {"diamonds":99,"user_key":"a"}"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_live_payments_of_the_apps_and_the_currency_are_awarded() {
    let rules = "apps = ['app_other', 'app_f9yb50vPenXL5eXj']\ncurrency = 'cny'\n";
    let provider = Provider::with(&format!("{AWARD}{rules}")).await;
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 11] = [
        ("a test", |event| event["livemode"] = false.into()),
        ("of no mode", |event| event["livemode"] = Value::Null),
        ("of a mode in words", |event| {
            event["livemode"] = "true".into()
        }),
        ("of a test object", |event| {
            event["data"]["object"]["livemode"] = false.into();
        }),
        ("another app", |event| {
            event["data"]["object"]["app"] = "app_x".into()
        }),
        ("no app", |event| {
            event["data"]["object"]["app"] = Value::Null
        }),
        ("another currency", |event| {
            event["data"]["object"]["currency"] = "usd".into();
        }),
        ("no currency", |event| {
            event["data"]["object"]["currency"] = Value::Null;
        }),
        ("nobody", |event| {
            event["data"]["object"]["metadata"] = json!({})
        }),
        ("nothing", |event| {
            event["data"]["object"]["amount"] = 0.into()
        }),
        ("more than points can be", |event| {
            event["data"]["object"]["amount"] = 1_000_000_000_001_i64.into();
        }),
    ];
    for (number, (name, change)) in changes.iter().enumerate() {
        let mut event = charge(number);
        change(&mut event);
        send(&provider, &event).await;
        assert_eq!(provider.payments().await.len(), number + 1, "{name}");
        assert_eq!(provider.gateway.audit().await.entries, 0, "{name}");
    }
    send(&provider, &charge("good")).await;
    assert_eq!(provider.gateway.audit().await.points, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_the_ledger_cannot_award_is_recorded() {
    let provider = Provider::with(AWARD).await;
    send(&provider, &charge(1)).await;
    // As much as a balance can be, for want of nine million payments.
    let db = Database::connect(provider.gateway.database_url())
        .await
        .unwrap();
    let full = format!("UPDATE account SET balance = {}", i64::MAX);
    db.execute_unprepared(&full).await.unwrap();
    send(&provider, &charge(2)).await;
    assert_eq!(provider.payments().await.len(), 2);
    assert_eq!(provider.balance("a", "coin").await, Some(i64::MAX));
    // The payer's name is longer than any that an account can have.
    let mut nameless = charge(3);
    nameless["data"]["object"]["metadata"]["user_key"] = "a".repeat(65).into();
    send(&provider, &nameless).await;
    assert_eq!(provider.payments().await.len(), 3);
}

/// Ping++ is answered as ever, and the award comes with the event that is sent once more after the freeze.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_payer_is_awarded_later() {
    let provider = Provider::with(AWARD).await;
    let ledger = provider.gateway.ledger();
    let by = operator();
    send(&provider, &charge(1)).await;
    ledger
        .freeze("key:a", FreezeScope::All, "r", &by)
        .await
        .unwrap();
    send(&provider, &charge(2)).await;
    assert_eq!(provider.payments().await.len(), 2);
    assert_eq!(provider.balance("a", "coin").await, Some(100));
    ledger
        .freeze("key:a", FreezeScope::Spending, "r", &by)
        .await
        .unwrap();
    send(&provider, &charge(2)).await;
    assert_eq!(provider.balance("a", "coin").await, Some(200));
    // A refund is no spending of the member's.
    send(&provider, &refund(1)).await;
    for asset in BOTH {
        assert_eq!(provider.balance("a", asset).await, Some(100), "{asset}");
    }
    assert_eq!(provider.payments().await.len(), 3);
    provider.gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_takes_back_what_the_charge_brought_once() {
    let provider = Provider::with(AWARD).await;
    for number in 1..=3 {
        send(&provider, &charge(number)).await;
    }
    for _ in 0..2 {
        send(&provider, &refund(1)).await;
    }
    // Another event of the same refund, a second refund of the same charge, and the charge once more.
    let mut event = refund(1);
    event["id"] = "evt_other".into();
    send(&provider, &event).await;
    event["data"]["object"]["id"] = "re_other".into();
    event["id"] = "evt_second".into();
    send(&provider, &event).await;
    send(&provider, &charge(1)).await;
    for asset in BOTH {
        assert_eq!(provider.balance("a", asset).await, Some(200), "{asset}");
    }
    let kinds: Vec<_> = provider.payments().await;
    let of_first = kinds.iter().filter(|it| it.subject == "ch_1");
    let mut seqs: Vec<_> = of_first.map(|it| it.subject_seq).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, [0, 1, 2], "the charge and two refunds");
    // What is spent is not taken back: the balance does not go below zero.
    provider.gateway.check_table(r#"diamonds | status.sports_envious.v2 {"user_key":"a","envious":-130} | {"diamonds":70,"user_key":"a"}"#).await;
    send(&provider, &refund(2)).await;
    assert_eq!(provider.balance("a", "diamond").await, Some(0));
    assert_eq!(provider.balance("a", "coin").await, Some(100));
    send(&provider, &refund(3)).await;
    for asset in BOTH {
        assert_eq!(provider.balance("a", asset).await, Some(0), "{asset}");
    }
    provider.gateway.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_what_brought_nothing_takes_nothing() {
    let provider = Provider::with(AWARD).await;
    send(&provider, &charge(1)).await;
    let mut unpaid = charge(2);
    unpaid["livemode"] = false.into();
    send(&provider, &unpaid).await;
    for number in ["2", "unknown"] {
        send(&provider, &refund(number)).await;
    }
    let mut of_nothing = refund(3);
    of_nothing["data"]["object"]["charge"] = Value::Null;
    send(&provider, &of_nothing).await;
    assert_eq!(provider.balance("a", "diamond").await, Some(100));
    assert_eq!(provider.payments().await.len(), 5);
    // A charge whose refund came first is not awarded.
    send(&provider, &charge("unknown")).await;
    assert_eq!(provider.balance("a", "diamond").await, Some(100));
    assert_eq!(provider.payments().await.len(), 6);
}

/// However the deliveries of a charge and of its refund overlap, they are stored once and nothing of the charge stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_deliveries_are_one() {
    let provider = Provider::with(AWARD).await;
    for number in 0..8 {
        let (paid, back) = (charge(number), refund(number));
        let events = (0..4).flat_map(|_| [&paid, &back]);
        let sent = events.map(|event| async {
            // The provider sends an event again that is not acknowledged.
            while provider.notify(event).await.0 != 200 {}
        });
        join_all(sent).await;
        assert_eq!(provider.payments().await.len(), 2 * number + 2);
        for asset in BOTH {
            let balance = provider.balance("a", asset).await;
            assert!(matches!(balance, None | Some(0)), "{number}: {balance:?}");
        }
    }
    provider.gateway.audit().await;
}

/// Inside an event numbers and texts read alike; an event of another type needs no id, and names its order in other places.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_read_as_the_provider_writes_it() {
    let provider = Provider::with(AWARD).await;
    let mut event = charge(1);
    event["data"]["object"]["amount"] = "250".into();
    event["data"]["object"]["order_no"] = 77.into();
    event["data"]["object"]["metadata"]["user_key"] = 5.into();
    send(&provider, &event).await;
    assert_eq!(provider.balance("5", "coin").await, Some(250));
    let agreement =
        json!({"type": "agreement.succeeded", "data": {"object": {"merchant_order_no": "m1"}}});
    let order =
        json!({"id": 9, "type": "order.paid", "data": {"object": {"charge": {"order_no": "c1"}}}});
    for event in [&agreement, &agreement, &order] {
        send(&provider, event).await;
    }
    let stored = provider.payments().await;
    assert_eq!(stored.len(), 3);
    let orders = ["77", "c1", "m1"].map(|order| {
        stored
            .iter()
            .any(|it| it.order_no.as_deref() == Some(order))
    });
    assert_eq!(orders, [true; 3]);
    assert!(stored.iter().any(|it| it.event_id == "9"));
}
