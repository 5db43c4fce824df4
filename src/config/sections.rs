//! The settings that belong to no dialect: `[server]`, `[ledger]`, and the time zone.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;

use super::errors::nearest;
use super::network;
use super::reader::{Invalid, Section};

/// Seconds of a day.
const DAY: u64 = 86_400;
/// The widest gap of a clock in hours, which no two clocks have.
const MOST_HOURS: i64 = 100_000_000;
/// The longest time in days that something is kept.
const MOST_DAYS: i64 = 36_500;

/// `[server]`: the HTTP server.
#[derive(Clone, Debug)]
pub struct Server {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The number of threads that serve HTTP; 0 = one per core.
    pub workers: usize,
    /// The reverse proxies whose forwarding and request-id headers are trusted; IPv4-mapped networks are stored as IPv4.
    pub trusted_proxies: Vec<IpNet>,
    /// The most connections at a time.
    pub max_connections: usize,
    /// The most new connections a second.
    pub max_connections_per_second: NonZeroU32,
    /// The networks that may read /metrics.
    pub metrics_from: Vec<IpNet>,
    /// The longest time that one request may take.
    pub request_timeout: Duration,
    /// The file that names the running process; `None` = no such file.
    pub pid_file: Option<PathBuf>,
}

/// `[ledger]`: the limits of the queue and its writers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The most transactions that may wait to be written, 1 to 65536.
    pub queue: usize,
    /// The most transactions that share one commit, 1 to 65536.
    pub batch: usize,
    /// The number of writers that commit in parallel, 0 to 64; 0 = the best number for the database.
    pub writers: usize,
    /// The most that the clock may be away from the time that is expected.
    pub max_clock_gap: Duration,
}

/// `[retention]`: how long what is personal, or only guards against repetition, is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long the records of messages are kept, 7 days at least.
    pub messages: Duration,
    /// How long actions keep their details, 2 days at least; `None` = for ever.
    pub action_details: Option<Duration>,
    /// How long nonces are kept beyond what is needed to refuse them.
    pub nonces: Duration,
}

/// Reads the top-level `timezone`.
pub(super) fn timezone(root: &mut Section<'_, '_>) -> Option<TimeZone> {
    let expected = "the name of a time zone, such as \"Asia/Shanghai\" or \"UTC\"";
    root.parsed("timezone", expected, |text| match TimeZone::get(text) {
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ => {
            let names: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
            let near = nearest(text, names.iter().map(String::as_str)).ok_or(Invalid::Malformed)?;
            let message = format!("unknown time zone; did you mean \"{near}\"?");
            Err(Invalid::Because(message))
        }
    })
}

/// Reads `[server]`.
pub(super) fn server(section: &mut Section<'_, '_>) -> Option<Server> {
    let expected = "an IP address and a port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
    let samples = section.reader.samples.clone();
    let listen = section.parsed("listen", expected, |text| {
        let address = text.parse().map_err(|_| Invalid::Malformed)?;
        check_reachability(address, &samples)
    });
    let workers = section.integer("workers", 0..=512);
    let proxies_at = section.location_of("trusted_proxies");
    let trusted_proxies = section.list("trusted_proxies", network::EXPECTED, network::parse);
    let trusted_proxies = match (trusted_proxies, samples.is_empty()) {
        (Some(proxies), false) if !proxies.is_empty() => {
            let message = format!(
                "must be empty while settings hold sample secrets of the built-in gateway.toml, which a proxy would publish; set your \
                 own: {}",
                samples.join(", ")
            );
            section.error("trusted_proxies", proxies_at, message)
        }
        (proxies, _) => proxies,
    };
    let max_connections = section.integer("max_connections", 1..=1_000_000);
    let per_second = section.integer("max_connections_per_second", 1..=1_000_000);
    let metrics_from = section.list("metrics_from", network::EXPECTED, network::parse);
    let seconds = section.integer("request_timeout_seconds", 1..=300);
    let dir = section.reader.dir;
    let pid_file = section.parsed("pid_file", "the path of a file", |path| {
        Ok((!path.is_empty()).then(|| dir.join(path)))
    });
    Some(Server {
        listen: listen?,
        workers: workers?,
        trusted_proxies: trusted_proxies?,
        max_connections: max_connections?,
        max_connections_per_second: per_second.and_then(NonZeroU32::new)?,
        metrics_from: metrics_from?,
        request_timeout: Duration::from_secs(seconds?),
        pid_file: pid_file?,
    })
}

/// Reads `[ledger]`.
pub(super) fn ledger(section: &mut Section<'_, '_>) -> Option<Ledger> {
    let queue = section.integer("queue", 1..=65536);
    let batch = section.integer("batch", 1..=65536);
    let writers = section.integer("writers", 0..=64);
    let hours: Option<u64> = section.integer("max_clock_gap_hours", 1..=MOST_HOURS);
    Some(Ledger {
        queue: queue?,
        batch: batch?,
        writers: writers?,
        max_clock_gap: Duration::from_secs(hours? * 3600),
    })
}

/// Reads `[retention]`.
pub(super) fn retention(section: &mut Section<'_, '_>) -> Option<Retention> {
    let days = |days: u64| Duration::from_secs(days * DAY);
    let messages = section.integer("messages_days", 7..=MOST_DAYS);
    let details = retained(section, "action_details_days");
    let nonces = section.integer("nonces_days", 0..=MOST_DAYS);
    Some(Retention {
        messages: days(messages?),
        action_details: details?.map(days),
        nonces: days(nonces?),
    })
}

/// Reads a number of days from 2; 0 = for ever.
fn retained(section: &mut Section<'_, '_>, key: &str) -> Option<Option<u64>> {
    let at = section.location_of(key);
    match section.integer(key, 0..=MOST_DAYS)? {
        0 => Some(None),
        1 => section.error(
            key,
            at,
            format!("must be 0, for ever, or an integer from 2 to {MOST_DAYS}"),
        ),
        days => Some(Some(days)),
    }
}

/// Refuses an address that other machines can reach while sample secrets, which are public, are in use.
fn check_reachability(address: SocketAddr, samples: &[String]) -> Result<SocketAddr, Invalid> {
    if samples.is_empty() || address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    Err(Invalid::Because(format!(
        "must be a loopback address, such as 127.0.0.1, while settings hold sample secrets of the \
         built-in gateway.toml; set your own: {}",
        samples.join(", ")
    )))
}
