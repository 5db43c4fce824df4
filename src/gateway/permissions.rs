//! What a caller may do: its methods, networks, rate and points. They bound what a stolen key is good for.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

use super::context::{PointLimits, within};

/// The permissions of one caller.
#[derive(Debug)]
pub struct Permissions {
    methods: Vec<String>,
    networks: Vec<IpNet>,
    rate: Option<DefaultDirectRateLimiter>,
    points: PointLimits,
}

/// Why a caller may not make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The caller may not call this method, or not from this address.
    Forbidden,
    /// The caller sends too many requests.
    TooFrequent,
}

/// Whether a pattern of a configuration matches a method's registered name: it is the name, or the name's beginning and `*`.
pub fn allows(pattern: &str, method: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => method.starts_with(beginning),
        None => method == pattern,
    }
}

impl Permissions {
    /// Takes what a configuration allows. `methods` are patterns as [`allows`] reads them. An empty list of networks
    /// stands for every address, and no `rate` (requests a second) for every rate.
    pub fn new(
        methods: Vec<String>,
        networks: Vec<IpNet>,
        rate: Option<NonZeroU32>,
        points: PointLimits,
    ) -> Permissions {
        Permissions {
            methods,
            networks,
            rate: rate.map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            points,
        }
    }

    /// Checks a call of a method, given by its registered name, from a client with these possible addresses. A call that is allowed
    /// counts towards the rate.
    ///
    /// # Errors
    /// Returns the [`Refusal`] if the call is not allowed.
    pub fn check(&self, method: &str, addresses: &[IpAddr]) -> Result<(), Refusal> {
        let from_here = self.networks.is_empty() || within(addresses, &self.networks);
        if !from_here || !self.methods.iter().any(|it| allows(it, method)) {
            return Err(Refusal::Forbidden);
        }
        match &self.rate {
            Some(rate) if rate.check().is_err() => Err(Refusal::TooFrequent),
            _ => Ok(()),
        }
    }

    /// The bounds of the points that the caller may give.
    pub fn points(&self) -> PointLimits {
        self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowing(methods: &[&str], networks: &[&str], rate: Option<u32>) -> Permissions {
        let methods = methods.iter().map(|it| (*it).to_owned()).collect();
        let networks = networks.iter().map(|it| it.parse().unwrap()).collect();
        let rate = rate.and_then(NonZeroU32::new);
        Permissions::new(methods, networks, rate, PointLimits::default())
    }

    #[test]
    fn methods_and_networks() {
        let here: [IpAddr; 1] = ["10.1.2.3".parse().unwrap()];
        let there: [IpAddr; 2] = [here[0], "192.0.2.1".parse().unwrap()];
        let some = allowing(&["a.total", "status.*"], &["10.0.0.0/8"], None);
        for (method, addresses, expected) in [
            ("a.total", &here[..], Ok(())),
            ("status.x", &here, Ok(())),
            ("a.total2", &here, Err(Refusal::Forbidden)),
            ("statusx", &here, Err(Refusal::Forbidden)),
            ("a.total", &there, Err(Refusal::Forbidden)),
            ("a.total", &[], Err(Refusal::Forbidden)),
        ] {
            assert_eq!(
                some.check(method, addresses),
                expected,
                "{method} {addresses:?}"
            );
        }
        let all = allowing(&["*"], &[], None);
        assert_eq!(all.check("a", &[]), Ok(()));
        assert_eq!(
            allowing(&[], &[], None).check("a", &here),
            Err(Refusal::Forbidden)
        );
    }

    #[test]
    fn a_forbidden_call_does_not_count_towards_the_rate() {
        let slow = allowing(&["a"], &[], Some(1));
        for _ in 0..3 {
            assert_eq!(slow.check("b", &[]), Err(Refusal::Forbidden));
        }
        assert_eq!(slow.check("a", &[]), Ok(()));
        let many = (0..1000).map(|_| slow.check("a", &[]));
        assert!(many.filter(|it| *it == Err(Refusal::TooFrequent)).count() > 0);
    }
}
