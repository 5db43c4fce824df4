//! All tests that need a running gateway, in one binary. The folders mirror `src/`.
#![allow(clippy::unwrap_used, missing_docs)]

mod broker;
mod cli;
mod database;
mod docs;
mod endpoint;
mod ledger;
mod older;
mod openapi;
mod osx;
mod outage;
mod program;
mod recorded;
mod server;
mod servers;
mod status;
mod test_gateway;
mod tidy;
mod yoho;
