//! When the connections to a database server use TLS, if its URL leaves that open: a password and balances do not travel in the clear.

use std::net::IpAddr;

use url::Url;

/// Whether a URL itself sets how its connections use TLS.
pub fn is_set(url: &str) -> bool {
    let names_mode = |url: Url| {
        let mut names = url.query_pairs().map(|(name, _)| name);
        names.any(|name| matches!(name.as_ref(), "sslmode" | "ssl-mode"))
    };
    Url::parse(url).is_ok_and(names_mode)
}

/// Whether a server is on this machine, by its host as the driver read it: a loopback address, `localhost`, or the path of a
/// socket.
pub fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.8.9.10",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
            "/run/postgresql",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "localhost.example",
            "127.1",
            "10.0.0.1",
            "::2",
            "0.0.0.0",
            "db",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn the_mode_may_stand_in_the_url() {
        for (url, set) in [
            ("postgres://h/d?sslmode=prefer", true),
            ("mysql://h/d?charset=x&ssl-mode=DISABLED", true),
            ("mysql://h/d?ssl%2Dmode=DISABLED", true),
            ("mysql://h/d?ssl-ca=/x", false),
            ("mysql://sslmode:ssl-mode@h/d", false),
        ] {
            assert_eq!(is_set(url), set, "{url}");
        }
    }
}
