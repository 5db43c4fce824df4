//! The key spaces: a prefix for each purpose, so that keys of different purposes never collide in the ledger.
//!
//! A key is a hash of its prefix and parts, and the ledger stores it. Prefixes never change, so that the ledger recognises retries
//! of requests that an older version of the program applied.

use crate::ledger::book::key::Key;

/// The purpose of a key, with its parts in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySpace {
    /// An order of a user: uid, orderCode.
    CoinOrder,
    /// The reference of a coin posting: uid, reason, local day or "", then the kind and the parts of the reference.
    CoinReference,
    /// A return of coins with a requestId: uid, requestId.
    CoinRequest,
    /// A change of diamonds with an identity: `add` or `reduce`, user_key, change_type, identity.
    DiamondChange,
    /// A message of the broker, as version 0.1 stored it: method, message id.
    Message,
    /// A message of the broker: publisher, method, message id.
    PublishedMessage,
    /// The reward for a payment: charge, asset.
    Payment,
    /// Points that a partner gave: OpenId, bizId.
    PartnerGift,
    /// A nonce of a partner: OpenId, Nonce.
    PartnerNonce,
    /// An action of the community: action_token. What else makes an action the same, the ledger compares.
    CommunityAction,
    /// A signature of the community: sign.
    CommunitySign,
    /// The points that a caller may give a day: dialect, caller, day.
    DailyCredit,
    /// A correction by an operator: its kind and its id, or the entry that it corrects.
    Correction,
    /// A key of a caller: dialect, caller, the key's check.
    CallerKey,
}

impl KeySpace {
    /// The key of these parts.
    pub fn key(self, parts: &[&str]) -> Key {
        Key::of(&[self.prefix(), parts].concat())
    }

    fn prefix(self) -> &'static [&'static str] {
        match self {
            KeySpace::CoinOrder => &["coin", "order"],
            KeySpace::CoinReference => &["coin", "once"],
            KeySpace::CoinRequest => &["coin", "request"],
            KeySpace::DiamondChange => &["diamond"],
            KeySpace::Message => &["message"],
            KeySpace::PublishedMessage => &["published"],
            KeySpace::Payment => &["pay"],
            KeySpace::PartnerGift => &["openapi", "biz"],
            KeySpace::PartnerNonce => &["openapi", "nonce"],
            KeySpace::CommunityAction => &["action"],
            KeySpace::CommunitySign => &["community", "sign"],
            KeySpace::DailyCredit => &["credit"],
            KeySpace::Correction => &["correction"],
            KeySpace::CallerKey => &["caller", "key"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that the first version of this program stored.
    #[test]
    fn stored_keys_stay_the_same() {
        let stored: [(KeySpace, &[&str], &str); 10] = [
            (
                KeySpace::CoinOrder,
                &["5", "1234567890"],
                "15d6586325da3c6371e17b0d0c366c44",
            ),
            (
                KeySpace::CoinReference,
                &["5", "18", "", "reference", "r1"],
                "66af06d59c00c9e0a85adb646b3e8ca5",
            ),
            (
                KeySpace::CoinRequest,
                &["5", "q1"],
                "1af788cea05771dbe52b4da79d819eb2",
            ),
            (
                KeySpace::DiamondChange,
                &["add", "u1", "gift", "i1"],
                "7e665edafaa1a7addf126bb1ef5b2c76",
            ),
            (
                KeySpace::Message,
                &["status.extend_light", "m1"],
                "0fc188ab556ca0d4970ba5df97a80091",
            ),
            (
                KeySpace::PublishedMessage,
                &["app", "status.extend_light", "m1"],
                "890052fe7da5ca0c4f9f3ed0caed1335",
            ),
            (
                KeySpace::Payment,
                &["ch_1", "diamond"],
                "6c8b74b0df8dfed65b0f83faef39c797",
            ),
            (
                KeySpace::PartnerGift,
                &["partner", "b1"],
                "1b6f26463633b55395174f945bf132d2",
            ),
            (
                KeySpace::PartnerNonce,
                &["partner", "24680"],
                "8485fb12407b2cd6a025ff55398ce1df",
            ),
            (
                KeySpace::CommunityAction,
                &["t1"],
                "60e0633700a6b0c6158363371f61a53b",
            ),
        ];
        for (space, parts, key) in stored {
            assert_eq!(hex::encode(space.key(parts).bytes()), key, "{space:?}");
        }
    }
}
