//! The rows of origins. They never change what their digests cover, so that a writer looks each up once.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use ring::rand::{SecureRandom, SystemRandom};
use sea_orm::{ConnectionTrait, DbErr};

use crate::ledger::book::origins::{OriginRecord, StoredOrigin, origin_key};
use crate::ledger::book::transaction::Transaction;
use crate::ledger::database::statements;
use crate::ledger::write::sets::{at, invalid, read_hash};
use crate::origin::Origin;

/// The most origins that a writer remembers.
const MOST: usize = 4096;

/// Place, number, dialect, caller, key and hash of the address.
type OriginRow = (usize, i64, String, String, Option<String>, Option<String>);

/// What entries say of origins.
pub type StoredOrigins = HashMap<Origin, StoredOrigin>;

/// The origins whose rows a writer has seen committed.
#[derive(Debug, Default)]
pub struct KnownOrigins(Mutex<StoredOrigins>);

impl KnownOrigins {
    /// The numbers and digests of the transactions' origins, and apart those that are not known yet: they have, or get, a row in the
    /// transaction of `db`.
    ///
    /// # Errors
    /// Returns [`DbErr`] if the database does not answer, or holds an origin that the ledger cannot have written.
    pub async fn resolve(
        &self,
        db: &impl ConnectionTrait,
        transactions: &[&Transaction],
    ) -> Result<(StoredOrigins, StoredOrigins), DbErr> {
        let mut resolved = HashMap::new();
        let mut missing: Vec<&Origin> = Vec::new();
        if let Ok(known) = self.0.lock() {
            let distinct: HashSet<&Origin> = transactions.iter().map(|it| &it.origin).collect();
            for origin in distinct {
                match known.get(origin) {
                    Some(stored) => drop(resolved.insert(origin.clone(), *stored)),
                    None => missing.push(origin),
                }
            }
        }
        missing.sort_unstable();
        let new = find_or_add(db, &missing).await?;
        resolved.extend(new.iter().map(|(origin, stored)| (origin.clone(), *stored)));
        Ok((resolved, new))
    }

    /// Remembers origins whose rows are committed.
    pub fn remember(&self, committed: StoredOrigins) {
        if committed.is_empty() {
            return;
        }
        let Ok(mut known) = self.0.lock() else {
            return;
        };
        if known.len() + committed.len() > MOST {
            known.clear();
        }
        known.extend(committed);
    }
}

async fn find_or_add(
    db: &impl ConnectionTrait,
    origins: &[&Origin],
) -> Result<StoredOrigins, DbErr> {
    let keys = |origins: &[&Origin]| -> Vec<String> {
        let keys = origins.iter().map(|origin| origin_key(origin).bytes());
        keys.map(hex::encode).collect()
    };
    let mut found = find(db, origins, &keys(origins)).await?;
    let new = origins.iter().copied();
    let new: Vec<&Origin> = new.filter(|origin| !found.contains_key(*origin)).collect();
    if new.is_empty() {
        return Ok(found);
    }
    let keys = keys(&new);
    let rows = new.iter().zip(&keys).map(|(origin, key)| {
        let record = OriginRecord::of(origin, salt()?);
        Ok((
            key,
            record.dialect,
            record.caller,
            record.key,
            record.address,
            record.address_salt.map(hex::encode),
            record.address_hash.map(hex::encode),
        ))
    });
    let rows: Vec<_> = rows.collect::<Result<_, DbErr>>()?;
    statements::execute(db, &statements::ADD_ORIGINS, &rows).await?;
    // Another writer may have added one of them first, with another salt.
    found.extend(find(db, &new, &keys).await?);
    Ok(found)
}

async fn find(
    db: &impl ConnectionTrait,
    origins: &[&Origin],
    keys: &[String],
) -> Result<StoredOrigins, DbErr> {
    let rows: Vec<OriginRow> = statements::query(db, &statements::ORIGINS, keys, []).await?;
    let rows = rows.into_iter().map(|row| {
        let (place, id, dialect, caller, key, address_hash) = row;
        let record = OriginRecord {
            dialect,
            caller,
            key,
            address: None,
            address_salt: None,
            address_hash: address_hash.map(|it| read_hash(&it)).transpose()?,
        };
        let digest = record.digest();
        Ok(((*at(origins, place)?).clone(), StoredOrigin { id, digest }))
    });
    rows.collect()
}

fn salt() -> Result<[u8; 16], DbErr> {
    let mut salt = [0; 16];
    let filled = SystemRandom::new().fill(&mut salt);
    filled.map_err(|_| invalid("the operating system gives no random numbers"))?;
    Ok(salt)
}
