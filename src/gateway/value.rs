//! The kinds of values that any method's parameters may have.

use std::borrow::Cow;

use super::params::Raw;

/// A kind of value that a parameter may have.
pub trait Value: Sized {
    /// What it is, for whoever writes a client: `whole number`.
    fn kind() -> Cow<'static, str>;

    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(raw: &Raw) -> Result<Self, Bad>;
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Not of its kind.
    Wrong,
    /// Longer than it may be.
    TooLong,
}

impl Value for i64 {
    fn kind() -> Cow<'static, str> {
        "whole number".into()
    }

    fn read(raw: &Raw) -> Result<i64, Bad> {
        match raw {
            Raw::Text(digits) => digits.parse().map_err(|_| Bad::Wrong),
            Raw::Absent | Raw::Other => Err(Bad::Wrong),
        }
    }
}

/// A whole number from `FIRST` to `LAST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within<const FIRST: i64, const LAST: i64>(pub i64);

impl<const FIRST: i64, const LAST: i64> Value for Within<FIRST, LAST> {
    fn kind() -> Cow<'static, str> {
        format!("{FIRST} to {LAST}").into()
    }

    fn read(raw: &Raw) -> Result<Self, Bad> {
        match i64::read(raw)? {
            number if (FIRST..=LAST).contains(&number) => Ok(Within(number)),
            _ => Err(Bad::Wrong),
        }
    }
}

impl<T: Value> Value for Option<T> {
    fn kind() -> Cow<'static, str> {
        T::kind()
    }

    fn read(raw: &Raw) -> Result<Option<T>, Bad> {
        T::read(raw).map(Some)
    }
}

/// A text of 1 to `MAX` characters, none of them NUL, which not every database can keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

impl<const MAX: usize> Value for Text<MAX> {
    fn kind() -> Cow<'static, str> {
        "text".into()
    }

    fn read(raw: &Raw) -> Result<Self, Bad> {
        match raw {
            Raw::Text(text) if text.chars().nth(MAX).is_some() => Err(Bad::TooLong),
            Raw::Text(text) if text.contains('\0') => Err(Bad::Wrong),
            Raw::Text(text) => Ok(Text(text.clone())),
            Raw::Absent | Raw::Other => Err(Bad::Wrong),
        }
    }
}
