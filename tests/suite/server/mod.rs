//! The HTTP server around the dialects: malformed input, limits and concurrency.

mod limits;
mod malformed;
mod parallel;
mod raw;
mod samples;
