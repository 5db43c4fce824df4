//! The verifier in Python, which was written from docs/proofs.md alone, judges statements of a ledger with a random history.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use pointgate::ledger::book::key::Key;
use pointgate::ledger::book::transaction::{
    AccountKey, Idempotency, NEVER, Posting, PostingKind, Reason, Transaction,
};
use pointgate::ledger::proof::note::Note;
use pointgate::ledger::read::prove::{ProofError, ProofOrder, Proven};
use pointgate::origin::Origin;

use super::{DAY, NOW, Sealing, open, signing_key};
use crate::database::{PYTHON, must};
use crate::older::age;

const OWNERS: u64 = 12;
const DAYS: i64 = 8;

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn account(owner: u64) -> AccountKey {
    let asset = if owner.is_multiple_of(2) {
        "coin"
    } else {
        "exp"
    };
    AccountKey {
        owner: format!("uid:{owner}"),
        asset: asset.to_owned(),
    }
}

/// A posting such as requests make, with texts that JSON escapes.
fn posting(dice: &mut Dice, number: u64, now: i64) -> Posting {
    let owner = dice.roll(OWNERS);
    let amount = 1 + i64::try_from(dice.roll(50)).unwrap();
    let order = Key::of(&["order", &owner.to_string(), &dice.roll(3).to_string()]);
    let days = i64::try_from(dice.roll(6)).unwrap();
    let expires_at = if days == 5 {
        NEVER
    } else {
        now + (1 + days) * DAY
    };
    let kind = match dice.roll(10) {
        0..=4 => PostingKind::Earn { amount, expires_at },
        5..=6 => PostingKind::Spend {
            amount,
            order: Some(order),
        },
        7 => PostingKind::SpendUpTo { amount },
        8 => PostingKind::Return { amount, order },
        _ => PostingKind::Expire { due_by: now },
    };
    let has_key = !matches!(
        kind,
        PostingKind::SpendUpTo { .. } | PostingKind::Expire { .. }
    );
    let text = ["a \"gift\" 🎁\\", "字\u{7f}\u{2028}\u{0}\u{1b}/", ""][dice.roll(3) as usize];
    let text = text.replace('\0', "\t");
    Posting {
        account: account(owner),
        kind,
        reason: Reason(3),
        idempotency: (has_key && dice.roll(2) == 0).then(|| Idempotency {
            key: Key::of(&["once", &number.to_string()]),
            fingerprint: Key::of(&["content"]),
        }),
        requires: None,
        reference: (dice.roll(2) == 0).then(|| number.to_string()),
        message: (dice.roll(2) == 0).then_some(text),
        operator: (dice.roll(3) == 0).then_some(7),
    }
}

/// A ledger of some days with random movements, sealed on most of them. An older program wrote it up to the day `aged`.
async fn history(dice: &mut Dice, aged: i64) -> Sealing {
    let mut sealing = Sealing::on(None).await;
    let mut number = 0;
    for day in 0..DAYS {
        if day > 0 && day == aged {
            age(&sealing.db).await;
            sealing.ledger.close().await;
            sealing.ledger = open(&sealing._home.url, &sealing.now).await;
        }
        for _ in 0..40 {
            number += 1;
            let now = sealing.now.fetch_add(1000, Ordering::SeqCst);
            let origin = Origin {
                dialect: ["yoho", "openapi"][dice.roll(2) as usize],
                caller: format!("caller \"{}\"", dice.roll(3)),
                key: (dice.roll(2) == 0).then_some("current"),
                address: "203.0.113.9".parse().ok().filter(|_| dice.roll(2) == 0),
            };
            let transaction = Transaction::of(posting(dice, number, now));
            let transaction = transaction.requested_by(format!("r-{number}").into(), origin);
            // Some are rejected: too few points, nothing to give back.
            let _ = sealing.ledger.apply(transaction).await;
        }
        if day != 3 && day >= aged {
            sealing.seal().await.unwrap();
        }
        sealing.now.store(NOW + (day + 1) * DAY, Ordering::SeqCst);
    }
    sealing
}

async fn prove(sealing: &Sealing, order: &ProofOrder) -> Result<(String, Proven), ProofError> {
    let mut text = String::new();
    let proven = sealing.ledger.prove(order, |line| {
        text += &line;
        text += "\n";
        Ok(())
    });
    let proven = proven.await?;
    Ok((text, proven))
}

fn python(arguments: &[&str]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify");
    let out = Command::new(must(PYTHON))
        .arg("-B")
        .arg(script.join(arguments[0]))
        .args(&arguments[1..])
        .output()
        .unwrap();
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8(text).unwrap())
}

/// Proves random statements and has them judged, each also with bytes changed. Returns the number of entries in them, of those that have an
/// opening seal, and of those that prove an absence.
async fn judge(sealing: &Sealing, dice: &mut Dice, statements: usize) -> (u64, usize, usize) {
    sealing.ledger.audit(|_, _| {}).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut entries, mut openings, mut absences) = (0, 0, 0);
    for number in 0..statements {
        let from = i64::try_from(dice.roll(8)).unwrap();
        let until = from + 1 + i64::try_from(dice.roll(8)).unwrap();
        let order = ProofOrder {
            // One more than there are.
            account: account(dice.roll(OWNERS + 1)),
            from: NOW + from * DAY,
            until: NOW + until.min(DAYS) * DAY,
            checkpoint: None,
        };
        let (text, proven) = prove(sealing, &order).await.unwrap();
        entries += proven.entries;
        openings += usize::from(proven.opening.is_some());
        absences += usize::from(text.contains("\"state\":null"));
        std::fs::write(folder.path().join(format!("{number:04}")), text).unwrap();
    }
    let key = signing_key(1).verifier().to_string();
    let (good, output) = python(&["many.py", &key, folder.path().to_str().unwrap()]);
    assert!(good, "{output}");
    assert_eq!(output, format!("{statements} statements judged\n"));
    (entries, openings, absences)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with the package cryptography: tests/with_servers.sh"]
async fn a_thousand_statements_are_true_and_none_with_a_byte_changed() {
    let mut dice = Dice(20_260_520);
    let sealing = history(&mut dice, 0).await;
    let (entries, openings, absences) = judge(&sealing, &mut dice, 1000).await;
    assert!(entries > 3000, "{entries}");
    assert!(openings > 300, "{openings}");
    assert!(absences > 30, "{absences}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with the package cryptography: tests/with_servers.sh"]
async fn entries_of_an_older_program_are_proven_too() {
    let mut dice = Dice(20_260_521);
    let sealing = history(&mut dice, 3).await;
    let (entries, openings, _) = judge(&sealing, &mut dice, 200).await;
    assert!(entries > 1000, "{entries}");
    assert!(openings > 30, "{openings}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with the package cryptography: tests/with_servers.sh"]
async fn a_statement_is_true_to_one_checkpoint_and_one_key() {
    let sealing = Sealing::on(None).await;
    let order = |checkpoint: Option<Note>| ProofOrder {
        account: AccountKey {
            owner: "uid:1".to_owned(),
            asset: "coin".to_owned(),
        },
        from: NOW,
        until: NOW + DAY,
        checkpoint,
    };
    let refused = prove(&sealing, &order(None)).await.unwrap_err();
    assert!(matches!(refused, ProofError::NothingSealed), "{refused}");
    sealing.credit("uid:1", 5).await;
    let first = sealing.seal().await.unwrap();
    let first = Note::parse(&first.note).unwrap();
    let early = prove(&sealing, &order(Some(first.clone()))).await.unwrap();
    assert_eq!(early.1.entries, 1);
    sealing.credit("uid:1", 7).await;
    let refused = prove(&sealing, &order(None)).await.unwrap_err();
    assert!(matches!(refused, ProofError::NotSealed(2)), "{refused}");
    let second = sealing.seal().await.unwrap();
    let late = prove(&sealing, &order(None)).await.unwrap();
    assert_eq!(late.1.entries, 2);
    let forged = Note::sign(&first.text, &[&signing_key(9)]).unwrap();
    let refused = prove(&sealing, &order(Some(forged))).await.unwrap_err();
    assert!(matches!(refused, ProofError::OtherLedger(_)), "{refused}");

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    let (early, late) = (file("early", &early.0), file("late", &late.0));
    let checkpoints = [file("1", &first.to_string()), file("2", &second.note)];
    let key = signing_key(1).verifier().to_string();
    for (statement, checkpoint, expected) in [
        (&early, &checkpoints[0], "TRUE\n"),
        (&late, &checkpoints[1], "TRUE\n"),
        (
            &early,
            &checkpoints[1],
            "REFUSED\nthe statement is proven to another checkpoint\n",
        ),
        (
            &late,
            &checkpoints[0],
            "REFUSED\nthe statement is proven to another checkpoint\n",
        ),
    ] {
        let (good, output) = python(&["verify.py", &key, statement, checkpoint]);
        assert!(output.starts_with(expected), "{output}");
        assert_eq!(good, expected.starts_with("TRUE"));
    }
    let other = signing_key(2).verifier().to_string();
    let (good, output) = python(&["verify.py", &other, &late]);
    assert_eq!(
        (good, output.as_str()),
        (false, "REFUSED\nthe key has not signed the note\n")
    );
    let (_, output) = python(&["verify.py", &key, &late]);
    for line in [
        "coin of uid:1, checkpoint 2 of log",
        "1 at ",
        ": +7 = 12, reason 3, issued",
        "closing 12, seal 2 of day 0, lots ",
    ] {
        assert!(output.contains(line), "{output}");
    }
}
