//! The section `[amqp]`: the message broker from which methods are called, too.

use super::reader::{Section, Wrong};
use super::secret::Secret;

/// `[amqp]`.
#[derive(Clone, Debug)]
pub struct Amqp {
    /// Where the broker is, with the name and the password; none = off.
    pub url: Option<Secret>,
    /// The topic exchange.
    pub exchange: String,
    /// The queue.
    pub queue: String,
    /// The patterns of routing keys by which the queue is bound to the exchange.
    pub bindings: Vec<String>,
    /// How many messages are worked on at a time.
    pub prefetch: u16,
}

impl Amqp {
    /// The queue of what can never succeed.
    pub fn dead_queue(&self) -> String {
        format!("{}{DEAD}", self.queue)
    }
}

/// What the name of the queue of what can never succeed ends in.
const DEAD: &str = ".dead";
/// The most bytes of a name on the wire.
const LONGEST: usize = 255;

/// Reads `[amqp]`.
pub(super) fn amqp(section: &mut Section<'_, '_>) -> Option<Amqp> {
    let url = match section.optional_secret("url") {
        Some(Some(url)) => match understood(url.reveal()) {
            Ok(()) => Some(Some(url)),
            Err(text) => section.refuse("url", section.origin.clone(), text.to_owned()),
        },
        other => other,
    };
    let what = format!("a name of 1 to {LONGEST} bytes without spaces");
    let exchange = section.parsed("exchange", &what, |text| word(text, LONGEST));
    let longest = LONGEST - DEAD.len();
    let what = format!("a name of 1 to {longest} bytes without spaces");
    let queue = section.parsed("queue", &what, |text| word(text, longest));
    let what = format!("a pattern of routing keys, of 1 to {LONGEST} bytes without spaces");
    let bindings = section.list("bindings", &what, |text| word(text, LONGEST));
    let prefetch = section.integer("prefetch", 1..=i64::from(u16::MAX));
    Some(Amqp {
        url: url?,
        exchange: exchange?,
        queue: queue?,
        bindings: bindings?,
        prefetch: prefetch?,
    })
}

/// Whether a URL can be used. No text here may quote it: it holds a password.
#[cfg(feature = "amqp")]
fn understood(url: &str) -> Result<(), &'static str> {
    if url.parse::<lapin::uri::AMQPUri>().is_err() {
        return Err(
            "is not the URL of a broker, such as \"amqp://NAME:PASSWORD@HOST:5672/%2f\" \
             (amqps:// for TLS; %2f is the virtual host \"/\")",
        );
    }
    // The client would take the address for no host at all, and go to this machine.
    if url.contains("@[") || url.contains("://[") {
        return Err("has an IPv6 address for its host; give a name that stands for it");
    }
    Ok(())
}

#[cfg(not(feature = "amqp"))]
fn understood(_: &str) -> Result<(), &'static str> {
    Err("this program was built without message brokers; build it with the feature \"amqp\"")
}

fn word(text: &str, longest: usize) -> Result<String, Wrong> {
    match text.is_empty() || text.len() > longest || text.contains(char::is_whitespace) {
        true => Err(Wrong::NotOne),
        false => Ok(text.to_owned()),
    }
}

#[cfg(all(test, feature = "amqp"))]
mod tests {
    use crate::config::tests::{good, read};

    use super::*;

    fn bad(text: &str) -> String {
        read(text, &[]).expect_err("is refused").to_string()
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
        assert_eq!(amqp.prefetch, 256);
    }

    #[test]
    fn it_is_read() {
        let text = "[amqp]\nurl_env = 'BROKER'\nexchange = 'e'\nqueue = 'q'\nbindings = ['a.*', '#']\nprefetch = 65535";
        let url = "amqps://me:hush@broker.example:5671/%2f?heartbeat=10";
        let amqp = good(text, &[("BROKER", url)]).amqp;
        assert_eq!(amqp.url.as_ref().map(Secret::reveal), Some(url));
        assert_eq!((amqp.exchange.as_str(), amqp.queue.as_str()), ("e", "q"));
        assert_eq!(amqp.bindings, ["a.*", "#"]);
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
    fn what_is_wrong_is_told_without_the_url() {
        let long = "x".repeat(251);
        let text = format!(
            "[amqp]\nurl = 'http://me:hush@host'\nexchange = ''\nqueue = '{long}'\nbindings = ['a b']\nprefetch = 0\nprefech = 1"
        );
        assert_eq!(
            bad(&text),
            "gateway.toml:1: [amqp] url: is not the URL of a broker, such as \
             \"amqp://NAME:PASSWORD@HOST:5672/%2f\" (amqps:// for TLS; %2f is the virtual host \"/\")\n\
             gateway.toml:3: [amqp] exchange: must be a name of 1 to 255 bytes without spaces\n\
             gateway.toml:4: [amqp] queue: must be a name of 1 to 250 bytes without spaces\n\
             gateway.toml:5: [amqp] bindings: entry 1: must be a pattern of routing keys, of 1 to 255 bytes without spaces\n\
             gateway.toml:6: [amqp] prefetch: must be an integer from 1 to 65535\n\
             gateway.toml:7: [amqp] prefech: unknown key; did you mean \"prefetch\"?"
        );
        for url in ["amqp://[::1]", "amqp://me:hush@[::1]:5672/%2f"] {
            let said = bad(&format!("[amqp]\nurl = '{url}'"));
            let ends = "url: has an IPv6 address for its host; give a name that stands for it";
            assert!(said.ends_with(ends), "{said}");
        }
        for url in [
            "",
            "hush",
            "amqp:hush",
            "amqp://host:hush",
            "amqp://host?heartbeat=hush",
        ] {
            let said = bad(&format!("[amqp]\nurl = '{url}'"));
            assert!(said.contains("[amqp] url: is "), "{said}");
            assert!(!said.contains("hush"), "{said}");
        }
    }
}
