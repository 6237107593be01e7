//! What is counted while a rehearsal runs, and the figures that come of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::answers::{Moment, Points};
use crate::operation::Operation;
use crate::report::{Latency, Operation as OperationReport, Outages, People, Sale, Second, WaitRange, Waits};

/// The longest latency that is told apart, in microseconds; what took longer counts as so long.
const LONGEST: u64 = 120_000_000;
/// Ranges of the distribution of waits, at most.
const RANGES: usize = 40;

/// What became of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Bought,
    EmptyHanded,
    GaveUp,
}

/// Counts, for all people at once.
pub(crate) struct Recorder {
    started: Instant,
    counts: Mutex<Counts>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) arrived: u64,
    pub(crate) waiting: u64,
    pub(crate) active: u64,
    pub(crate) bought: u64,
    pub(crate) sold: u64,
}

/// All that is counted.
#[derive(Default)]
pub(crate) struct Counts {
    /// How many seats there are.
    seats: u64,
    operations: BTreeMap<Operation, Tally>,
    people: People,
    /// Those in line, and those whose turn it is.
    waiting: u64,
    active: u64,
    sale: Sale,
    outages: Outages,
    waits: Vec<f64>,
    timeline: Vec<Second>,
    /// The second that is under way, and how long its answers took.
    current: Second,
    took: Times,
}

/// One operation's answers.
#[derive(Default)]
struct Tally {
    took: Times,
    outcomes: BTreeMap<String, u64>,
}

/// Latencies, in microseconds, to three digits. Made when the first comes.
#[derive(Default)]
struct Times(Option<Histogram<u64>>);

impl Times {
    fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST).clamp(1, LONGEST);
        if self.0.is_none() {
            self.0 = Histogram::new_with_bounds(1, LONGEST, 3).ok();
        }
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(micros);
        }
    }

    fn clear(&mut self) {
        if let Some(histogram) = &mut self.0 {
            histogram.reset();
        }
    }

    fn latency(&self) -> Latency {
        let Some(histogram) = self.0.as_ref().filter(|histogram| !histogram.is_empty()) else {
            return Latency::default();
        };
        let at = |quantile| milliseconds(histogram.value_at_quantile(quantile));
        Latency { p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: milliseconds(histogram.max()) }
    }
}

fn milliseconds(micros: u64) -> f64 {
    f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0
}

impl Recorder {
    /// That began at `started`, with so many seats for sale.
    pub(crate) fn new(started: Instant, seats: u64) -> Self {
        Self { started, counts: Mutex::new(Counts { seats, ..Counts::default() }) }
    }

    /// Seconds since it began.
    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// All that is counted, with the second that it is now.
    pub(crate) fn counts(&self) -> MutexGuard<'_, Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.close_seconds_before(self.started.elapsed().as_secs());
        counts
    }

    /// An answer came, or a connection broke, so long after it was due.
    pub(crate) fn answered(&self, operation: Operation, outcome: &str, took: Duration, failed: bool) {
        self.counts().answered(operation, outcome, took, failed);
    }

    /// Seats were paid for.
    pub(crate) fn paid(&self, seats: u64, amount: Points) {
        let at = self.seconds();
        self.counts().paid(seats, amount, at);
    }
}

impl Counts {
    fn close_seconds_before(&mut self, now: u64) {
        while self.current.second < now {
            self.close_second();
        }
    }

    fn close_second(&mut self) {
        let (waiting, active, sold) = (self.waiting, self.active, self.sale.sold);
        let next = Second { second: self.current.second + 1, ..Second::default() };
        let ended = std::mem::replace(&mut self.current, next);
        self.timeline.push(Second { latency: self.took.latency(), waiting, active, sold, ..ended });
        self.took.clear();
    }

    fn answered(&mut self, operation: Operation, outcome: &str, took: Duration, failed: bool) {
        let tally = self.operations.entry(operation).or_default();
        tally.took.add(took);
        match tally.outcomes.get_mut(outcome) {
            Some(count) => *count += 1,
            None => drop(tally.outcomes.insert(outcome.to_owned(), 1)),
        }
        self.took.add(took);
        self.current.answers += 1;
        self.current.polls += u64::from(operation == Operation::Poll);
        self.current.failures += u64::from(failed);
    }

    /// Somebody came.
    pub(crate) fn arrived(&mut self) {
        self.people.arrived += 1;
        self.current.arrived += 1;
    }

    /// Somebody stands in line.
    pub(crate) fn waits(&mut self) {
        self.waiting += 1;
    }

    /// Somebody's turn came, after standing in line if `waited`.
    pub(crate) fn admitted(&mut self, waited: bool, issued_at: Option<Moment>, activated_at: Option<Moment>) {
        self.waiting = self.waiting.saturating_sub(u64::from(waited));
        self.active += 1;
        self.current.admitted += 1;
        if let (Some(issued), Some(activated)) = (issued_at, activated_at) {
            self.waits.push(activated.seconds_since(issued));
        }
    }

    /// Somebody goes, out of line (`waited`) or after a turn (`active`).
    pub(crate) fn goes(&mut self, fate: Fate, waited: bool, active: bool) {
        self.waiting = self.waiting.saturating_sub(u64::from(waited));
        self.active = self.active.saturating_sub(u64::from(active));
        match fate {
            Fate::Bought => self.people.bought += 1,
            Fate::EmptyHanded => self.people.empty_handed += 1,
            Fate::GaveUp => self.people.gave_up += 1,
        }
    }

    fn paid(&mut self, seats: u64, amount: Points, at: f64) {
        self.sale.sold += seats;
        self.sale.payments += 1;
        self.sale.revenue += u64::try_from(amount.0 / 100).unwrap_or(0);
        if self.sold_out() && self.sale.sold_out_after.is_none() {
            self.sale.sold_out_after = Some(at);
        }
    }

    /// Whether every seat is paid for.
    pub(crate) fn sold_out(&self) -> bool {
        self.sale.sold >= self.seats
    }

    /// What was seen of servers that were away, to be added to.
    pub(crate) fn outages(&mut self) -> &mut Outages {
        &mut self.outages
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        let People { arrived, bought, .. } = self.people;
        Standing { arrived, waiting: self.waiting, active: self.active, bought, sold: self.sale.sold }
    }

    /// How many answers came in the last whole second.
    pub(crate) fn rate(&self) -> u64 {
        self.timeline.last().map_or(0, |second| second.answers)
    }

    /// What became of the people; those who are still there are unfinished.
    pub(crate) fn people(&self) -> People {
        let done = self.people.bought + self.people.empty_handed + self.people.gave_up;
        People { unfinished: self.people.arrived.saturating_sub(done), ..self.people }
    }

    /// What was sold so far.
    pub(crate) fn sale(&self) -> Sale {
        self.sale
    }

    /// Every operation that was used.
    pub(crate) fn operations(&self) -> Vec<OperationReport> {
        let report = |(operation, tally): (&Operation, &Tally)| OperationReport {
            name: operation.name().to_owned(),
            answers: tally.outcomes.values().sum(),
            latency: tally.took.latency(),
            outcomes: tally.outcomes.clone(),
        };
        self.operations.iter().map(report).collect()
    }

    /// Every second, the one under way included when there was anything in it.
    pub(crate) fn timeline(&mut self) -> Vec<Second> {
        if self.current.answers + self.current.arrived > 0 || self.timeline.is_empty() {
            self.close_second();
        }
        self.timeline.clone()
    }

    /// How long people stood in line whose turn came.
    pub(crate) fn waits_report(&mut self) -> Waits {
        self.waits.sort_by(f64::total_cmp);
        let waits = &self.waits;
        let Some(max) = waits.last().copied() else { return Waits::default() };
        let at =
            |percent: usize| waits.get((waits.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(max);
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let width = range_width(max);
        let mut ranges = Vec::new();
        let (mut below, mut bound) = (0, width);
        while below < waits.len() {
            let until = waits.partition_point(|wait| *wait <= bound);
            ranges.push(WaitRange { up_to_seconds: bound, people: count(until - below) });
            (below, bound) = (until, bound + width);
        }
        Waits { people: count(waits.len()), p50: at(50), p95: at(95), p99: at(99), max, ranges }
    }
}

/// A width of 1, 2 or 5 times a power of ten, at least a tenth of a second, so that there are at most [`RANGES`] up to `max`.
fn range_width(max: f64) -> f64 {
    let mut power = 0.1;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if max <= power * step * f64::from(u32::try_from(RANGES).unwrap_or(1)) {
                return power * step;
            }
        }
        power *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_add_up() {
        let mut counts = Counts::default();
        for _ in 0..5 {
            counts.arrived();
            counts.waits();
        }
        counts.admitted(true, Some(Moment(0)), Some(Moment(2_000_000)));
        counts.admitted(true, Some(Moment(0)), Some(Moment(3_000_000)));
        counts.goes(Fate::Bought, false, true);
        counts.goes(Fate::EmptyHanded, false, true);
        counts.goes(Fate::GaveUp, true, false);
        let People { arrived, bought, empty_handed, gave_up, unfinished } = counts.people();
        assert_eq!([arrived, bought, empty_handed, gave_up, unfinished], [5, 1, 1, 1, 2]);
        assert_eq!(counts.standing(), Standing { arrived: 5, waiting: 2, active: 0, bought: 1, sold: 0 });
    }

    #[test]
    fn it_is_sold_out_when_the_last_seat_is_paid_for() {
        let mut counts = Counts { seats: 5, ..Counts::default() };
        counts.paid(4, Points(40_000), 7.0);
        assert_eq!((counts.sold_out(), counts.sale().sold_out_after), (false, None));
        counts.paid(1, Points(10_000), 8.0);
        assert_eq!((counts.sold_out(), counts.sale().sold_out_after), (true, Some(8.0)));
        assert_eq!((counts.sale().sold, counts.sale().payments, counts.sale().revenue), (5, 2, 500));
    }

    #[test]
    fn every_second_is_there_once_also_those_without_answers() {
        let mut counts = Counts::default();
        counts.answered(Operation::Poll, "200", Duration::from_millis(4), false);
        counts.answered(Operation::Hold, "503 overloaded", Duration::from_millis(9), true);
        counts.close_seconds_before(3);
        counts.answered(Operation::Poll, "200", Duration::from_millis(2), false);
        let timeline = counts.timeline();
        assert_eq!(timeline.iter().map(|second| second.second).collect::<Vec<_>>(), [0, 1, 2, 3]);
        let figures = |second: &Second| [second.answers, second.polls, second.failures];
        assert_eq!(timeline.iter().map(figures).collect::<Vec<_>>(), [[2, 1, 1], [0, 0, 0], [0, 0, 0], [1, 1, 0]]);
        assert!((timeline[0].latency.max - 9.0).abs() < 0.1 && timeline[1].latency.max == 0.0);
        let operations = counts.operations();
        assert_eq!(
            operations.iter().map(|one| (&*one.name, one.answers)).collect::<Vec<_>>(),
            [("poll", 2), ("hold", 1)]
        );
    }

    #[test]
    fn waits_are_told_in_ranges_of_a_round_width() {
        let mut counts = Counts::default();
        for second in 0..=70 {
            counts.admitted(false, Some(Moment(0)), Some(Moment(second * 1_000_000)));
        }
        let waits = counts.waits_report();
        assert_eq!((waits.people, waits.ranges.len()), (71, 35));
        assert!((waits.p50, waits.p95, waits.max) == (35.0, 67.0, 70.0), "{waits:?}");
        assert_eq!(waits.ranges.iter().map(|range| range.people).sum::<u64>(), 71);
        assert_eq!(waits.ranges[0].people, 3, "0, 1 and 2 seconds");
        for (max, width) in [(0.0, 0.1), (4.0, 0.1), (4.1, 0.2), (40.0, 1.0), (700.0, 20.0)] {
            assert!((range_width(max) - width).abs() < 1e-9, "{max}");
        }
    }
}
