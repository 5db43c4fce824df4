//! Member status: `status.*` and `broadcast.*` over `/gateway`.

mod diamonds;
mod messages;
mod pay;
mod profile;
mod report;
