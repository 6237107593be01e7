//! Clocks that are set back, and forth (R3): the line neither stands still nor grants more than it may.

use proptest::prelude::*;

use super::*;

const INTERVAL: i64 = 10;
const BATCH: u32 = 3;

/// A queue in which very many wait, and what time it really is while its clock says something else.
struct Clocked {
    queue: Queue,
    /// Seconds that have really passed.
    real: i64,
    /// How far the clock is from that.
    off: i64,
    granted: u64,
    next: u64,
}

impl Clocked {
    fn new() -> Self {
        let policy =
            Policy { max_active: 1_000_000, batch: BATCH, interval_seconds: 10, paused: false, opens_at: None };
        let mut queue = queue(policy);
        joined(&mut queue, 10_000);
        // Far from the beginning of time, so that a clock may go back.
        queue.policy_since = at(1_000_000);
        Self { queue, real: 0, off: 1_000_000, granted: 0, next: 1 }
    }

    /// What may be granted in that time, and so many windows besides.
    fn most(&self, besides: i64) -> u64 {
        u64::from(BATCH) * u64::try_from(1 + self.real / INTERVAL + besides).unwrap()
    }

    /// One tick of the clockwork.
    fn tick(&mut self) {
        let now = at(self.real + self.off);
        self.queue.follow_clock_back(now);
        let mut first = waiting(self.next..=self.next + 9);
        let admitted = self.queue.admit(self.granted, &mut first, &Roll::of_all(), ACTIVE, now).admitted;
        self.granted += u64::from(admitted);
        self.next += u64::from(admitted);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(i64),
    Tick,
    SetBack(i64),
    SetForth(i64),
}

/// What happens to a clock: often it just goes on.
fn steps(forth: bool) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..15_i64).prop_map(Step::Wait),
        4 => Just(Step::Tick),
        2 => prop_oneof![1..12_i64, 1..4_000_i64].prop_map(Step::SetBack),
        2 => prop_oneof![1..12_i64, 1..4_000_i64].prop_map(move |by| if forth { Step::SetForth(by) } else { Step::Tick }),
    ];
    proptest::collection::vec(step, 1..200)
}

proptest! {
    /// However often a clock is set back, no more is granted than by one that is right: a batch for each interval that has passed,
    /// and the first one. One that is set forth comes into another window by that, and to the end of that one sooner: it is taken for
    /// time that has passed, as nobody can tell.
    #[test]
    fn a_clock_that_is_set_grants_no_more_than_a_batch_an_interval_q2(steps in steps(true)) {
        let (mut clocked, mut forth) = (Clocked::new(), 0);
        for step in steps {
            match step {
                Step::Wait(seconds) => clocked.real += seconds,
                Step::Tick => clocked.tick(),
                Step::SetBack(by) => clocked.off -= by,
                Step::SetForth(by) => {
                    clocked.off += by;
                    forth += 1;
                }
            }
            clocked.tick();
            prop_assert!(clocked.granted <= clocked.most(2 * forth), "{} after {} s", clocked.granted, clocked.real);
        }
    }

    /// By how much a clock was set back: after two windows at most the line goes on at its pace.
    #[test]
    fn a_clock_that_is_set_back_stops_the_line_for_two_windows_at_most(steps in steps(false)) {
        let mut clocked = Clocked::new();
        for step in steps {
            match step {
                Step::Wait(seconds) => clocked.real += seconds,
                Step::SetBack(by) => clocked.off -= by,
                Step::Tick | Step::SetForth(_) => {}
            }
            clocked.tick();
            prop_assert!(clocked.granted <= clocked.most(0), "{} after {} s", clocked.granted, clocked.real);
        }
        let before = clocked.granted;
        for _second in 0..2 * INTERVAL {
            clocked.real += 1;
            clocked.tick();
        }
        prop_assert!(clocked.granted >= before + u64::from(BATCH));
    }
}

#[test]
fn a_clock_that_was_set_back_begins_a_new_count_with_what_is_used_r3() {
    let mut queue = queue(Policy { batch: 2, interval_seconds: 10, ..Policy::default() });
    joined(&mut queue, 9);
    assert_eq!(admit(&mut queue, 0, 1..=9, 1_000), 2);
    let (policy, version, reached) = (queue.policy, queue.line.version, queue.clone());
    assert_eq!(queue.follow_clock_back(at(990)), None, "one window is waited for");
    assert_eq!(queue, reached);
    assert_eq!(queue.follow_clock_back(at(980)), Some(Duration::from_secs(20)));
    assert_eq!((queue.policy, queue.policy_since, queue.line.version), (policy, at(980), version));
    assert_eq!(queue.follow_clock_back(at(980)), None, "once");
    for (now, admitted) in [(980, 0), (989, 0), (990, 2), (999, 0), (1_000, 2)] {
        let first = queue.line.frontier + 1;
        assert_eq!(admit(&mut queue, 2, first..=first + 3, now), admitted, "{now}");
    }
}
