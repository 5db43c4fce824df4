//! How long to wait before the next try: longer each time, up to a limit.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(100);

/// Waits that double.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// With waits of at most `most`.
    pub fn up_to(most: Duration) -> Backoff {
        Backoff { next: FIRST, most }
    }

    /// The next wait.
    pub fn next(&mut self) -> Duration {
        let wait = self.next.min(self.most);
        self.next = wait * 2;
        wait
    }

    /// Begins with the shortest wait again.
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
