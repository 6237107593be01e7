//! How fast a line moves, measured.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{Policy, Timestamp};

/// How fast a line moved in the last minutes in which it was open under the policy that holds now, measured, never assumed.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// When how many had been admitted in all, oldest first.
    samples: VecDeque<(Timestamp, u64)>,
    /// Since when the policy holds under which that was.
    since: Option<Timestamp>,
}

impl Pace {
    /// How far back admissions count.
    pub const MEMORY: Duration = Duration::from_secs(300);
    /// Samples closer together than this tell nothing new.
    const APART: Duration = Duration::from_millis(900);
    /// Admissions come in batches: with one more or less of so many windows a pace is at most a fifth off.
    const WINDOWS: u32 = 5;
    /// A pace that was measured for less is none.
    const LEAST: Duration = Duration::from_secs(10);

    /// Notes that `admitted` tokens had been admitted in all at `now`, under a policy that holds since `since`. An opening, a
    /// resumption and every change of the policy start the measure anew: what was before tells nothing of what comes.
    /// Returns whether the policy is another one than the last time.
    pub fn observe(&mut self, now: Timestamp, admitted: u64, policy: &Policy, since: Timestamp) -> bool {
        let changed = self.since.is_some_and(|before| before != since);
        if changed || policy.admits_nobody(now) {
            self.samples.clear();
        }
        self.since = Some(since);
        if !policy.admits_nobody(now) {
            self.sample(now, admitted);
        }
        changed
    }

    fn sample(&mut self, now: Timestamp, admitted: u64) {
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

    /// Whether nothing is remembered of which anybody was admitted.
    pub fn is_idle(&self) -> bool {
        self.admitted() == 0
    }

    /// What was measured; `None` while nobody has been seen admitted, and until it was long enough for a few windows.
    pub fn rate(&self, policy: &Policy) -> Option<Rate> {
        let within = self.samples.back()?.0.since(self.samples.front()?.0);
        let enough = policy.interval().saturating_mul(Self::WINDOWS).clamp(Self::LEAST, Self::MEMORY);
        let admitted = self.admitted();
        (admitted > 0 && within >= enough).then_some(Rate { admitted, within })
    }

    fn admitted(&self) -> u64 {
        let (first, last) = (self.samples.front(), self.samples.back());
        first.zip(last).map_or(0, |((_, before), (_, after))| after.saturating_sub(*before))
    }
}

/// How many are admitted in how long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub(super) admitted: u64,
    /// In how long a time.
    pub(super) within: Duration,
}

impl Rate {
    /// How long `position` will take at this rate; `None` when that is beyond what can be counted, as where nobody is
    /// admitted at all.
    pub fn wait(&self, position: u64) -> Option<Duration> {
        let within = u64::try_from(self.within.as_micros()).ok()?;
        // In the small numbers of any line there is, as every poll asks for it.
        if let Some(micros) = within.checked_mul(position) {
            return micros.checked_div(self.admitted).map(Duration::from_micros);
        }
        let micros = (u128::from(within) * u128::from(position)).checked_div(u128::from(self.admitted))?;
        Some(Duration::from_micros(u64::try_from(micros).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// Windows of 2 s: a pace is known after 10 s.
    fn policy() -> Policy {
        Policy { interval_seconds: 2, ..Policy::default() }
    }

    fn wait(pace: &Pace, position: u64) -> Option<Duration> {
        pace.rate(&policy()).and_then(|rate| rate.wait(position))
    }

    fn observed(samples: &[(i64, u64)]) -> Pace {
        let mut pace = Pace::default();
        for (second, admitted) in samples {
            pace.observe(at(*second), *admitted, &policy(), at(0));
        }
        pace
    }

    #[test]
    fn a_pace_is_known_once_some_were_admitted_in_a_few_windows() {
        assert_eq!(wait(&observed(&[(0, 100)]), 5), None);
        assert_eq!(wait(&observed(&[(0, 100), (20, 100)]), 5), None, "nobody was admitted");
        assert_eq!(wait(&observed(&[(0, 100), (9, 110)]), 5), None, "less than five windows");
        assert_eq!(wait(&observed(&[(0, 100), (9, 105), (20, 110)]), 5), Some(Duration::from_secs(10)));
        let known = |interval_seconds| {
            let policy = Policy { interval_seconds, ..Policy::default() };
            (1..400).find(|second| observed(&[(0, 0), (*second, 1)]).rate(&policy).is_some())
        };
        assert_eq!([1, 2, 3, 30, 60, 86_400].map(known), [10, 10, 15, 150, 300, 300].map(Some));
    }

    #[test]
    fn a_wait_is_exact_however_large_its_numbers_are() {
        let hour = Rate { admitted: 3_600_000_000, within: Duration::from_secs(3_600) };
        for position in [0, 1, 7, 5_124_095_576, 5_124_095_577, u64::from(u32::MAX) * 1_000] {
            assert_eq!(hour.wait(position), Some(Duration::from_micros(position)), "{position}");
        }
        let none = Rate { admitted: 0, ..hour };
        assert_eq!((none.wait(1), none.wait(u64::MAX)), (None, None));
        assert_eq!(Rate { admitted: 1, ..hour }.wait(u64::MAX), None);
    }

    #[test]
    fn what_is_older_than_the_memory_does_not_count() {
        let pace = observed(&[(0, 0), (1, 1_000), (200, 1_000), (302, 1_010)]);
        assert_eq!(wait(&pace, 10), Some(Duration::from_secs(301)), "from second 1 on");
    }

    #[test]
    fn memory_of_the_pace_is_bounded() {
        let mut pace = Pace::default();
        for tenth in 0..100_000_i64 {
            pace.observe(Timestamp::from_micros(tenth * 100_000), 0, &policy(), at(0));
        }
        assert!(pace.samples.len() <= 340, "{}", pace.samples.len());
    }

    /// Whatever was before an opening, a resumption or a change of the policy tells nothing of what comes after it.
    #[test]
    fn an_opening_a_resumption_and_every_change_start_the_measure_anew() {
        let (opens, since) = (1_000_000_010, at(1_000_000_000));
        let policy = Policy { opens_at: Some(at(opens)), ..policy() };
        let paused = Policy { paused: true, ..policy };
        let full = Policy { max_active: 0, ..policy };
        for held in [paused, full] {
            let mut pace = Pace::default();
            // Nothing is measured while it is held, however long that was.
            assert!(!pace.observe(at(opens - 100), 0, &policy, since));
            assert!(!pace.observe(at(opens - 1), 0, &policy, since));
            assert!(!pace.observe(at(opens), 0, &policy, since), "the opening");
            pace.observe(at(opens + 10), 100, &policy, since);
            let rate = pace.rate(&policy);
            assert_eq!(rate.and_then(|rate| rate.wait(10)), Some(Duration::from_secs(1)), "10 a second");

            assert!(pace.observe(at(opens + 20), 110, &held, at(opens + 15)));
            assert!(pace.rate(&held).is_none() && pace.is_idle());
            pace.observe(at(opens + 90), 110, &held, at(opens + 15));
            assert!(pace.observe(at(opens + 100), 110, &policy, at(opens + 100)), "the resumption");
            pace.observe(at(opens + 105), 200, &policy, at(opens + 100));
            assert_eq!(pace.rate(&policy), None);
            pace.observe(at(opens + 110), 210, &policy, at(opens + 100));
            assert_eq!(pace.rate(&policy).and_then(|rate| rate.wait(10)), Some(Duration::from_secs(1)));

            assert!(pace.observe(at(opens + 111), 220, &policy, at(opens + 111)), "another policy");
            assert_eq!(pace.rate(&policy), None);
        }
    }
}
