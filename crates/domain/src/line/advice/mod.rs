//! When a waiting client should ask again.

use std::time::Duration;

use super::Outlook;
use crate::{TicketNumber, Timestamp};

/// The soonest that anybody is advised to ask again.
const LEAST: Duration = Duration::from_secs(1);
/// The latest, unless a third of the absence is less.
const MOST: Duration = Duration::from_secs(30);
/// In a line that admits nobody the first so many stand ready: it may be opened at any moment.
const READY: u64 = 1_000;
/// How often those ask.
const READY_EVERY: Duration = Duration::from_secs(3);
/// Whose turn is due so soon after the opening is there at the opening.
const AT_OPENING: Duration = Duration::from_secs(60);
/// Within how long after the opening all of them ask.
const OPENING: Duration = Duration::from_secs(5);

/// When a waiting client should ask again, whose place is `position`, by a `jitter` that keeps a crowd that came together from
/// coming back together.
///
/// - Where the queue admits nobody, being paused or before its opening, the first 1,000 ask every 3 s; before an opening each of
///   them as soon as the turn may have come, if that is earlier.
/// - Others whose turn is due in the first minute after an opening ask within 5 s of it.
/// - All others ask after a tenth of their wait, as it is or would be without a pause. Where nobody can know it, the place stands
///   for it.
///
/// Never sooner than after a second, nor later than after 30 s; nor later than a third of `absence`, if that is not zero, so
/// that whoever asks as advised is never taken to be absent (R22).
pub fn poll_after(outlook: &Outlook, position: u64, jitter: u8, absence: Duration, now: Timestamp) -> Duration {
    let most = if absence.is_zero() { MOST } else { (absence / 3).clamp(LEAST, MOST) };
    let policy = &outlook.policy;
    let opening = outlook.until_opening(now);
    let after = if policy.admits_nobody(now) && position <= READY {
        let every = spread(READY_EVERY, jitter);
        let due = outlook.earliest(position).filter(|_| !opening.is_zero() && !policy.paused);
        let due = due.map(|due| opening.saturating_add(due).saturating_add(part(LEAST, jitter)));
        due.map_or(every, |due| due.min(every))
    } else if !opening.is_zero() && outlook.earliest(position).is_some_and(|due| due <= AT_OPENING) {
        opening.saturating_add(part(OPENING, jitter))
    } else {
        let wait = outlook.once_open(position).and_then(|wait| wait.checked_add(opening));
        let tenth = wait.map_or_else(|| Duration::from_millis(10).saturating_mul(small(position)), |wait| wait / 10);
        spread(tenth.clamp(LEAST, most), jitter)
    };
    whole_millis(after.clamp(LEAST, most))
}

/// 90 to 110 % of it.
fn spread(span: Duration, jitter: u8) -> Duration {
    span * (900 + u32::from(jitter) * 200 / 255) / 1_000
}

/// None to all of it.
fn part(span: Duration, jitter: u8) -> Duration {
    span * u32::from(jitter) / 255
}

fn small(position: u64) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// What is finer than a millisecond is cut off, as answers have it.
fn whole_millis(span: Duration) -> Duration {
    Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// A jitter for [`poll_after`] that differs from place to place and from poll to poll. It need not be hard to foresee.
pub fn jitter(number: TicketNumber, now: Timestamp) -> u8 {
    // Fibonacci hashing: a multiplier of 2^64 divided by the golden ratio spreads neighbours evenly over the top bits.
    let mixed = (number.get() ^ now.micros().unsigned_abs()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed.to_be_bytes()[0]
}

#[cfg(test)]
mod opening;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Policy;

    const OPENS: i64 = 1_000_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// 50 a second.
    fn fast() -> Policy {
        Policy { batch: 50, interval_seconds: 1, max_active: 1_000_000, ..Policy::default() }
    }

    /// One a second.
    fn slow() -> Policy {
        Policy { batch: 1, ..fast() }
    }

    fn outlook(policy: Policy) -> Outlook {
        Outlook { policy, turn: Duration::from_secs(600), measured: None }
    }

    /// From and to how many milliseconds somebody is advised to wait.
    fn advised(policy: Policy, position: u64, now: Timestamp) -> (u128, u128) {
        let after = |jitter| poll_after(&outlook(policy), position, jitter, Duration::ZERO, now).as_millis();
        let all: Vec<_> = (0..=u8::MAX).map(after).collect();
        (all.iter().copied().min().unwrap(), all.iter().copied().max().unwrap())
    }

    #[test]
    fn polls_grow_with_the_wait_from_1_to_30_seconds() {
        for (position, from, to) in [
            (1, 1_000, 1_100),
            (50, 4_500, 5_500),
            (100, 9_000, 11_000),
            (400, 27_000, 30_000),
            (u64::MAX, 27_000, 30_000),
        ] {
            assert_eq!(advised(slow(), position, at(0)), (from, to), "{position}");
        }
    }

    /// Where nobody can know the wait the place stands for it: ten milliseconds for each.
    #[test]
    fn without_a_wait_the_place_decides() {
        let full = Policy { max_active: 0, ..fast() };
        for (position, from, to) in [(1_001, 9_009, 11_011), (1_500, 13_500, 16_500), (u64::MAX, 27_000, 30_000)] {
            assert_eq!(advised(full, position, at(0)), (from, to), "{position}");
        }
    }

    #[test]
    fn in_a_held_line_the_first_thousand_ask_every_three_seconds() {
        let (paused, full) = (Policy { paused: true, ..slow() }, Policy { max_active: 0, ..slow() });
        let before = Policy { opens_at: Some(at(OPENS)), ..slow() };
        for (policy, now) in [(paused, at(0)), (full, at(0)), (before, at(OPENS - 86_400))] {
            for position in [1, 999, 1_000] {
                assert_eq!(advised(policy, position, now), (2_700, 3_300), "{position}");
            }
            assert!(advised(policy, 1_001, now).0 > 3_300);
        }
        // The others as if there was no pause.
        assert_eq!(advised(Policy { paused: true, ..fast() }, 2_000, at(0)), (3_600, 4_400), "40 s");
    }

    /// The last poll before the opening leads to one when the turn may have come, be it in the second of the opening or later.
    #[test]
    fn the_first_thousand_ask_when_their_turn_may_have_come() {
        let before = Policy { opens_at: Some(at(OPENS)), ..fast() };
        for (position, ahead, from, to) in [
            (1, 2, 2_000, 3_000),
            (50, 2, 2_000, 3_000),
            (50, 1, 1_000, 2_000),
            (51, 1, 2_000, 3_000),
            (101, 1, 2_700, 3_300),
            (300, 1, 2_700, 3_300),
        ] {
            assert_eq!(advised(before, position, at(OPENS - ahead)), (from, to), "{position} {ahead}");
        }
    }

    /// Spread over the five seconds after it; who is further from it or from their turn asks as everybody does.
    #[test]
    fn whose_turn_is_due_in_the_first_minute_asks_within_five_seconds_of_the_opening() {
        let before = Policy { opens_at: Some(at(OPENS)), ..fast() };
        for (position, ahead, from, to) in [
            (1_001, 10, 10_000, 15_000),
            (3_050, 10, 10_000, 15_000),
            (3_051, 10, 6_391, 7_812),
            (1_001, 28, 28_000, 30_000),
            (3_050, 3_600, 30_000, 30_000),
        ] {
            assert_eq!(advised(before, position, at(OPENS - ahead)), (from, to), "{position} {ahead}");
        }
        let paused = Policy { paused: true, ..before };
        assert_eq!(advised(paused, 500, at(OPENS - 1)), (2_700, 3_300), "a pause wins");
    }

    proptest! {
        /// R22: whatever the queue is and wherever one stands in it, who asks as advised is seen three times in the time after
        /// which the absent are passed over, and never asks more often than once a second.
        #[test]
        fn who_polls_as_advised_is_never_taken_to_be_absent(
            (paused, max_active, batch, interval) in (any::<bool>(), 0..2_000_u32, 1..2_000_u32, 1..90_000_u32),
            opens_in in proptest::option::of(-1_000..100_000_i64),
            position in prop_oneof![1..3_000_u64, any::<u64>()],
            (jitter, absence) in (any::<u8>(), prop_oneof![Just(0), 2..100_u64, Just(300), 300..86_400_u64]),
        ) {
            let opens_at = opens_in.map(|seconds| at(OPENS + seconds));
            let policy = Policy { max_active, batch, interval_seconds: interval.min(86_400), paused, opens_at };
            let absence = Duration::from_secs(absence);
            let after = poll_after(&outlook(policy), position, jitter, absence, at(OPENS));
            prop_assert!(after >= LEAST && after <= MOST, "{after:?}");
            prop_assert!(absence.is_zero() || after <= (absence / 3).max(LEAST), "{after:?} of {absence:?}");
        }
    }
}
