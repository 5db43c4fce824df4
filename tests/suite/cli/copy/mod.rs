//! `pointgate copy`: copies a whole ledger into another database.

pub mod fixture;
mod interrupted;
mod refused;
mod round_trip;
