//! How fast a queue admits and from when on: the policy, its bounds, and the window of grants (R3, R19).

use std::time::Duration;

use crate::{Edit, FieldError, LocalTime, Rejection, Timestamp, Wrong};

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
    /// When the queue opens: nobody is admitted before (R19). Within the years 2000 to 2199, UTC.
    pub opens_at: Option<Timestamp>,
}

impl Policy {
    /// The largest `max_active`: ten million, above any hall and any crowd inside it.
    pub const MAX_ACTIVE: u32 = 10_000_000;
    /// The largest `batch`, the same.
    pub const MAX_BATCH: u32 = 10_000_000;
    /// The longest window, a day.
    pub const MAX_INTERVAL_SECONDS: u32 = 86_400;

    /// R19: whether the queue has not opened yet.
    pub fn is_before_opening(&self, now: Timestamp) -> bool {
        self.opens_at.is_some_and(|opens_at| !opens_at.is_over(now))
    }

    /// R3, R19: whether nobody is admitted, whatever room there is: it is paused, or has not opened yet.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.paused || self.is_before_opening(now)
    }

    /// Whether nobody can be admitted whoever ends their turn: it is held, or has no places at all.
    pub fn admits_nobody(&self, now: Timestamp) -> bool {
        self.is_held(now) || self.max_active == 0
    }

    /// Since when the windows of a policy are counted that holds since `since`: from the opening, if that is later (R19).
    pub fn counts_from(&self, since: Timestamp) -> Timestamp {
        self.opens_at.map_or(since, |opens_at| opens_at.max(since))
    }

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
        let mut errors: Vec<_> = bounds
            .into_iter()
            .filter(|(_, value, least, most)| value < least || value > most)
            .map(|(field, _, least, most)| {
                FieldError::new(field, Wrong::Number { least: least.into(), most: most.into() })
            })
            .collect();
        let (first, last) = (LocalTime::FIRST_DATE, LocalTime::LAST_DATE);
        if self.opens_at.is_some_and(|opens_at| !(first..=last).contains(&opens_at.to_utc().date())) {
            errors.push(FieldError::new("opens_at", Wrong::DateOutside { first, last }));
        }
        if errors.is_empty() { Ok(()) } else { Err(Rejection::Invalid(errors)) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_active: 100, batch: 10, interval_seconds: 10, paused: false, opens_at: None }
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
    /// See [`Policy::opens_at`].
    pub opens_at: Edit<Timestamp>,
}

impl PolicyChange {
    /// The policy after this change, if it stays in bounds.
    pub fn apply(&self, policy: &Policy) -> Result<Policy, Rejection> {
        let changed = Policy {
            max_active: self.max_active.unwrap_or(policy.max_active),
            batch: self.batch.unwrap_or(policy.batch),
            interval_seconds: self.interval_seconds.unwrap_or(policy.interval_seconds),
            paused: self.paused.unwrap_or(policy.paused),
            opens_at: self.opens_at.apply(policy.opens_at),
        };
        changed.check().map(|()| changed)
    }
}

/// The window of grants that is running, and how many of its grants are used (R3).
///
/// `index = floor((now - max(policy_since, opens_at)) / interval)`. A later window starts with all its grants; what an earlier one
/// left unused is gone. A clock that steps back stays in the window it had reached, so that it grants nothing twice; one that
/// was set back far is not waited for, see [`Window::is_ahead`].
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
        let index = now.since(policy.counts_from(since)).as_micros() / policy.interval().as_micros().max(1);
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        if index > self.index { Self { index, granted: 0 } } else { self }
    }

    /// By how much the clock is behind the beginning of this window, if that is more than a window is long: it was set back, and
    /// would have to catch up before anybody is granted anything.
    /// Before the opening nobody is, whatever the clock says (R19).
    pub fn is_ahead(self, policy: &Policy, since: Timestamp, now: Timestamp) -> Option<Duration> {
        if policy.is_before_opening(now) {
            return None;
        }
        let length = u64::try_from(policy.interval().as_micros()).unwrap_or(u64::MAX);
        let began = policy.counts_from(since).plus(Duration::from_micros(length.saturating_mul(self.index)));
        Some(began.since(now)).filter(|behind| *behind > policy.interval())
    }

    /// How many grants it has left; none while the queue is paused or has not opened (R19).
    pub fn left(self, policy: &Policy, now: Timestamp) -> u32 {
        if policy.is_held(now) { 0 } else { policy.batch.saturating_sub(self.granted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LocalTime;

    /// A policy of which the queue opens then.
    fn opening(text: &str) -> Policy {
        Policy { opens_at: Some(LocalTime::parse(text).unwrap().at()), ..Policy::default() }
    }

    #[test]
    fn bounds_of_a_policy() {
        let good = Policy { max_active: 0, batch: 1, interval_seconds: 1, ..Policy::default() };
        assert_eq!(good.check(), Ok(()));
        for (bad, field) in [
            (Policy { batch: 0, ..good }, "batch"),
            (Policy { interval_seconds: 0, ..good }, "interval_seconds"),
            (Policy { interval_seconds: 86_401, ..good }, "interval_seconds"),
            (Policy { max_active: 10_000_001, ..good }, "max_active"),
            (opening("1999-12-31T23:59:59.999999Z"), "opens_at"),
            (opening("2200-01-01T00:00:00Z"), "opens_at"),
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
        let now = Timestamp::from_micros(25_000_000);
        assert_eq!(Window { index: 2, granted: 0 }.left(&policy, now), 3, "not 3 + 2 + 3");
    }

    #[test]
    fn a_queue_opens_within_the_years_2000_to_2199_r19() {
        for text in ["2000-01-01T00:00:00Z", "2000-01-01T09:00:00+09:00", "2199-12-31T23:59:59.999999Z"] {
            assert_eq!(opening(text).check(), Ok(()), "{text}");
        }
    }

    /// Nothing is granted before, and the first window begins with the opening, however long the policy has held by then.
    #[test]
    fn windows_count_from_the_opening_r19() {
        let policy = Policy { batch: 3, ..opening("2026-12-24T20:00:00Z") };
        let (opens_at, since) = (policy.opens_at.unwrap(), Timestamp::from_micros(7));
        for (micros, index, left) in [
            (-86_400_000_000, 0, 0),
            (-1, 0, 0),
            (0, 0, 3),
            (1, 0, 3),
            (9_999_999, 0, 3),
            (10_000_000, 1, 3),
            (19_999_999, 1, 3),
            (20_000_000, 2, 3),
        ] {
            let now = Timestamp::from_micros(opens_at.micros() + micros);
            let window = Window::default().at(&policy, since, now);
            assert_eq!((window.index, window.left(&policy, now)), (index, left), "{micros}");
        }
        // A policy that came into force after the opening counts from itself.
        let since = Timestamp::from_micros(opens_at.micros() + 15_000_000);
        let now = Timestamp::from_micros(opens_at.micros() + 24_999_999);
        assert_eq!(Window::default().at(&policy, since, now).index, 0);
        assert_eq!(Window::default().at(&policy, since, Timestamp::from_micros(now.micros() + 1)).index, 1);
    }

    #[test]
    fn a_pause_wins_over_an_opening_r19() {
        let open = opening("2026-12-24T20:00:00Z");
        let (before, at) = (Timestamp::from_micros(0), open.opens_at.unwrap());
        for (paused, now, held) in [(false, before, true), (false, at, false), (true, before, true), (true, at, true)] {
            assert_eq!(Policy { paused, ..open }.is_held(now), held, "{paused} {now}");
        }
        assert!(!Policy::default().is_held(before), "without an opening");
    }

    #[test]
    fn an_opening_is_left_set_or_taken_away_r19() {
        let policy = opening("2026-12-24T20:00:00Z");
        let later = opening("2026-12-25T20:00:00Z").opens_at;
        for (opens_at, after) in [
            (Edit::Keep, policy.opens_at),
            (Edit::Clear, None),
            (later.map_or(Edit::Keep, Edit::Set), later),
            (Edit::Set(Timestamp::from_micros(0)), None),
        ] {
            let changed = PolicyChange { opens_at, ..PolicyChange::default() }.apply(&policy);
            match opens_at {
                Edit::Set(at) if at.micros() == 0 => assert!(changed.is_err(), "{changed:?}"),
                _ => assert_eq!(changed, Ok(Policy { opens_at: after, ..policy })),
            }
        }
    }

    #[test]
    fn a_clock_that_steps_back_grants_nothing_twice_q2() {
        let policy = Policy::default();
        let reached = Window { index: 7, granted: 10 };
        let stepped_back = reached.at(&policy, Timestamp::from_micros(0), Timestamp::from_micros(1));
        assert_eq!((stepped_back, stepped_back.left(&policy, Timestamp::from_micros(1))), (reached, 0));
    }

    #[test]
    fn a_clock_is_waited_for_while_it_is_behind_by_no_more_than_a_window_r3() {
        let (policy, since) = (Policy { interval_seconds: 10, ..Policy::default() }, Timestamp::from_micros(5_000_000));
        for (index, began) in [(0, 5_000_000), (7, 75_000_000)] {
            let window = Window { index, granted: 3 };
            for (behind, told) in [(-1, None), (0, None), (10_000_000, None), (10_000_001, Some(10_000_001))] {
                let now = Timestamp::from_micros(began - behind);
                assert_eq!(window.is_ahead(&policy, since, now), told.map(Duration::from_micros), "{index} {behind}");
            }
        }
        let endless = Window { index: u64::MAX, granted: 0 };
        assert!(endless.is_ahead(&policy, since, since).is_some(), "however far it is");
    }
}
