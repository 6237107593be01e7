//! How fast a queue admits: the policy, its bounds, and the window of grants (R3).

use std::time::Duration;

use crate::{FieldError, Rejection, Timestamp, Wrong};

/// How many tokens a queue admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// At most so many ACTIVE tokens at once, 0 to [`Policy::MAX_ACTIVE`].
    pub max_active: u32,
    /// At most so many admissions in one window, 1 to [`Policy::MAX_BATCH`].
    pub batch: u32,
    /// The length of a window, 1 to [`Policy::MAX_INTERVAL_SECONDS`].
    pub interval_seconds: u32,
    /// Whether nobody is admitted for now.
    pub paused: bool,
}

impl Policy {
    /// The largest `max_active`: ten million, above any hall and any crowd inside it.
    pub const MAX_ACTIVE: u32 = 10_000_000;
    /// The largest `batch`, the same.
    pub const MAX_BATCH: u32 = 10_000_000;
    /// The longest window, a day.
    pub const MAX_INTERVAL_SECONDS: u32 = 86_400;

    /// The length of a window.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.interval_seconds))
    }

    /// Says which values are out of their bounds, if any.
    pub fn check(&self) -> Result<(), Rejection> {
        let bounds = [
            ("max_active", self.max_active, 0, Self::MAX_ACTIVE),
            ("batch", self.batch, 1, Self::MAX_BATCH),
            ("interval_seconds", self.interval_seconds, 1, Self::MAX_INTERVAL_SECONDS),
        ];
        let errors: Vec<_> = bounds
            .into_iter()
            .filter(|(_, value, least, most)| value < least || value > most)
            .map(|(field, _, least, most)| {
                FieldError::new(field, Wrong::Number { least: least.into(), most: most.into() })
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(Rejection::Invalid(errors)) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_active: 100, batch: 10, interval_seconds: 10, paused: false }
    }
}

/// A change of a policy: only what is named changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// See [`Policy::max_active`].
    pub max_active: Option<u32>,
    /// See [`Policy::batch`].
    pub batch: Option<u32>,
    /// See [`Policy::interval_seconds`].
    pub interval_seconds: Option<u32>,
    /// See [`Policy::paused`].
    pub paused: Option<bool>,
}

impl PolicyChange {
    /// The policy after this change, if it stays in bounds.
    pub fn apply(&self, policy: &Policy) -> Result<Policy, Rejection> {
        let changed = Policy {
            max_active: self.max_active.unwrap_or(policy.max_active),
            batch: self.batch.unwrap_or(policy.batch),
            interval_seconds: self.interval_seconds.unwrap_or(policy.interval_seconds),
            paused: self.paused.unwrap_or(policy.paused),
        };
        changed.check().map(|()| changed)
    }
}

/// The window of grants that is running, and how many of its grants are used (R3).
///
/// `index = floor((now - policy_since) / interval)`. A later window starts with all its grants; what an earlier one
/// left unused is gone. A clock that steps back stays in the window it had reached, so that it grants nothing twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Which window since the policy began.
    pub index: u64,
    /// How many tokens were admitted in it.
    pub granted: u32,
}

impl Window {
    /// The window at `now`, with what is used of it.
    #[must_use]
    pub fn at(self, policy: &Policy, since: Timestamp, now: Timestamp) -> Self {
        let index = now.since(since).as_micros() / policy.interval().as_micros().max(1);
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        if index > self.index { Self { index, granted: 0 } } else { self }
    }

    /// How many grants it has left; none while paused.
    pub fn left(self, policy: &Policy) -> u32 {
        if policy.paused { 0 } else { policy.batch.saturating_sub(self.granted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_policy() {
        let good = Policy { max_active: 0, batch: 1, interval_seconds: 1, paused: false };
        assert_eq!(good.check(), Ok(()));
        for (bad, field) in [
            (Policy { batch: 0, ..good }, "batch"),
            (Policy { interval_seconds: 0, ..good }, "interval_seconds"),
            (Policy { interval_seconds: 86_401, ..good }, "interval_seconds"),
            (Policy { max_active: 10_000_001, ..good }, "max_active"),
        ] {
            let Err(Rejection::Invalid(errors)) = bad.check() else { panic!("{field}") };
            assert_eq!(errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), [field]);
        }
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let policy = Policy::default();
        let change = PolicyChange { paused: Some(true), ..PolicyChange::default() };
        assert_eq!(change.apply(&policy), Ok(Policy { paused: true, ..policy }));
    }

    #[test]
    fn a_window_ends_exactly_at_the_interval_and_carries_nothing_over_r3() {
        let policy = Policy { interval_seconds: 10, batch: 3, ..Policy::default() };
        let since = Timestamp::from_micros(5_000_000);
        let used = Window { index: 0, granted: 1 };
        for (micros, window) in [
            (14_999_999, Window { index: 0, granted: 1 }),
            (15_000_000, Window { index: 1, granted: 0 }),
            (25_000_000, Window { index: 2, granted: 0 }),
        ] {
            assert_eq!(used.at(&policy, since, Timestamp::from_micros(micros)), window, "{micros}");
        }
        assert_eq!(Window { index: 2, granted: 0 }.left(&policy), 3, "not 3 + 2 + 3");
    }

    #[test]
    fn a_clock_that_steps_back_grants_nothing_twice_q2() {
        let policy = Policy::default();
        let reached = Window { index: 7, granted: 10 };
        let stepped_back = reached.at(&policy, Timestamp::from_micros(0), Timestamp::from_micros(1));
        assert_eq!((stepped_back, stepped_back.left(&policy)), (reached, 0));
    }
}
