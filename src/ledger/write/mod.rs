//! Writes: the queue, its partitions and their writers, the rows of a batch, and what is retried.

mod actions;
pub(crate) mod partitions;
pub mod retry;
pub(crate) mod rows;
pub(crate) mod writer;
