//! The timeline in as many points as a chart can show.

use super::super::figures::float;
use super::super::{Latency, Second};

/// No chart has more points.
const MOST: usize = 360;

/// How many seconds a slice may have, unless even the last is too short.
const WIDTHS: [usize; 13] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/// A few successive seconds, as one point.
pub(super) struct Slice {
    /// The first second of it.
    pub(super) second: u64,
    /// Answers a second, the mean.
    pub(super) answers: f64,
    /// Polls a second, the mean.
    pub(super) polls: f64,
    /// Failures, the sum.
    pub(super) failures: u64,
    /// Of each percentile the worst; nothing if there was no answer.
    pub(super) latency: Option<Latency>,
    /// People in line, at its end.
    pub(super) waiting: u64,
    /// People whose turn it is, at its end.
    pub(super) active: u64,
    /// Seats sold, at its end.
    pub(super) sold: u64,
}

/// How many seconds a slice of this timeline has: as few as may be.
pub(super) fn width(timeline: &[Second]) -> usize {
    let seconds = timeline.len();
    WIDTHS.into_iter().find(|width| seconds.div_ceil(*width) <= MOST).unwrap_or(seconds.div_ceil(MOST))
}

/// The timeline in slices of `width` seconds; the last may be shorter.
pub(super) fn slices(timeline: &[Second], width: usize) -> Vec<Slice> {
    timeline.chunks(width.max(1)).filter_map(slice).collect()
}

fn slice(seconds: &[Second]) -> Option<Slice> {
    let (first, last) = (seconds.first()?, seconds.last()?);
    let sum = |of: fn(&Second) -> u64| seconds.iter().map(of).sum::<u64>();
    let mean = |sum: u64| float(sum) / float(u64::try_from(seconds.len()).unwrap_or(u64::MAX));
    let worst = |of: fn(&Latency) -> f64| seconds.iter().map(|second| of(&second.latency)).fold(0.0, f64::max);
    let answers = sum(|second| second.answers);
    Some(Slice {
        second: first.second,
        answers: mean(answers),
        polls: mean(sum(|second| second.polls)),
        failures: sum(|second| second.failures),
        latency: (answers > 0).then(|| Latency {
            p50: worst(|latency| latency.p50),
            p95: worst(|latency| latency.p95),
            p99: worst(|latency| latency.p99),
            p999: worst(|latency| latency.p999),
            max: worst(|latency| latency.max),
        }),
        waiting: last.waiting,
        active: last.active,
        sold: last.sold,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;

    #[test]
    fn a_slice_is_as_short_as_may_be() {
        for (seconds, wide) in [(0, 1), (1, 1), (360, 1), (361, 2), (721, 5), (3600, 10), (7201, 30), (86_400, 300)] {
            assert_eq!(width(&fixture::long(seconds).timeline), wide, "{seconds}");
        }
    }

    #[test]
    fn a_slice_tells_means_sums_the_worst_and_the_last() {
        let second = |second, answers, failures, p99, waiting| Second {
            second,
            answers,
            failures,
            latency: Latency { p99, ..Latency::default() },
            waiting,
            ..Second::default()
        };
        let slices = slices(&[second(0, 10, 1, 9.0, 5), second(1, 20, 2, 4.0, 7), second(2, 0, 0, 0.0, 3)], 2);
        let [two, one] = slices.as_slice() else { panic!("{} slices", slices.len()) };
        assert_eq!((two.second, two.answers, two.failures, two.waiting), (0, 15.0, 3, 7));
        assert_eq!(two.latency.map(|latency| latency.p99), Some(9.0));
        assert_eq!((one.second, one.answers, one.waiting), (2, 0.0, 3));
        assert!(one.latency.is_none());
    }
}
