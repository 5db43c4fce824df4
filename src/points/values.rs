//! Kinds of parameter values that several protocols share.

use std::borrow::Cow;

use crate::gateway::parameters::Raw;
use crate::gateway::value::{Invalid, Value, Within};

/// The uid of a user of the shop: a positive 64-bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uid(pub i64);

/// Points that one request adds: 1 to 1,000,000,000.
pub type Credit = Within<1, 1_000_000_000>;

impl Value for Uid {
    fn kind() -> Cow<'static, str> {
        "whole number > 0".into()
    }

    fn read(raw: &Raw<'_>) -> Result<Self, Invalid> {
        match i64::read(raw)? {
            uid if uid > 0 => Ok(Uid(uid)),
            _ => Err(Invalid::Wrong),
        }
    }
}
