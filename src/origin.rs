//! The origin of a change: who asked for it, and what proves that.

use std::net::IpAddr;

/// The sender of a request, and what proves it. The default is the program itself, which expires points.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The endpoint's name, `broker`, `cli`, or `pointgate` for the program itself.
    pub dialect: &'static str,
    /// The caller: the client_type of `/gateway`, the OpenId of a partner, the appKey of the community, `QUEUE` or
    /// `QUEUE:PUBLISHER` of a message, the operating-system user (`uid:1000`) of a command. A
    /// [`SelfVerifying`](crate::gateway::context::SelfVerifying) method gets its only legitimate sender here, before it has verified
    /// that the request came from there.
    pub caller: String,
    /// The key that proved the caller: `current` or `previous`; `debug` for a request that passed by `yoho.debug`; `None` for a
    /// caller that no key of ours proves: of a message, of a command, of a self-verifying method.
    pub key: Option<&'static str>,
    /// The client's address; `None` if it is unknown, or if forwarding headers contradict each other.
    pub address: Option<IpAddr>,
}

impl Default for Origin {
    fn default() -> Origin {
        Origin {
            dialect: "pointgate",
            caller: String::new(),
            key: None,
            address: None,
        }
    }
}
