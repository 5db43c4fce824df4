//! `pointgate copy`: a whole ledger into another database.

mod books;
mod cut;
mod refused;
mod ring;
