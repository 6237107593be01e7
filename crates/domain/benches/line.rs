//! The line's snapshot with ten million in line: `cargo bench -p domain`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails by a panic")]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use domain::TicketNumber;
use domain::line::{Line, Snapshot};

const ISSUED: u64 = 10_000_000;
const CHANGES: usize = 10_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("line");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for percent in [0, 1, 30] {
        let (ended, waiting) = (1..=ISSUED)
            .map(|n| TicketNumber::new(n).unwrap())
            .partition::<Vec<_>, _>(|number| scattered(number.get()) % 100 < percent);
        let line = Line { issued: ISSUED, version: 1, ended_beyond: count(&ended), ..Line::default() };
        let snapshot = Snapshot::build(line, ended.iter().copied()).unwrap();

        group.bench_function(format!("build, {percent} % ended"), |b| {
            b.iter(|| Snapshot::build(line, ended.iter().copied()).unwrap());
        });
        look_ups(&mut group, percent, &snapshot);
        refreshes(&mut group, percent, &snapshot, &waiting);
    }
    group.finish();
    criterion.final_summary();
}

/// Look-ups of numbers in no order, so that the next one is rarely in the same block.
fn look_ups(group: &mut BenchmarkGroup<'_, WallTime>, percent: u64, snapshot: &Snapshot) {
    let numbers: Vec<u64> = (0..1 << 16).map(|n| 1 + scattered(n) % snapshot.line().waiting()).collect();
    let mut numbers = numbers.into_iter().cycle();
    group.bench_function(format!("place, {percent} % ended"), |b| {
        b.iter(|| snapshot.place(TicketNumber::new(black_box(numbers.next().unwrap())).unwrap()));
    });
    group.bench_function(format!("nth waiting, {percent} % ended"), |b| {
        b.iter(|| snapshot.nth_waiting(black_box(numbers.next().unwrap())));
    });
}

/// Refreshes as they come: some joined, one was admitted, and others left. Each is measured with dropping what it made:
/// as many blocks as a server drops with the former snapshot.
fn refreshes(group: &mut BenchmarkGroup<'_, WallTime>, percent: u64, snapshot: &Snapshot, waiting: &[TicketNumber]) {
    let first = waiting.first().unwrap().get();
    let middle = waiting.len() / 2;
    for (who, ended) in [
        ("nobody", vec![]),
        ("100 all over", waiting.iter().copied().skip(1).step_by(waiting.len() / 100).collect()),
        ("10 k all over", waiting.iter().copied().skip(1).step_by(waiting.len() / CHANGES).collect()),
        ("10 k in a row", waiting.iter().copied().skip(middle).take(CHANGES).collect::<Vec<_>>()),
    ] {
        let was = *snapshot.line();
        let line = Line {
            issued: was.issued + 1_000,
            frontier: first,
            ended_beyond: was.ended_beyond - (first - 1) + count(&ended),
            version: was.version + 1,
            ..was
        };
        group.bench_function(format!("refresh, {percent} % ended, then {who}"), |b| {
            b.iter(|| snapshot.refresh(line, ended.iter().copied()).unwrap());
        });
    }
}

fn count(numbers: &[TicketNumber]) -> u64 {
    numbers.len().try_into().unwrap()
}

/// A number that looks random but is the same in every run.
fn scattered(n: u64) -> u64 {
    let mixed = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 31
}
