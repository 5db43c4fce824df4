//! Exponential backoff: each pause is twice as long as the one before, up to a limit.

use std::time::Duration;

/// The first pause, from which they double.
const FIRST: Duration = Duration::from_millis(100);

/// A series of pauses, each twice as long as the one before, up to a limit.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    limit: Duration,
}

impl Backoff {
    /// Starts with a pause of 100 ms; no pause is longer than `limit`.
    pub fn up_to(limit: Duration) -> Backoff {
        Backoff { next: FIRST, limit }
    }

    /// Returns the next pause and doubles the one after it.
    pub fn next(&mut self) -> Duration {
        let pause = self.next.min(self.limit);
        self.next = pause * 2;
        pause
    }

    /// Starts the series again.
    pub fn restart(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_limit() {
        let mut backoff = Backoff::up_to(Duration::from_millis(500));
        let mut pauses = || {
            (0..5)
                .map(|_| backoff.next().as_millis())
                .collect::<Vec<_>>()
        };
        assert_eq!(pauses(), [100, 200, 400, 500, 500]);
        backoff.restart();
        assert_eq!(backoff.next(), FIRST);
    }
}
