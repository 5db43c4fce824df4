//! The HTTP server around the dialects: malformed input, limits and concurrency.

mod characters;
pub mod gzip;
mod limits;
mod malformed;
mod marks;
mod parallel;
mod paths;
mod raw;
mod samples;
