//! Names of requests.

use std::sync::atomic::{AtomicU64, Ordering};

/// Names requests, for a user to quote and an operator to find.
pub struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Another series than after the last start.
    pub fn new() -> RequestIds {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        // Different after each start, which is all that is asked of it.
        let process =
            since.subsec_nanos() ^ since.as_secs() as u32 ^ std::process::id().rotate_left(16);
        RequestIds {
            process,
            next: AtomicU64::new(1),
        }
    }

    /// The next name.
    pub fn next(&self) -> String {
        format!(
            "{:08x}-{:x}",
            self.process,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }
}
