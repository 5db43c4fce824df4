//! Exponential backoff: each pause is twice as long as the one before, up to a limit.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);

/// Pauses that double.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// Starts with the shortest pause; no pause is longer than `most`.
    pub fn up_to(most: Duration) -> Backoff {
        Backoff { next: FIRST, most }
    }

    /// Returns the next pause.
    pub fn next(&mut self) -> Duration {
        let wait = self.next.min(self.most);
        self.next = wait * 2;
        wait
    }

    /// Starts again with the shortest pause.
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
        let mut waits = || {
            (0..5)
                .map(|_| backoff.next().as_millis())
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(), [100, 200, 400, 500, 500]);
        backoff.restart();
        assert_eq!(backoff.next(), FIRST);
    }
}
