//! The YOHO dialect and its methods over HTTP, by protocols.md part 1.

mod canonical;
mod debug;
mod expiry;
mod get;
mod list_rows;
mod lists;
mod overview;
mod permissions;
mod response;
mod retries;
mod returns;
mod signature;
mod subtract;
mod table;
mod total;
