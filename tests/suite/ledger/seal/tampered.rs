//! The audit names a seal that was changed.

use entity::{seal, sealed_account};
use pointgate::ledger::proof::note::Note;
use sea_orm::{DatabaseConnection, DbBackend, EntityTrait, IntoActiveModel};

use super::{Sealing, signing_key};
use crate::database::databases;

/// Statements, and what the audit says after each.
const TAMPERED: [(&str, &str); 11] = [
    (
        "UPDATE seal SET record = CONCAT(record, ' ') WHERE number = 2",
        "seal 2: cannot be read",
    ),
    (
        "UPDATE seal SET record = REPLACE(record, 'day 0', 'day 1') WHERE number = 2",
        "seal 2: its checkpoint is not that of the log",
    ),
    (
        "UPDATE seal SET totals = CONCAT(totals, ' ') WHERE number = 1",
        "seal 1: cannot be read",
    ),
    (
        "UPDATE seal SET note = REPLACE(note, 'log', 'lag') WHERE number = 3",
        "seal 3: its checkpoint is not signed by its key",
    ),
    (
        "UPDATE seal SET secret = {zeros} WHERE number = 3",
        "seal 3: its root is not that of the states of accounts",
    ),
    (
        "UPDATE sealed_account SET state = {zeros} WHERE seal = 1",
        "coin of uid:1: entry 1: is not what the seal 1 says",
    ),
    (
        "UPDATE sealed_account SET seq = 2 WHERE seal = 1",
        "coin of uid:1: entry 2: is not what the seal 1 says",
    ),
    (
        "DELETE FROM sealed_account WHERE seal = 2",
        "seal 2: the states of accounts are not those that were sealed",
    ),
    (
        "INSERT INTO sealed_account (account_id, seal, seq, state) SELECT account_id, 2, seq, state FROM sealed_account WHERE seal = 1",
        "coin of uid:1: entry 1: is not what the seal 2 says",
    ),
    (
        "INSERT INTO sealed_account (account_id, seal, seq, state) VALUES (99, 1, 1, {zeros})",
        "sealed_account: has states of accounts that are not there",
    ),
    (
        "DELETE FROM seal WHERE number = 3",
        "seal 3: is not the one in the record 3 of the journal",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_names_a_seal_that_was_changed() {
    for (name, server) in databases() {
        let sealing = Sealing::on(server).await;
        sealing.credit("uid:1", 5).await;
        sealing.seal().await.unwrap();
        sealing.credit("uid:2", 5).await;
        sealing.seal().await.unwrap();
        sealing.seal().await.unwrap();
        let (seals, states) = (
            sealing.rows().await,
            sealed_account::Entity::find()
                .all(&sealing.db)
                .await
                .unwrap(),
        );
        for (sql, why) in TAMPERED {
            let zeros = match sealing.db.get_database_backend() {
                DbBackend::Postgres => format!("'\\x{}'::bytea", "00".repeat(32)),
                _ => format!("X'{}'", "00".repeat(32)),
            };
            sealing.execute(&sql.replace("{zeros}", &zeros)).await;
            sealing.assert_broken(why).await;
            restore(&sealing.db, &seals, &states).await;
            sealing
                .ledger
                .audit(|_, _| {})
                .await
                .unwrap_or_else(|error| panic!("{name}: {sql}: {error}"));
        }
    }
}

async fn restore(db: &DatabaseConnection, seals: &[seal::Model], states: &[sealed_account::Model]) {
    sealed_account::Entity::delete_many()
        .exec(db)
        .await
        .unwrap();
    seal::Entity::delete_many().exec(db).await.unwrap();
    let rows = seals
        .iter()
        .cloned()
        .map(IntoActiveModel::into_active_model);
    seal::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await
        .unwrap();
    let rows = states
        .iter()
        .cloned()
        .map(IntoActiveModel::into_active_model);
    sealed_account::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_whether_the_ledger_extends_what_was_published() {
    for (name, server) in databases() {
        let sealing = Sealing::on(server).await;
        sealing.credit("uid:1", 5).await;
        let first = Note::parse(&sealing.seal().await.unwrap().note).unwrap();
        sealing.credit("uid:1", 5).await;
        let second = Note::parse(&sealing.seal().await.unwrap().note).unwrap();
        let audit = async |notes: &[Note]| {
            let audited = sealing.ledger.audit_since(notes, |_, _| {}).await;
            audited.map(drop).map_err(|error| error.to_string())
        };
        let both = [first.clone(), second.clone()];
        assert_eq!(audit(&both).await, Ok(()), "{name}");

        // Another ledger, sealed by the same key.
        let other = Sealing::on(server).await;
        other.credit("uid:1", 6).await;
        let fork = Note::parse(&other.seal().await.unwrap().note).unwrap();
        let why = "a published checkpoint: the first 1 seals are not those of the checkpoint";
        assert_eq!(audit(&[fork]).await, Err(why.to_owned()), "{name}");
        other.seal().await.unwrap();
        let longer = Note::parse(&other.seal().await.unwrap().note).unwrap();
        let why = "a published checkpoint: it has 3 seals, and the ledger 2";
        assert_eq!(
            audit(&[second, longer]).await,
            Err(why.to_owned()),
            "{name}"
        );
        let forged = Note::sign(&first.text, &[&signing_key(9)]).unwrap();
        let why = "a published checkpoint: checkpoint 1: no known key has signed this note";
        assert_eq!(audit(&[forged]).await, Err(why.to_owned()), "{name}");
    }
}
