//! The keys that prove callers, and when each was last used: after a key has changed, the old one is kept until nobody uses it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use sha2::{Digest, Sha256};

/// The shortest time between two log lines about a key (ms).
const LOG_INTERVAL: i64 = 60_000;

/// The name of a caller's first key.
pub const CURRENT: &str = "current";
/// The names of a caller's keys by their positions. Only the payment provider has more than two; the last name stands for all others.
const NAMES: [&str; 5] = [CURRENT, "previous", "third", "fourth", "further"];

/// Identifies a key without telling it: a caller's key keeps its identity when a reload or a restart makes it the previous one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId {
    /// The endpoint's name, or that of a family of methods which verifies its callers itself.
    pub dialect: &'static str,
    /// The caller, as in [`Origin::caller`](super::context::Origin::caller).
    pub caller: String,
    /// Two bytes of a hash of the key, in hexadecimal. They tell one key of a caller from another, and are too few to try out a
    /// guessed key with.
    pub check: String,
}

/// How often a key was used, and when last.
#[derive(Debug, Default)]
pub struct KeyUse {
    uses: AtomicU64,
    /// ms since 1970 UTC; 0 = never.
    used_at: AtomicI64,
    logged_at: AtomicI64,
}

impl KeyUse {
    /// When the key last proved its caller (ms since 1970 UTC), as far as this program knows; `None` = never.
    pub fn used_at(&self) -> Option<i64> {
        let at = self.used_at.load(Ordering::Relaxed);
        (at > 0).then_some(at)
    }

    /// Takes over when another run of the program last saw the key used (ms since 1970 UTC).
    pub fn recall(&self, used_at: i64) {
        self.used_at.fetch_max(used_at, Ordering::Relaxed);
    }

    fn count(&self, now: i64) {
        self.uses.fetch_add(1, Ordering::Relaxed);
        self.used_at.fetch_max(now, Ordering::Relaxed);
    }

    /// Whether a log line is due, which is so at most once a minute.
    fn is_log_due(&self, now: i64) -> bool {
        let logged_at = self.logged_at.load(Ordering::Relaxed);
        let (order, logged) = (Ordering::Relaxed, &self.logged_at);
        now >= logged_at.saturating_add(LOG_INTERVAL)
            && logged
                .compare_exchange(logged_at, now, order, order)
                .is_ok()
    }
}

/// The keys of one caller, of which the first is the current one.
#[derive(Debug)]
pub struct CallerKeys<K> {
    dialect: &'static str,
    caller: String,
    keys: Vec<(K, Arc<KeyUse>)>,
}

impl<K> CallerKeys<K> {
    /// The name of the key that made a signature at `now` (ms since 1970 UTC), whose use is counted; `None` if none did. `made` is asked
    /// about every key, so that the time does not reveal which one matched.
    pub fn find(&self, now: i64, made: impl Fn(&K) -> bool) -> Option<&'static str> {
        let mut found = None;
        for (position, (key, _)) in self.keys.iter().enumerate() {
            let matches = made(key);
            found = found.or(matches.then_some(position));
        }
        let position = found?;
        let (_, used) = &self.keys[position];
        used.count(now);
        if self.keys.len() > 1 && used.is_log_due(now) {
            let (dialect, caller, name) = (self.dialect, &self.caller, name(position));
            let uses = used.uses.load(Ordering::Relaxed);
            log::info!(
                "{dialect}: {caller} signs with its {name} key, {uses} requests since the start"
            );
        }
        Some(name(position))
    }
}

/// The name of a caller's key by its position.
fn name(position: usize) -> &'static str {
    NAMES[position.min(NAMES.len() - 1)]
}

/// A key of the configuration, as the register lists it.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// The caller and the key's check.
    pub id: KeyId,
    /// `current`, `previous` and so on.
    pub name: &'static str,
    /// The record of its use.
    pub record: Arc<KeyUse>,
}

/// All keys of the configuration. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct KeyRegister(Arc<Mutex<BTreeMap<KeyId, Registered>>>);

/// A key that is in the configuration, or was before a reload.
#[derive(Debug)]
struct Registered {
    /// `None` = it is not in the configuration any more.
    name: Option<&'static str>,
    record: Arc<KeyUse>,
}

impl KeyRegister {
    /// Registers the keys of a caller, the current one first. `bytes` tells one key from another.
    pub fn keys<K>(
        &self,
        dialect: &'static str,
        caller: &str,
        keys: impl IntoIterator<Item = K>,
        bytes: impl Fn(&K) -> &[u8],
    ) -> CallerKeys<K> {
        let keys = keys.into_iter().enumerate().map(|(position, key)| {
            let id = KeyId {
                dialect,
                caller: caller.to_owned(),
                check: check(dialect, caller, bytes(&key)),
            };
            let mut registered = self.lock();
            let registered = registered.entry(id).or_insert_with(|| Registered {
                name: None,
                record: Arc::default(),
            });
            // The same key may stand twice; it counts as the first of them.
            registered.name.get_or_insert(name(position));
            (key, registered.record.clone())
        });
        CallerKeys {
            dialect,
            caller: caller.to_owned(),
            keys: keys.collect(),
        }
    }

    /// Prepares for the keys of another configuration. A key that is in both keeps its record.
    pub fn clear(&self) {
        for registered in self.lock().values_mut() {
            registered.name = None;
        }
    }

    /// The keys of the configuration.
    pub fn list(&self) -> Vec<ListedKey> {
        let registered = self.lock();
        let listed = registered.iter().filter_map(|(id, registered)| {
            Some(ListedKey {
                id: id.clone(),
                name: registered.name?,
                record: registered.record.clone(),
            })
        });
        listed.collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<KeyId, Registered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two bytes of a hash over what identifies a key.
fn check(dialect: &str, caller: &str, key: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [dialect.as_bytes(), caller.as_bytes(), key] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    format!("{:02x}{:02x}", hash[0], hash[1])
}

/// The labels of both metrics.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyLabels {
    dialect: &'static str,
    caller: String,
    key: &'static str,
}

impl Collector for KeyRegister {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let listed = self.list();
        let labels = |key: &ListedKey| KeyLabels {
            dialect: key.id.dialect,
            caller: key.id.caller.clone(),
            key: key.name,
        };
        let help = "Requests that a caller signed with this key, since the start";
        let mut uses =
            encoder.encode_descriptor("pointgate_key_uses", help, None, MetricType::Counter)?;
        for key in &listed {
            let count = ConstCounter::new(key.record.uses.load(Ordering::Relaxed));
            count.encode(uses.encode_family(&labels(key))?)?;
        }
        let help = "When a caller last signed with this key, in seconds since 1970 UTC; 0 = never as far as is known";
        let name = "pointgate_key_last_used_timestamp_seconds";
        let mut last_used = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for key in &listed {
            let at = ConstGauge::new(key.record.used_at().unwrap_or(0) / 1000);
            at.encode(last_used.encode_family(&labels(key))?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(register: &KeyRegister, secrets: &[&'static str]) -> CallerKeys<&'static str> {
        register.keys("d", "c", secrets.iter().copied(), |key| key.as_bytes())
    }

    fn listed(register: &KeyRegister) -> Vec<(&'static str, Option<i64>)> {
        let mut listed: Vec<_> = register
            .list()
            .iter()
            .map(|key| (key.name, key.record.used_at()))
            .collect();
        listed.sort_unstable();
        listed
    }

    #[test]
    fn a_key_keeps_its_record_under_another_name() {
        let register = KeyRegister::default();
        let before = keys(&register, &["a"]);
        assert_eq!(before.find(7, |key| *key == "a"), Some("current"));
        assert_eq!(before.find(8, |key| *key == "b"), None);
        register.clear();
        let after = keys(&register, &["b", "a"]);
        assert_eq!(
            listed(&register),
            [("current", None), ("previous", Some(7))]
        );
        assert_eq!(after.find(9, |key| *key == "b"), Some("current"));
        assert_eq!(after.find(10, |_| true), Some("current"));
        register.clear();
        keys(&register, &["b"]);
        assert_eq!(listed(&register), [("current", Some(10))]);
    }

    #[test]
    fn every_key_is_tried() {
        let register = KeyRegister::default();
        let all = keys(&register, &["a", "b", "c"]);
        let tried = Mutex::new(Vec::new());
        let found = all.find(1, |key| {
            tried.lock().unwrap().push(*key);
            *key == "a"
        });
        assert_eq!(found, Some("current"));
        assert_eq!(*tried.lock().unwrap(), ["a", "b", "c"]);
    }

    #[test]
    fn a_check_tells_keys_apart_and_not_what_they_are() {
        let of = |dialect, caller, key: &str| check(dialect, caller, key.as_bytes());
        assert_eq!(of("d", "c", "k").len(), 4);
        assert_eq!(of("d", "c", "k"), of("d", "c", "k"));
        assert_ne!(of("d", "c", "k"), of("d", "c", "l"));
        assert_ne!(of("d", "c", "k"), of("d", "ck", ""));
    }
}
