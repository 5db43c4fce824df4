//! The pure parts: signing a request, sealing a response, posting to the book.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pointgate::config::{Config, Secret};
use pointgate::gateway::context::RequestId;
use pointgate::gateway::dialect::{Dialect, Request};
use pointgate::gateway::keys::KeyRegister;
use pointgate::gateway::metrics::Metrics;
use pointgate::gateway::reply::Reply;
use pointgate::ledger::book::Book;
use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Idempotency, NEVER, Posting, PostingKind, Reason,
};
use pointgate::points::EXPIRED;
use pointgate::yoho::{Yoho, client_secret};

const QUERY: &str = "app_version=3.8.2&client_type=android&method=app.yohocoin.total&os_version=Android4.4&screen_size=800x900&uid=50030141";

fn dialect() -> Yoho {
    let config = Config::parse("", std::path::Path::new("gateway.toml"), &[])
        .expect("the defaults are good");
    Yoho::new(
        &config.yoho,
        &[],
        [],
        &KeyRegister::default(),
        &Metrics::default(),
    )
}

fn signing(c: &mut Criterion) {
    let pairs: Vec<(&str, &str)> = QUERY
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let key = Secret::new("sample-key-for-trying-out-android");
    c.bench_function("sign a request", |b| {
        b.iter(|| client_secret(black_box(&pairs).iter().copied(), &key));
    });
    let query = format!(
        "{QUERY}&client_secret={}",
        client_secret(pairs.iter().copied(), &key)
    );
    let dialect = dialect();
    let id = RequestId::new("bench").expect("it is safe");
    c.bench_function("open a signed request", |b| {
        b.iter(|| {
            let request = Request {
                id: &id,
                now: 0,
                path: "/gateway",
                query: black_box(&query),
                headers: &[],
                body: b"",
                addresses: &[],
            };
            dialect.open(&request).expect("it is signed well")
        });
    });
}

fn response(c: &mut Criterion) {
    let dialect = dialect();
    let data = r#"{"code":"20111130-152530","total":3000}"#;
    c.bench_function("seal a response", |b| {
        b.iter(|| {
            let reply = Reply {
                data: black_box(data).to_owned(),
                message: "yoho coin total",
                skipped: Vec::new(),
            };
            dialect.seal(Ok(reply), 0)
        });
    });
}

fn book(c: &mut Criterion) {
    let posting = |n: u64| {
        let reference = n.to_string();
        let once = Some(Idempotency {
            key: Key::of(&["r", &reference]),
            fingerprint: Key::of(&["100"]),
        });
        Posting {
            account: AccountKey {
                owner: format!("uid:{}", n % 64),
                asset: "coin".into(),
            },
            kind: PostingKind::Earn {
                amount: 100,
                expires_at: NEVER,
            },
            reason: Reason(18),
            idempotency: once,
            requires: None,
            reference: Some(reference),
            message: None,
            operator: None,
        }
    };
    let batch: Vec<Posting> = (0..512).map(posting).collect();
    let mut group = c.benchmark_group("book");
    group.throughput(Throughput::Elements(batch.len() as u64));
    group.bench_function("post a batch of 512", |b| {
        b.iter_batched(
            || Book::new(EXPIRED),
            |mut book| {
                for posting in &batch {
                    book.post(posting, 0).expect("it is earned");
                }
                book
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, signing, response, book);
criterion_main!(benches);
