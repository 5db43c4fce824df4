//! When each caller's key was last used: kept with the ledger, so that a restart forgets nothing and one instance knows of the
//! others.

use crate::gateway::keys::{KeyRegister, ListedKey};
use crate::ledger::book::key::Key;
use crate::ledger::upkeep::key_uses::LastUse;
use crate::ledger::{ApplyError, Ledger};
use crate::points::calendar::Calendar;
use crate::points::keys::KeySpace;

/// After how many days without use an old key can be removed.
const IDLE_DAYS: i64 = 30;
const MS_A_DAY: i64 = 86_400_000;

/// A key of the configuration with its age.
pub struct KeyRecord {
    /// The key, as the running program lists it.
    pub key: ListedKey,
    /// When the configuration first had it (ms since 1970 UTC).
    pub since: i64,
    /// When it was last used (ms since 1970 UTC); `None` = never.
    pub used_at: Option<i64>,
}

impl KeyRecord {
    /// What an operator should know of an old key at `now` (ms since 1970 UTC): when it was last used, and whether it can go.
    pub fn advice(&self, now: i64, calendar: &Calendar) -> String {
        let (caller, name) = (&self.key.id.caller, self.key.name);
        let dialect = self.key.id.dialect;
        let idle = now.saturating_sub(self.used_at.unwrap_or(self.since));
        let days = idle / MS_A_DAY;
        let last = match self.used_at {
            Some(at) => format!("last used on {}", calendar.day(at)),
            None => format!("never used since {}", calendar.day(self.since)),
        };
        match days >= IDLE_DAYS {
            true => format!(
                "{dialect}: nobody has used the {name} key of {caller} for {days} days ({last}): remove it from the configuration"
            ),
            false => format!("{dialect}: the {name} key of {caller} was {last}"),
        }
    }
}

/// Notes the uses of the configured keys that the ledger does not know yet, and takes over those that other instances and earlier
/// runs noted.
///
/// # Errors
/// Returns [`ApplyError::Unavailable`] if the database fails.
pub async fn exchange(
    ledger: &Ledger,
    register: &KeyRegister,
) -> Result<Vec<KeyRecord>, ApplyError> {
    let now = ledger.now();
    let keys = load(ledger, register).await?;
    let unknown = keys.iter().filter_map(|(listed, noted)| {
        let used_at = listed.record.used_at();
        let is_unknown = noted.is_none_or(|noted| noted.used_at < used_at);
        is_unknown.then(|| LastUse {
            key: key(listed),
            since: now,
            used_at,
        })
    });
    let unknown: Vec<LastUse> = unknown.collect();
    ledger.note_key_uses(&unknown).await?;
    Ok(records(keys, now))
}

/// The configured keys with what the ledger knows of them.
///
/// # Errors
/// Returns [`ApplyError::Unavailable`] if the database fails.
pub async fn read(ledger: &Ledger, register: &KeyRegister) -> Result<Vec<KeyRecord>, ApplyError> {
    Ok(records(load(ledger, register).await?, ledger.now()))
}

/// The configured keys with what the ledger noted.
async fn load(
    ledger: &Ledger,
    register: &KeyRegister,
) -> Result<Vec<(ListedKey, Option<LastUse>)>, ApplyError> {
    let listed = register.list();
    let keys: Vec<Key> = listed.iter().map(key).collect();
    let noted = ledger.key_uses(&keys).await;
    let noted = noted.map_err(|_| ApplyError::Unavailable)?;
    let of = |key: Key| noted.iter().find(|noted| noted.key == key).copied();
    let notes = keys.into_iter().map(of);
    Ok(listed.into_iter().zip(notes).collect())
}

fn records(keys: Vec<(ListedKey, Option<LastUse>)>, now: i64) -> Vec<KeyRecord> {
    let records = keys.into_iter().map(|(key, noted)| {
        if let Some(at) = noted.and_then(|noted| noted.used_at) {
            key.record.recall(at);
        }
        KeyRecord {
            since: noted.map_or(now, |noted| noted.since),
            used_at: key.record.used_at(),
            key,
        }
    });
    records.collect()
}

fn key(listed: &ListedKey) -> Key {
    let id = &listed.id;
    KeySpace::CallerKey.key(&[id.dialect, &id.caller, &id.check])
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn a_key_can_go_after_thirty_days_without_use() {
        let register = KeyRegister::default();
        let keys = register.keys("yoho", "android", ["new", "old"], |key| key.as_bytes());
        assert_eq!(keys.find(5, |key| *key == "old"), Some("previous"));
        let calendar = Calendar::new(TimeZone::get("Asia/Shanghai").unwrap());
        // 2026-11-01 00:00:00 in Shanghai.
        let since = 1_793_462_400_000;
        let advice = |used_at, days: i64| {
            let listed = register.list();
            let key = listed.into_iter().find(|key| key.name == "previous");
            let record = KeyRecord {
                key: key.unwrap(),
                since,
                used_at,
            };
            record.advice(since + days * MS_A_DAY, &calendar)
        };
        let gone = "nobody has used the previous key of android for";
        for (used_at, days, expected) in [
            (
                None,
                29,
                "yoho: the previous key of android was never used since 2026-11-01".to_owned(),
            ),
            (
                None,
                30,
                format!(
                    "yoho: {gone} 30 days (never used since 2026-11-01): remove it from the configuration"
                ),
            ),
            (
                Some(since + MS_A_DAY),
                30,
                "yoho: the previous key of android was last used on 2026-11-02".to_owned(),
            ),
            (
                Some(since + MS_A_DAY),
                35,
                format!(
                    "yoho: {gone} 34 days (last used on 2026-11-02): remove it from the configuration"
                ),
            ),
            // A clock was ahead.
            (
                Some(since + 40 * MS_A_DAY),
                30,
                "yoho: the previous key of android was last used on 2026-12-11".to_owned(),
            ),
        ] {
            assert_eq!(advice(used_at, days), expected);
        }
    }
}
