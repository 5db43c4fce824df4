//! The spine of every call: open → find → permit → read parameters → call → seal. It knows no dialect, no method and no ledger.

pub mod context;
pub mod description;
pub mod dialect;
pub mod endpoint;
pub mod fault;
pub mod form;
pub mod json;
pub mod keys;
pub mod method;
pub mod metrics;
pub mod parameters;
pub mod params;
pub mod permissions;
pub mod registry;
pub mod reply;
pub mod service;
pub mod value;
