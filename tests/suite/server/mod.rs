//! The server around the dialects: bytes that nobody should send, limits, and many requests at once.

mod limits;
mod malformed;
mod parallel;
mod raw;
