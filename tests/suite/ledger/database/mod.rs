//! What the ledger asks of its databases, on each of them.

mod backends;
mod leases;
mod locks;
mod mismatch;
mod read_only;
mod statements;
mod tls;
