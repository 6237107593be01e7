//! The key figures.

use std::io::{self, Write};

use super::super::Report;
use super::super::figures::{count, counted, duration, float, number};

/// One key figure: what it is, the figure, and what may be said of it.
struct Tile {
    name: &'static str,
    figure: String,
    remark: String,
    /// Whether it tells of something that must not be.
    bad: bool,
}

/// Writes them, the most telling first.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<section class=\"tiles\" aria-label=\"Key figures\">")?;
    for Tile { name, figure, remark, bad } in tiles(report) {
        let class = if bad { "tile bad" } else { "tile" };
        writeln!(out, "<div class=\"{class}\"><h2>{name}</h2><p class=\"figure\">{figure}</p><p>{remark}</p></div>")?;
    }
    writeln!(out, "</section>")
}

fn tiles(report: &Report) -> [Tile; 6] {
    let Report { sale, setup, waits, fairness, timeline, .. } = report;
    let most = timeline.iter().map(|second| second.answers).max().unwrap_or(0);
    let answers: u64 = report.operations.iter().map(|operation| operation.answers).sum();
    let unsold = setup.seats.saturating_sub(sale.sold);
    let tile = |name, figure, remark| Tile { name, figure, remark, bad: false };
    [
        match sale.sold_out_after {
            Some(seconds) => tile("Sold out after", duration(seconds), String::from("from the first arrival")),
            None => tile("Sold out", String::from("not yet"), format!("{} left", counted(unsold, "seat", "seats"))),
        },
        tile("People per minute", number(sale.people_per_minute), String::from("whose turn came")),
        tile(
            "Seats sold",
            count(sale.sold),
            format!("of {}, in {}", count(setup.seats), counted(sale.payments, "payment", "payments")),
        ),
        tile("Wait, the median", duration(waits.p50), format!("99 % waited {} or less", duration(waits.p99))),
        tile("Busiest second", number(float(most)), format!("answers, of {} in all", count(answers))),
        Tile {
            name: "Overtaken",
            figure: count(fairness.inversions),
            remark: format!("of {}", counted(fairness.turns, "turn", "turns")),
            bad: fairness.inversions > 0,
        },
    ]
}
