//! Writes: the queue, its partitions, their writers, the rows of a batch, and retries.

mod actions;
mod allowances;
mod corrections;
mod freezes;
pub(crate) mod load;
mod origins;
pub(crate) mod partitions;
mod payments;
pub mod preview;
mod save;
mod sets;
mod tallies;
pub(crate) mod writer;
