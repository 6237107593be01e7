//! What a rehearsal came to: the one set of figures that the terminal, the JSON and the HTML page show.

mod figures;
#[cfg(test)]
mod fixture;
pub(crate) mod page;
pub(crate) mod terminal;
mod verdict;

use std::collections::BTreeMap;

use serde::Serialize;

/// Everything there is to tell of a rehearsal. `--json` writes it as it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// What was asked for.
    pub(crate) setup: Setup,
    /// When it began, RFC 3339.
    pub(crate) started_at: String,
    /// How long it took, from the first arrival until the last answer.
    pub(crate) seconds: f64,
    /// Why it ended.
    pub(crate) ending: Ending,
    /// What became of the people.
    pub(crate) people: People,
    /// What became of the seats.
    pub(crate) sale: Sale,
    /// Each operation of the API that was used, in the order of a sale.
    pub(crate) operations: Vec<Operation>,
    /// Every second of it, from the first on, without gaps.
    pub(crate) timeline: Vec<Second>,
    /// How long people stood in line, of those whose turn came.
    pub(crate) waits: Waits,
    /// Whether anybody was overtaken.
    pub(crate) fairness: Fairness,
    /// What was seen of servers and databases that were away.
    pub(crate) outages: Outages,
    /// How many promises were broken, by kind. Empty when all went well.
    pub(crate) violation_counts: BTreeMap<String, u64>,
    /// The first of them, with what was said; at most [`VIOLATIONS_KEPT`].
    pub(crate) violations: Vec<Violation>,
}

/// How many violations are told in full; all are counted.
pub(crate) const VIOLATIONS_KEPT: usize = 100;

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setup {
    /// The servers, each by its URL.
    pub(crate) servers: Vec<String>,
    /// How many people come.
    pub(crate) people: u64,
    /// How many seats are for sale, of all dates together.
    pub(crate) seats: u64,
    /// How many dates.
    pub(crate) schedules: u64,
    /// How people arrive: `rush`, `steady` or `mixed`.
    pub(crate) pattern: String,
    /// Within how many seconds all of them arrive.
    pub(crate) arrival_seconds: f64,
    /// What makes the same people behave in the same way again.
    pub(crate) seed: u64,
    /// Requests under way at once, at most.
    pub(crate) connections: u64,
    /// Whether it was to end when every seat is sold.
    pub(crate) until_sold_out: bool,
    /// Whether servers and databases may be away for a while.
    pub(crate) outages_expected: bool,
}

/// Why a rehearsal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// Everybody has bought, or left.
    EverybodyDone,
    /// Every seat is sold.
    SoldOut,
    /// Its time was over.
    TimeLimit,
    /// It was told to stop.
    Interrupted,
}

/// What became of the people. All but `arrived` add up to it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct People {
    /// Those who came.
    pub(crate) arrived: u64,
    /// Those who have paid for seats.
    pub(crate) bought: u64,
    /// Those whose turn came, and who found nothing, or wanted nothing any more.
    pub(crate) empty_handed: u64,
    /// Those who left the line, or stayed away from it, before their turn.
    pub(crate) gave_up: u64,
    /// Those who were still in line or at work when it ended.
    pub(crate) unfinished: u64,
}

/// What became of the seats.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Sale {
    /// Seats that were paid for.
    pub(crate) sold: u64,
    /// Payments.
    pub(crate) payments: u64,
    /// Points that were paid.
    pub(crate) revenue: u64,
    /// Seconds from the first arrival until the last seat was paid for; nothing while some are left.
    pub(crate) sold_out_after: Option<f64>,
    /// People whose turn came, for each minute from the first turn to the last.
    pub(crate) people_per_minute: f64,
}

/// One operation of the API.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Operation {
    /// What it does: `join`, `poll`, `schedules`, `seats`, `hold`, ...
    pub(crate) name: String,
    /// How many answers there were.
    pub(crate) answers: u64,
    /// How long they took, from the moment when they were due.
    pub(crate) latency: Latency,
    /// Answers by outcome: the status, and the code of a problem: `201`, `409 seat_taken`.
    pub(crate) outcomes: BTreeMap<String, u64>,
}

/// Milliseconds from the moment at which a request was due, a wait for a free connection included, until its answer was read.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Latency {
    /// Half of them were no slower.
    pub(crate) p50: f64,
    /// 95 % of them were no slower.
    pub(crate) p95: f64,
    /// 99 % of them were no slower.
    pub(crate) p99: f64,
    /// 99.9 % of them were no slower.
    pub(crate) p999: f64,
    /// The slowest.
    pub(crate) max: f64,
}

/// One second of it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "which second it is")]
pub(crate) struct Second {
    /// Which one: 0 is the first.
    pub(crate) second: u64,
    /// People who arrived in it.
    pub(crate) arrived: u64,
    /// Answers that came in it, polls among them.
    pub(crate) answers: u64,
    /// Of those, polls of the line.
    pub(crate) polls: u64,
    /// Answers that were 5xx, and connections that broke.
    pub(crate) failures: u64,
    /// How long its answers took.
    pub(crate) latency: Latency,
    /// Whose turn came in it.
    pub(crate) admitted: u64,
    /// People in line at its end.
    pub(crate) waiting: u64,
    /// People whose turn it is at its end.
    pub(crate) active: u64,
    /// Seats sold until its end.
    pub(crate) sold: u64,
}

/// How long people stood in line until it was their turn, in seconds.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Waits {
    /// How many people's turn came.
    pub(crate) people: u64,
    /// Half of them waited no longer.
    pub(crate) p50: f64,
    /// 95 % of them waited no longer.
    pub(crate) p95: f64,
    /// 99 % of them waited no longer.
    pub(crate) p99: f64,
    /// The longest wait.
    pub(crate) max: f64,
    /// The distribution: ranges of equal width from 0 on, at most 40.
    pub(crate) ranges: Vec<WaitRange>,
}

/// How many people waited for so long.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct WaitRange {
    /// Longer than the range before, and at most so many seconds.
    pub(crate) up_to_seconds: f64,
    /// So many people.
    pub(crate) people: u64,
}

/// Whether anybody was overtaken.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Fairness {
    /// Positions that were looked at.
    pub(crate) positions: u64,
    /// Positions that rose at an equal or later version.
    pub(crate) rises: u64,
    /// Turns that were compared with those of all who came before.
    pub(crate) turns: u64,
    /// Turns that came before that of somebody with a smaller ticket number.
    pub(crate) inversions: u64,
}

/// What was seen of servers and databases that were away.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Outages {
    /// Answers `503 overloaded`: not executed.
    pub(crate) overloaded: u64,
    /// Answers `503 unavailable`: perhaps executed.
    pub(crate) unavailable: u64,
    /// Connections that were refused, or broke before an answer came.
    pub(crate) broken: u64,
    /// Requests that were sent again.
    pub(crate) repeated: u64,
    /// Answers that were thrown away on purpose, to be asked for again under the same key.
    pub(crate) lost_on_purpose: u64,
}

/// A promise that was broken.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Violation {
    /// Which promise: a short name that is counted.
    pub(crate) kind: String,
    /// Seconds since the first arrival.
    pub(crate) at: f64,
    /// What is wrong, in one line.
    pub(crate) what: String,
    /// What was sent and what came back, tokens and keys left out.
    pub(crate) exchange: String,
}
