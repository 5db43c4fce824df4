//! Member status: `status.*` and `broadcast.*` over `/gateway`.

mod awards;
mod coin_messages;
mod diamonds;
mod messages;
mod pay;
mod payment_crash;
mod payment_lock;
mod profile;
pub mod provider;
mod report;
