//! Addresses and networks in the configuration.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::reader::Invalid;

/// The form of a network, for error messages.
pub(super) const EXPECTED: &str =
    "an address or a network, such as \"10.1.2.3\" or \"10.1.0.0/16\"";

/// The shortest accepted prefix of an IPv4 network, in bits.
const MIN_PREFIX_V4: u8 = 8;
/// The shortest accepted prefix of an IPv6 network, in bits.
const MIN_PREFIX_V6: u8 = 16;

/// Parses an address or a network. Host bits are cleared, and IPv4-mapped networks become IPv4.
///
/// Every list of networks grants trust, so a network that covers a large part of the internet is refused.
pub(super) fn parse(text: &str) -> Result<IpNet, Invalid> {
    let net: IpNet = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse().map_err(|_| Invalid::Malformed)?,
    };
    let net = unmapped(net.trunc());
    let too_wide = match net {
        IpNet::V4(net) => net.prefix_len() < MIN_PREFIX_V4,
        IpNet::V6(net) => net.prefix_len() < MIN_PREFIX_V6 || net.contains(&Ipv6Addr::from(MAPPED)),
    };
    if too_wide {
        return Err(Invalid::Because(format!(
            "is too wide; use addresses, or networks of at least /{MIN_PREFIX_V4} (IPv4) or \
             /{MIN_PREFIX_V6} (IPv6)"
        )));
    }
    Ok(net)
}

/// `::ffff:0:0`, the base of the IPv4-mapped addresses.
const MAPPED: u128 = 0xffff_0000_0000;

/// Converts an IPv4-mapped network to IPv4.
fn unmapped(net: IpNet) -> IpNet {
    match net {
        IpNet::V6(v6) => as_v4(v6).map_or(net, IpNet::V4),
        IpNet::V4(_) => net,
    }
}

fn as_v4(net: Ipv6Net) -> Option<Ipv4Net> {
    let prefix = net.prefix_len().checked_sub(96)?;
    let address = net.addr().to_ipv4_mapped()?;
    Ipv4Net::new(address, prefix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse(text).ok().map(|net| net.to_string())
    }

    #[test]
    fn addresses_and_networks_are_read() {
        let reads = |text, as_| assert_eq!(read(text).as_deref(), Some(as_), "{text}");
        reads("127.0.0.0/8", "127.0.0.0/8");
        reads("127.0.0.1/8", "127.0.0.0/8");
        reads("192.0.2.7", "192.0.2.7/32");
        reads("::1", "::1/128");
        reads("fd00::/16", "fd00::/16");
        reads("::ffff:10.0.0.0/104", "10.0.0.0/8");
        reads("::ffff:10.0.0.1", "10.0.0.1/32");
    }

    #[test]
    fn wide_networks_are_refused() {
        for text in [
            "0.0.0.0/0",
            "0.0.0.0/7",
            "::/0",
            "2000::/15",
            "::ffff:0:0/96",
            "::ffff:0:0/103",
            "::/16",
            "::/80",
            "::fffe:0:0/95",
        ] {
            assert!(matches!(parse(text), Err(Invalid::Because(_))), "{text}");
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0"] {
            assert!(matches!(parse(text), Err(Invalid::Malformed)), "{text}");
        }
    }
}
