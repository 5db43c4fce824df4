//! Networks in the configuration: an address or a network that is not much of the internet.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::reader::Wrong;

/// What a good one looks like.
pub(super) const WHAT: &str = "an address or a network, such as \"10.1.2.3\" or \"10.1.0.0/16\"";

/// The shortest prefixes, in bits, that do not yet hold much of the internet.
const SHORTEST_V4: u8 = 8;
const SHORTEST_V6: u8 = 16;

/// Reads an address or a network without its host bits; an IPv4-mapped one becomes IPv4.
///
/// Both lists of networks decide whom we trust, so one that holds the whole internet, or much of it, is refused.
pub(super) fn parse(text: &str) -> Result<IpNet, Wrong> {
    let net: IpNet = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse().map_err(|_| Wrong::NotOne)?,
    };
    let net = unmapped(net.trunc());
    let too_wide = match net {
        IpNet::V4(net) => net.prefix_len() < SHORTEST_V4,
        IpNet::V6(net) => net.prefix_len() < SHORTEST_V6 || net.contains(&Ipv6Addr::from(MAPPED)),
    };
    if too_wide {
        return Err(Wrong::Because(format!(
            "holds the whole internet or much of it; name addresses, or networks of at least \
             /{SHORTEST_V4} (IPv4) or /{SHORTEST_V6} (IPv6)"
        )));
    }
    Ok(net)
}

/// `::ffff:0:0`, where IPv6 holds the addresses of IPv4.
const MAPPED: u128 = 0xffff_0000_0000;

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
    fn much_of_the_internet_is_refused() {
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
            assert!(matches!(parse(text), Err(Wrong::Because(_))), "{text}");
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0"] {
            assert!(matches!(parse(text), Err(Wrong::NotOne)), "{text}");
        }
    }
}
