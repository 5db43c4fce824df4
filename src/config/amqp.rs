//! The section `[amqp]`: the message broker, whose messages call methods.

use super::limits;
use super::reader::{Invalid, Section};
use super::secret::Secret;

/// `[amqp]`.
#[derive(Clone, Debug)]
pub struct Amqp {
    /// The URL of the broker, with user name and password; `None` = off.
    pub url: Option<Secret>,
    /// The topic exchange, a name of 1 to 255 bytes.
    pub exchange: String,
    /// The queue, a name of 1 to 250 bytes.
    pub queue: String,
    /// The patterns of routing keys that bind the queue to the exchange.
    pub bindings: Vec<String>,
    /// The methods that messages may call beside `status.*` and `broadcast.*`, by their names or aliases.
    pub methods: Vec<String>,
    /// The users of the broker whose messages are called; empty = all, also without a user.
    pub publishers: Vec<String>,
    /// The most points that all messages of a local day may give together; `None` = no limit.
    pub max_points_per_day: Option<i64>,
    /// How many unacknowledged messages the broker may deliver ahead.
    pub prefetch: u16,
}

impl Amqp {
    /// The name of the dead-letter queue, for messages that can never succeed.
    pub fn dead_queue(&self) -> String {
        format!("{}{DEAD_SUFFIX}", self.queue)
    }
}

/// The suffix of the dead-letter queue.
const DEAD_SUFFIX: &str = ".dead";
/// The most bytes of a name in AMQP 0-9-1 (short string).
const MAX_BYTES: usize = 255;

/// Reads `[amqp]`.
pub(super) fn amqp(section: &mut Section<'_, '_>) -> Option<Amqp> {
    let url = match section.optional_secret("url") {
        Some(Some(url)) => match check_url(url.reveal()) {
            Ok(()) => Some(Some(url)),
            Err(message) => section.error("url", section.location.clone(), message.to_owned()),
        },
        other => other,
    };
    let expected = format!("1 to {MAX_BYTES} bytes without spaces");
    let exchange = section.parsed("exchange", &expected, |text| name(text, MAX_BYTES));
    let max_queue = MAX_BYTES - DEAD_SUFFIX.len();
    let expected = format!("1 to {max_queue} bytes without spaces");
    let queue = section.parsed("queue", &expected, |text| name(text, max_queue));
    let expected = format!("a pattern of routing keys, of 1 to {MAX_BYTES} bytes without spaces");
    let bindings = section.list("bindings", &expected, |text| name(text, MAX_BYTES));
    let methods = section.list("methods", "the name of a method", |text| {
        name(text, MAX_BYTES)
    });
    let publishers = section.list("publishers", "the name of a user of the broker", |text| {
        name(text, MAX_BYTES)
    });
    let max_points_per_day = limits::max_points_per_day(section);
    let prefetch = section.integer("prefetch", 1..=i64::from(u16::MAX));
    Some(Amqp {
        url: url?,
        exchange: exchange?,
        queue: queue?,
        bindings: bindings?,
        methods: methods?,
        publishers: publishers?,
        max_points_per_day: max_points_per_day?,
        prefetch: prefetch?,
    })
}

/// Checks the URL. No message may quote it, since it holds a password.
#[cfg(feature = "amqp")]
fn check_url(url: &str) -> Result<(), &'static str> {
    if url.parse::<lapin::uri::AMQPUri>().is_err() {
        return Err(
            "must be the URL of a broker, such as \"amqp://NAME:PASSWORD@HOST:5672/%2f\" \
             (amqps:// for TLS; %2f is the virtual host \"/\")",
        );
    }
    // lapin would read no host from the address and connect to this machine.
    if url.contains("@[") || url.contains("://[") {
        return Err("must not have an IPv6 address as its host; use a name that resolves to it");
    }
    Ok(())
}

#[cfg(not(feature = "amqp"))]
fn check_url(_: &str) -> Result<(), &'static str> {
    Err("this program was built without message brokers; build it with the feature \"amqp\"")
}

/// Checks a name or pattern of at most `max` bytes.
fn name(text: &str, max: usize) -> Result<String, Invalid> {
    match text.is_empty() || text.len() > max || text.contains(char::is_whitespace) {
        true => Err(Invalid::Malformed),
        false => Ok(text.to_owned()),
    }
}

#[cfg(all(test, feature = "amqp"))]
mod tests {
    use crate::config::tests::{good, read};

    use super::*;

    fn errors(text: &str) -> String {
        read(text, &[]).expect_err("should be refused").to_string()
    }

    #[test]
    fn it_is_off_by_default() {
        let amqp = good("", &[]).amqp;
        assert!(amqp.url.is_none());
        assert_eq!(amqp.exchange, "pointgate");
        assert_eq!(amqp.queue, "pointgate.status");
        assert_eq!(amqp.dead_queue(), "pointgate.status.dead");
        let bindings = ["status.#", "broadcast.passport.user_profile_changed"];
        assert_eq!(amqp.bindings, bindings);
        assert!(amqp.methods.is_empty());
        assert!(amqp.publishers.is_empty());
        assert_eq!(amqp.prefetch, 256);
    }

    #[test]
    fn it_is_read() {
        let text = "[amqp]\nurl_env = 'BROKER'\nexchange = 'e'\nqueue = 'q'\nbindings = ['a.*', '#']\n\
                    methods = ['app.a', 'app.b']\npublishers = ['shop', 'health']\nprefetch = 65535";
        let url = "amqps://me:hush@broker.example:5671/%2f?heartbeat=10";
        let amqp = good(text, &[("BROKER", url)]).amqp;
        assert_eq!(amqp.url.as_ref().map(Secret::reveal), Some(url));
        assert_eq!((amqp.exchange.as_str(), amqp.queue.as_str()), ("e", "q"));
        assert_eq!(amqp.bindings, ["a.*", "#"]);
        assert_eq!(amqp.methods, ["app.a", "app.b"]);
        assert_eq!(amqp.publishers, ["shop", "health"]);
        assert_eq!(amqp.prefetch, 65535);
        assert!(!format!("{amqp:?}").contains("hush"), "{amqp:?}");
        let variables = [
            ("POINTGATE__AMQP__URL", "amqp://127.0.0.1"),
            ("POINTGATE__AMQP__BINDINGS", "a.#, b"),
            ("POINTGATE__AMQP__PREFETCH", "1"),
        ];
        let amqp = good("", &variables).amqp;
        assert!(amqp.url.is_some());
        assert_eq!(amqp.bindings, ["a.#", "b"]);
        assert_eq!(amqp.prefetch, 1);
    }

    #[test]
    fn errors_do_not_show_the_url() {
        let long = "x".repeat(251);
        let text = format!(
            "[amqp]\nurl = 'http://me:hush@host'\nexchange = ''\nqueue = '{long}'\nbindings = ['a b']\nmethods = ['']\npublishers = ['a b']\nprefetch = 0\nprefech = 1"
        );
        assert_eq!(
            errors(&text),
            "gateway.toml:1: [amqp] url: must be the URL of a broker, such as \
             \"amqp://NAME:PASSWORD@HOST:5672/%2f\" (amqps:// for TLS; %2f is the virtual host \"/\")\n\
             gateway.toml:3: [amqp] exchange: must be 1 to 255 bytes without spaces\n\
             gateway.toml:4: [amqp] queue: must be 1 to 250 bytes without spaces\n\
             gateway.toml:5: [amqp] bindings: entry 1: must be a pattern of routing keys, of 1 to 255 bytes without spaces\n\
             gateway.toml:6: [amqp] methods: entry 1: must be the name of a method\n\
             gateway.toml:7: [amqp] publishers: entry 1: must be the name of a user of the broker\n\
             gateway.toml:8: [amqp] prefetch: must be an integer from 1 to 65535\n\
             gateway.toml:9: [amqp] prefech: unknown key; did you mean \"prefetch\"?"
        );
        for url in ["amqp://[::1]", "amqp://me:hush@[::1]:5672/%2f"] {
            let shown = errors(&format!("[amqp]\nurl = '{url}'"));
            let ends =
                "url: must not have an IPv6 address as its host; use a name that resolves to it";
            assert!(shown.ends_with(ends), "{shown}");
        }
        for url in [
            "",
            "hush",
            "amqp:hush",
            "amqp://host:hush",
            "amqp://host?heartbeat=hush",
        ] {
            let shown = errors(&format!("[amqp]\nurl = '{url}'"));
            assert!(shown.contains("[amqp] url: must "), "{shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
}
