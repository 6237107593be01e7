//! How long a place will wait, as far as anybody can know.

use std::time::Duration;

use super::Rate;
use crate::{Policy, Timestamp};

/// What is known of how fast a queue admits: its policy, and what was measured since that holds.
///
/// The wait of a place is what the policy says, `position / (batch / interval_seconds)`, and longer where the hall fills up: as
/// was measured, once that is known. Until then a place beyond `max_active` waits for turns to end that last as long as
/// they may, `position / (max_active / turn)`. Before the opening the wait counts from there (R19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How fast it admits, and from when on.
    pub policy: Policy,
    /// How long a turn lasts at most (R5).
    pub turn: Duration,
    /// How fast it was seen to admit; `None` while that is unknown.
    pub measured: Option<Rate>,
}

impl Outlook {
    /// How long `position` will wait from `now` on; `None` where nobody can know: while the queue is paused, and where it admits
    /// nobody at all.
    pub fn wait(&self, position: u64, now: Timestamp) -> Option<Duration> {
        if self.policy.paused { None } else { self.once_open(position)?.checked_add(self.until_opening(now)) }
    }

    /// Between which bounds the wait of `position` will be: a quarter either way of what does not depend on the opening, whose
    /// moment is certain.
    pub fn range(&self, position: u64, now: Timestamp) -> Option<(Duration, Duration)> {
        let (wait, line) = (self.wait(position, now)?, self.once_open(position)?);
        Some((wait.saturating_sub(line / 4), wait.saturating_add(line / 4)))
    }

    /// How long it is until the queue opens; nothing when it has.
    pub(super) fn until_opening(&self, now: Timestamp) -> Duration {
        self.policy.opens_at.map_or(Duration::ZERO, |opens_at| opens_at.since(now))
    }

    /// How long `position` waits from the moment on in which the queue is neither paused nor before its opening.
    pub(super) fn once_open(&self, position: u64) -> Option<Duration> {
        let Policy { max_active, batch, .. } = self.policy;
        let windows = Rate { admitted: u64::from(batch), within: self.policy.interval() }.wait(position)?;
        let places = match self.measured {
            Some(measured) => measured.wait(position)?,
            None if position > u64::from(max_active) => {
                Rate { admitted: u64::from(max_active), within: self.turn }.wait(position)?
            }
            None => Duration::ZERO,
        };
        Some(windows.max(places))
    }

    /// When the turn of `position` comes at the earliest, counted from the moment on in which the queue opens: the first batch
    /// is in at once.
    pub(super) fn earliest(&self, position: u64) -> Option<Duration> {
        let windows = position.saturating_sub(1) / u64::from(self.policy.batch.max(1));
        let windows = Rate { admitted: 1, within: self.policy.interval() }.wait(windows)?;
        if position > u64::from(self.policy.max_active) { self.once_open(position) } else { Some(windows) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENS: i64 = 1_000_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// The whole seconds of a wait.
    fn secs(wait: Option<Duration>) -> Option<u64> {
        wait.map(|wait| wait.as_secs())
    }

    /// 50 in 10 s, 1,000 at once, 600 s each.
    fn outlook() -> Outlook {
        let policy = Policy { batch: 50, interval_seconds: 10, max_active: 1_000, ..Policy::default() };
        Outlook { policy, turn: Duration::from_secs(600), measured: None }
    }

    fn measured(admitted: u64, seconds: u64) -> Outlook {
        Outlook { measured: Some(Rate { admitted, within: Duration::from_secs(seconds) }), ..outlook() }
    }

    #[test]
    fn until_a_pace_is_known_the_wait_is_the_policys_own() {
        for (position, wait) in [(5, 1), (50, 10), (1_000, 200), (1_001, 600), (2_000, 1_200), (100_000, 60_000)] {
            assert_eq!(secs(outlook().wait(position, at(0))), Some(wait), "{position}");
        }
        // Where turns end faster than windows admit, windows are what takes long.
        let quick = Outlook { turn: Duration::from_secs(10), ..outlook() };
        assert_eq!(secs(quick.wait(2_000, at(0))), Some(400));
    }

    #[test]
    fn what_was_measured_counts_where_it_is_slower_than_the_policy() {
        assert_eq!(secs(measured(10, 10).wait(100, at(0))), Some(100), "one a second, five would be allowed");
        assert_eq!(secs(measured(10, 10).wait(2_000, at(0))), Some(2_000), "and people take as long as they take");
        assert_eq!(secs(measured(1_000, 10).wait(100, at(0))), Some(20), "no faster than the policy lets it");
    }

    #[test]
    fn nothing_is_foretold_while_paused_or_where_nobody_is_admitted() {
        let with = |policy: Policy| Outlook { policy, ..outlook() };
        let paused = with(Policy { paused: true, ..outlook().policy });
        let full = with(Policy { max_active: 0, ..outlook().policy });
        let both = with(Policy { paused: true, opens_at: Some(at(OPENS)), ..outlook().policy });
        for (outlook, now) in [(paused, at(0)), (full, at(0)), (both, at(OPENS - 9)), (both, at(OPENS + 9))] {
            assert_eq!((outlook.wait(1, now), outlook.range(1, now)), (None, None), "{outlook:?}");
        }
        assert_eq!(measured(1, 300).wait(u64::MAX, at(0)), None, "nor beyond what can be counted");
    }

    #[test]
    fn before_the_opening_the_wait_counts_from_it_r19() {
        let outlook = Outlook { policy: Policy { opens_at: Some(at(OPENS)), ..outlook().policy }, ..outlook() };
        for (now, wait) in [(OPENS - 3_600, 3_610), (OPENS - 1, 11), (OPENS, 10), (OPENS + 1, 10)] {
            assert_eq!(secs(outlook.wait(50, at(now))), Some(wait), "{now}");
        }
    }

    #[test]
    fn a_range_is_a_quarter_either_way_and_the_opening_is_certain() {
        let range = |outlook: Outlook, now| outlook.range(200, now).map(|(low, high)| (low.as_secs(), high.as_secs()));
        assert_eq!(range(outlook(), at(0)), Some((30, 50)));
        assert_eq!(range(measured(10, 10), at(0)), Some((150, 250)));
        let later = Outlook { policy: Policy { opens_at: Some(at(OPENS)), ..outlook().policy }, ..outlook() };
        assert_eq!(range(later, at(OPENS - 1_000)), Some((1_030, 1_050)));
    }

    #[test]
    fn the_first_batch_comes_with_the_opening() {
        for (position, due) in [(1, 0), (50, 0), (51, 10), (100, 10), (101, 20), (1_000, 190), (1_001, 600)] {
            assert_eq!(secs(outlook().earliest(position)), Some(due), "{position}");
        }
    }
}
