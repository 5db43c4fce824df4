//! The YOHO dialect and its methods, over HTTP: protocols.md part 1, line by line.

mod debug;
mod expiry;
mod get;
mod lists;
mod overview;
mod response;
mod retries;
mod returns;
mod rows;
mod script;
mod signature;
mod subtract;
mod total;
