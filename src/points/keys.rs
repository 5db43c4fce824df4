//! The key spaces: which list of words each of the ledger's keys stands for.
//!
//! The words that lead a key are stored with it. They never change, so that the ledger recognises retries of requests that an
//! older program applied.

use crate::ledger::book::key::Key;

/// What a key identifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySpace {
    /// One of a user's orders: uid, orderCode.
    CoinOrder,
    /// A coin posting's reference: uid, reason, local day or "", then the reference's kind and parts.
    CoinReference,
    /// A return with a request id of the caller's: uid, requestId.
    CoinRequest,
    /// A change of diamonds: direction, user_key, change_type, identity.
    DiamondChange,
    /// A broker's message: method, message id.
    Message,
    /// The reward for a payment: charge, asset.
    Payment,
    /// Points that a partner gives: OpenId, bizId.
    PartnerGift,
    /// A nonce of a partner's: OpenId, Nonce.
    PartnerNonce,
    /// A community action: action_token.
    CommunityAction,
}

impl KeySpace {
    /// The key of these parts in this space.
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
            KeySpace::Payment => &["pay"],
            KeySpace::PartnerGift => &["openapi", "biz"],
            KeySpace::PartnerNonce => &["openapi", "nonce"],
            KeySpace::CommunityAction => &["action"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys as the first version of this program stored them.
    #[test]
    fn stored_keys_stay_the_same() {
        let stored: [(KeySpace, &[&str], &str); 9] = [
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
