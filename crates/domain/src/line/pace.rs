//! How fast a line moves, what a waiting client is told of it, and how right that was.

use std::collections::VecDeque;
use std::time::Duration;

use super::Snapshot;
use crate::{TicketNumber, Timestamp};

/// How fast a line moved in the last minutes, measured, never assumed.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// When how many had been admitted in all, oldest first.
    samples: VecDeque<(Timestamp, u64)>,
}

impl Pace {
    /// How far back admissions count.
    pub const MEMORY: Duration = Duration::from_secs(300);
    /// Samples closer together than this tell nothing new.
    const APART: Duration = Duration::from_millis(900);

    /// Notes that `admitted` tokens had been admitted in all at `now`.
    pub fn observe(&mut self, now: Timestamp, admitted: u64) {
        // The last sample stays until a later one is far enough from it, so that memory is bounded however often the
        // line is looked at; the first one stays until the second is old enough to measure from.
        if self.samples.back().is_none_or(|(last, _)| now.since(*last) >= Self::APART) {
            self.samples.push_back((now, admitted));
        }
        let horizon = now.minus(Self::MEMORY);
        while self.samples.get(1).is_some_and(|(second, _)| *second <= horizon) {
            self.samples.pop_front();
        }
    }

    /// What was measured; `None` while nobody has been seen admitted.
    pub fn rate(&self) -> Option<Rate> {
        let ((first, before), (last, after)) = (self.samples.front()?, self.samples.back()?);
        let admitted = after.saturating_sub(*before);
        (admitted > 0).then(|| Rate { admitted, within: last.since(*first) })
    }
}

/// How many were admitted in how long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least one.
    admitted: u64,
    /// In how long a time.
    within: Duration,
}

impl Rate {
    /// How long `position` will take at this rate; `None` when that is beyond what can be counted.
    pub fn wait(&self, position: u64) -> Option<Duration> {
        let admitted = u128::from(self.admitted);
        let micros = self.within.as_micros().checked_mul(u128::from(position))?.checked_div(admitted)?;
        Some(Duration::from_micros(u64::try_from(micros).ok()?))
    }
}

/// What was foretold of some places, to be compared with what came.
#[derive(Clone, Debug, Default)]
pub struct Forecasts {
    made: Vec<Forecast>,
    last: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Forecast {
    number: TicketNumber,
    at: Timestamp,
    wait: Duration,
}

impl Forecasts {
    /// How often places are taken note of.
    const EVERY: Duration = Duration::from_secs(10);
    /// How many forecasts are remembered at most.
    const MOST: usize = 1_000;

    /// Notes what is foretold now of the places a tenth and half of the way down the line, and of the last one.
    pub fn note(&mut self, snapshot: &Snapshot, rate: Option<Rate>, now: Timestamp) {
        let Some(rate) = rate.filter(|_| self.made.len() < Self::MOST) else { return };
        if self.last.is_some_and(|last| now.since(last) < Self::EVERY) {
            return;
        }
        self.last = Some(now);
        let waiting = snapshot.line().waiting();
        for position in [waiting.div_ceil(10), waiting.div_ceil(2), waiting] {
            if let (Some(number), Some(wait)) = (snapshot.nth_waiting(position), rate.wait(position)) {
                self.made.push(Forecast { number, at: now, wait });
            }
        }
    }

    /// Of the places whose turn has come by now, by how much the wait was misjudged, either way. What it tells, it forgets.
    pub fn settle(&mut self, frontier: u64, now: Timestamp) -> Vec<Duration> {
        let mut errors = Vec::new();
        self.made.retain(|forecast| {
            let come = forecast.number.get() <= frontier;
            if come {
                errors.push(now.since(forecast.at).abs_diff(forecast.wait));
            }
            !come
        });
        errors
    }
}

/// When a waiting client should ask again: about a tenth of its wait, 1 to 30 s, spread by `jitter` over 90 to 110 %
/// so that a crowd that came together does not come back together. While the wait is unknown the place stands for it.
///
/// Never later than a third of `absence`, if that is not zero, though never sooner than after a second: who asks as
/// advised is never taken to be absent.
pub fn poll_after(wait: Option<Duration>, position: u64, jitter: u8, absence: Duration) -> Duration {
    const LEAST_MS: u64 = 1_000;
    const MOST_MS: u64 = 30_000;
    let most = match u64::try_from(absence.as_millis() / 3) {
        Ok(0) | Err(_) => MOST_MS,
        Ok(third) => third.clamp(LEAST_MS, MOST_MS),
    };
    let tenth = match wait {
        Some(wait) => u64::try_from(wait.as_millis() / 10).unwrap_or(MOST_MS),
        None => position.saturating_mul(10),
    };
    let spread = tenth.clamp(LEAST_MS, most) * (900 + u64::from(jitter) * 200 / 255) / 1_000;
    Duration::from_millis(spread.clamp(LEAST_MS, most))
}

/// A jitter for [`poll_after`] that differs from place to place and from poll to poll. It need not be hard to foresee.
pub fn jitter(number: TicketNumber, now: Timestamp) -> u8 {
    // Fibonacci hashing: a multiplier of 2^64 divided by the golden ratio spreads neighbours evenly over the top bits.
    let mixed = (number.get() ^ now.micros().unsigned_abs()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed.to_be_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Line;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn wait(pace: &Pace, position: u64) -> Option<Duration> {
        pace.rate().and_then(|rate| rate.wait(position))
    }

    #[test]
    fn a_wait_is_known_once_someone_was_admitted() {
        let mut pace = Pace::default();
        assert_eq!(wait(&pace, 5), None);
        pace.observe(at(0), 100);
        pace.observe(at(10), 100);
        assert_eq!(wait(&pace, 5), None);
        pace.observe(at(20), 110);
        assert_eq!(wait(&pace, 5), Some(Duration::from_secs(10)), "10 in 20 s, so 5 in 10 s");
    }

    #[test]
    fn what_is_older_than_the_memory_does_not_count() {
        let mut pace = Pace::default();
        for (second, admitted) in [(0, 0), (1, 1_000), (200, 1_000), (302, 1_010)] {
            pace.observe(at(second), admitted);
        }
        assert_eq!(wait(&pace, 10), Some(Duration::from_secs(301)), "from second 1 on");
    }

    #[test]
    fn memory_of_the_pace_is_bounded() {
        let mut pace = Pace::default();
        for tenth in 0..100_000_i64 {
            pace.observe(Timestamp::from_micros(tenth * 100_000), 0);
        }
        assert!(pace.samples.len() <= 340, "{}", pace.samples.len());
    }

    #[test]
    fn polls_grow_with_the_wait_from_1_to_30_seconds() {
        for (wait, position, ms) in [
            (Some(0), 1, 1_000),
            (Some(100), 1, 10_000),
            (Some(10_000), 1, 30_000),
            (None, 1, 1_000),
            (None, 1_500, 15_000),
            (None, u64::MAX, 30_000),
        ] {
            let middle = poll_after(wait.map(Duration::from_secs), position, 127, Duration::ZERO).as_millis();
            assert!(middle.abs_diff(ms) <= ms / 100, "{wait:?} {position}: {middle}");
            for jitter in [0, 255] {
                let spread = poll_after(wait.map(Duration::from_secs), position, jitter, Duration::ZERO).as_millis();
                assert!((1_000..=30_000).contains(&spread) && spread.abs_diff(ms) <= ms / 10, "{spread}");
            }
        }
    }

    #[test]
    fn who_polls_as_advised_is_never_taken_to_be_absent() {
        for (absence, most) in [(0, 30_000), (120, 30_000), (60, 20_000), (2, 1_000)] {
            for jitter in [0, 127, 255] {
                let after = poll_after(None, u64::MAX, jitter, Duration::from_secs(absence)).as_millis();
                assert!((most * 9 / 10..=most).contains(&after), "{absence} {after}");
            }
        }
    }

    fn in_line(issued: u64, frontier: u64) -> Snapshot {
        Snapshot::build(Line { issued, frontier, admitted: frontier, ..Line::default() }, []).unwrap()
    }

    #[test]
    fn forecasts_are_compared_with_what_came() {
        let mut pace = Pace::default();
        pace.observe(at(0), 0);
        pace.observe(at(10), 10);
        let mut forecasts = Forecasts::default();
        // One a second: the 10th waits 10 s, the 50th 50 s, the 100th 100 s.
        forecasts.note(&in_line(100, 0), pace.rate(), at(10));
        assert!(forecasts.settle(9, at(15)).is_empty());
        assert_eq!(forecasts.settle(10, at(23)), [Duration::from_secs(3)], "3 s late");
        assert_eq!(forecasts.settle(60, at(53)), [Duration::from_secs(7)], "7 s early");
        assert!(forecasts.settle(60, at(60)).is_empty(), "told once");
        assert_eq!(forecasts.settle(100, at(110)), [Duration::ZERO]);
    }

    #[test]
    fn memory_of_forecasts_is_bounded() {
        let mut pace = Pace::default();
        pace.observe(at(0), 0);
        pace.observe(at(10), 10);
        let mut forecasts = Forecasts::default();
        for second in 0..100_000 {
            forecasts.note(&in_line(100, 0), pace.rate(), at(second));
        }
        assert!(forecasts.made.len() <= Forecasts::MOST + 2, "{}", forecasts.made.len());
        forecasts.note(&in_line(100, 0), None, at(200_000));
    }
}
