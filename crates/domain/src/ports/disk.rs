//! Whether a store's disk is full.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a store remembers of its disk: when a write failed last because there was no room for it. Servers write every few
/// seconds, asked or not, so that a disk that stays full is not forgotten.
#[derive(Debug, Default)]
pub struct Disk(Mutex<Option<Instant>>);

impl Disk {
    /// For how long after a failed write the disk is taken to be full.
    pub const FULL_FOR: Duration = Duration::from_secs(10);

    /// A write has failed, as there was no room for it.
    pub fn was_full(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Whether a server on it should be sent callers no more.
    pub fn is_full(&self, now: Instant) -> bool {
        let failed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| now.saturating_duration_since(failed) < Self::FULL_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_full_until_ten_seconds_after_the_last_write_that_failed() {
        let (disk, start, second) = (Disk::default(), Instant::now(), Duration::from_secs(1));
        assert!(!disk.is_full(start));
        disk.was_full(start);
        for (after, full) in [(Duration::ZERO, true), (Duration::from_micros(9_999_999), true), (10 * second, false)] {
            assert_eq!(disk.is_full(start + after), full, "{after:?}");
        }
        disk.was_full(start + 7 * second);
        assert!(disk.is_full(start + 16 * second) && !disk.is_full(start + 17 * second));
    }
}
