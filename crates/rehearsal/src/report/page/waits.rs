//! The chart of how long people stood in line.

use std::io::{self, Write};

use super::super::Waits;
use super::super::figures::{counted, duration, float, number};
use super::chart::{Chart, Mark, Series, Shape};
use super::scale::Axis;

/// Draws it; nothing if nobody's turn came.
pub(super) fn write(waits: &Waits, out: &mut impl Write) -> io::Result<()> {
    let Some(longest) = waits.ranges.last().map(|range| range.up_to_seconds) else { return Ok(()) };
    let most = waits.ranges.iter().map(|range| range.people).max().unwrap_or(0);
    let ranges = u64::try_from(waits.ranges.len()).unwrap_or(u64::MAX);
    let moments = waits.ranges.iter().map(|range| format!("up to {}", duration(range.up_to_seconds))).collect();
    let people = Series {
        name: "people",
        tone: "middle",
        shape: Shape::Bars,
        values: waits.ranges.iter().map(|range| Some(float(range.people))).collect(),
        tell: number,
    };
    let mark = |name, at, below| Mark { at, label: format!("{name}: {}", duration(at)), below };
    Chart {
        title: format!("Half waited {} or less, 99 % {} or less", duration(waits.p50), duration(waits.p99)),
        note: format!("How long {} stood in line until their turn came.", counted(waits.people, "person", "people")),
        x: Axis::time("in line", longest),
        y: Axis::amounts("people", float(most)),
        series: vec![people],
        moments,
        width: 1.0 / float(ranges),
        marks: vec![mark("p50", waits.p50, 2), mark("p95", waits.p95, 10), mark("p99", waits.p99, 18)],
    }
    .write(out)
}
