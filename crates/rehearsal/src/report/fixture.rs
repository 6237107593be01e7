//! Reports to render in tests: made by arithmetic, so that they are the same everywhere.

use std::collections::BTreeMap;

use super::figures::float;
use super::{
    Ending, Fairness, Latency, Operation, Outages, People, Report, Sale, Second, Setup, Violation, WaitRange, Waits,
};

const SECONDS: u64 = 124;
const PEOPLE: u64 = 100_000;
const SEATS: u64 = 10_000;
const ADMITTED_A_SECOND: u64 = 900;

/// Two minutes, a hundred thousand people, every seat sold, a server away for four seconds, no promise broken.
pub(in crate::report) fn report() -> Report {
    let (timeline, waits) = play();
    let turns = waits.people;
    Report {
        setup: setup(),
        started_at: String::from("2026-11-26T11:00:00Z"),
        seconds: 123.6,
        ending: Ending::EverybodyDone,
        people: People {
            arrived: PEOPLE,
            bought: 5204,
            empty_handed: turns - 5204,
            gave_up: PEOPLE - turns,
            unfinished: 0,
        },
        sale: Sale {
            sold: SEATS,
            payments: 5204,
            revenue: 1_196_350_000,
            sold_out_after: Some(107.2),
            people_per_minute: 53_870.4,
        },
        operations: operations(),
        timeline,
        waits,
        fairness: Fairness { positions: 812_344, rises: 0, turns, inversions: 0 },
        outages: Outages { overloaded: 0, unavailable: 41, broken: 94, repeated: 135, lost_on_purpose: 52 },
        violation_counts: BTreeMap::new(),
        violations: Vec::new(),
    }
}

/// The same with violations, one of which tries to break out of the page and of the terminal.
pub(in crate::report) fn broken() -> Report {
    let mut report = report();
    report.violation_counts = BTreeMap::from([(String::from("position_rose"), 3), (String::from("seat_twice"), 101)]);
    report.fairness.rises = 3;
    report.violations = vec![
        Violation {
            kind: String::from("seat_twice"),
            at: 31.4,
            what: String::from("seat 4711 belongs to reservation 0193a1 and to 0193a2 at once"),
            exchange: String::from(
                "POST /api/v1/reservations\n{\"seat_ids\":[\"0193a0c4-7b1e-7c43-9d5f-2f6d8a1b3c4d\"]}\n\n\
                 201\n{\"id\":\"0193a2\",\"user_id\":\"person-90210\",\"seats\":[{\"number\":4711,\"price\":120000}],\
                 \"status\":\"PENDING\",\"expires_at\":\"2026-11-26T11:05:31.412Z\"}",
            ),
        },
        Violation {
            kind: String::from("position_rose"),
            at: 61.02,
            what: String::from("<script>alert('x')</script> & \"quotes\" \u{1b}[31mred\u{7}"),
            exchange: String::from(
                "GET /api/v1/queue/tokens/me\n\n200\n</pre><img src=x onerror=\"alert(1)\">\u{202e}",
            ),
        },
    ];
    report
}

/// One that was stopped before anything happened.
pub(in crate::report) fn empty() -> Report {
    Report {
        setup: setup(),
        started_at: String::from("2026-11-26T11:00:00Z"),
        seconds: 0.0,
        ending: Ending::Interrupted,
        people: People::default(),
        sale: Sale::default(),
        operations: Vec::new(),
        timeline: Vec::new(),
        waits: Waits::default(),
        fairness: Fairness::default(),
        outages: Outages::default(),
        violation_counts: BTreeMap::new(),
        violations: Vec::new(),
    }
}

/// One that was over within a second.
pub(in crate::report) fn one_second() -> Report {
    let mut report = report();
    report.timeline.truncate(1);
    report.seconds = 0.8;
    report.waits = Waits {
        people: 1,
        p50: 0.2,
        p95: 0.2,
        p99: 0.2,
        max: 0.2,
        ranges: vec![WaitRange { up_to_seconds: 0.2, people: 1 }],
    };
    report
}

/// One of `seconds` seconds: the same two minutes again and again.
pub(in crate::report) fn long(seconds: u64) -> Report {
    let mut report = report();
    let played = report.timeline;
    report.timeline =
        played.iter().cycle().zip(0..seconds).map(|(moment, second)| Second { second, ..*moment }).collect();
    report.seconds = float(seconds);
    report
}

fn setup() -> Setup {
    Setup {
        servers: vec![String::from("http://127.0.0.1:8081"), String::from("http://127.0.0.1:8082")],
        people: PEOPLE,
        seats: SEATS,
        schedules: 10,
        pattern: String::from("rush"),
        arrival_seconds: 50.0,
        seed: 7,
        connections: 512,
        until_sold_out: false,
        outages_expected: true,
    }
}

/// Second by second: people come in a rush; 900 a second are admitted, in the order in which they came.
fn play() -> (Vec<Second>, Waits) {
    let weights: u64 = (0..50).map(|second| (50 - second) * (50 - second)).sum();
    let mut timeline = Vec::new();
    let mut arrivals = Vec::new();
    let mut waited: Vec<u64> = Vec::new();
    for second in 0..SECONDS {
        let arrived = if second < 50 { PEOPLE * (50 - second) * (50 - second) / weights } else { 0 };
        // Three of a hundred leave at once.
        arrivals.extend((0..arrived - arrived * 3 / 100).map(|_| second));
        let before = waited.len();
        let admitted = ADMITTED_A_SECOND.min(size(arrivals.len() - before));
        waited.extend(arrivals.iter().skip(before).zip(0..admitted).map(|(came, _)| second - came));
        let waiting = size(arrivals.len() - waited.len());
        let polls = waiting / 8 + admitted;
        let failures = if (58..62).contains(&second) { 12 + second % 5 * 9 } else { 0 };
        timeline.push(Second {
            second,
            arrived,
            answers: polls + arrived + admitted * 5 + second * 7919 % 331,
            polls,
            failures,
            latency: latency(second * 7919 % 13 + polls / 900 + failures * 20),
            admitted,
            waiting,
            active: if admitted == 0 { 0 } else { 1800 + second * 7919 % 200 },
            sold: SEATS.min(second.saturating_sub(2) * 94 + second * second / 70),
        });
    }
    (timeline, waits(&mut waited))
}

fn waits(waited: &mut [u64]) -> Waits {
    waited.sort_unstable();
    let at = |per_mille: usize| float(waited[(waited.len() - 1) * per_mille / 1000]);
    let ranges = (1..=40).map(|range| {
        let people = waited.iter().filter(|wait| (2 * range - 2..2 * range).contains(*wait)).count();
        WaitRange { up_to_seconds: float(2 * range), people: size(people) }
    });
    Waits {
        people: size(waited.len()),
        p50: at(500),
        p95: at(950),
        p99: at(990),
        max: at(1000),
        ranges: ranges.collect(),
    }
}

/// The more load, the slower.
fn latency(load: u64) -> Latency {
    let load = float(load);
    Latency {
        p50: 0.6 + load / 11.0,
        p95: 2.4 + load / 2.0,
        p99: 6.0 + load * 1.5,
        p999: 14.0 + load * 3.0,
        max: 30.0 + load * 4.0,
    }
}

fn operations() -> Vec<Operation> {
    let operation = |name: &str, load: u64, outcomes: &[(&str, u64)]| Operation {
        name: name.to_owned(),
        answers: outcomes.iter().map(|(_, answers)| answers).sum(),
        latency: latency(load),
        outcomes: outcomes.iter().map(|(outcome, answers)| ((*outcome).to_owned(), *answers)).collect(),
    };
    vec![
        operation("create concert", 4, &[("201", 1)]),
        operation("join", 12, &[("200", 20_212), ("201", 100_000), ("503 unavailable", 11)]),
        operation("poll", 2, &[("200", 812_344)]),
        operation("seats", 5, &[("200", 96_201), ("403 token_not_active", 112)]),
        operation(
            "hold",
            21,
            &[
                ("201", 6711),
                ("409 sale_closed", 3),
                ("409 seat_limit", 92),
                ("409 seat_taken", 30_418),
                ("422 idempotency_key_reused", 2),
                ("503 unavailable", 30),
            ],
        ),
        operation("cancel", 6, &[("204", 811)]),
        operation("charge", 9, &[("201", 6302)]),
        operation("pay", 18, &[("201", 5256), ("402 insufficient_balance", 310), ("409 already_paid", 77)]),
        operation("leave", 7, &[("204", 3006)]),
    ]
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}
