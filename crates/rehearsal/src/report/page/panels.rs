//! The panels at the end: the people, fairness, outages, the setup.

use std::io::{self, Write};

use super::super::Report;
use super::super::figures::{count, counted, duration, float, percent};
use super::escape::Escaped;

/// Writes all of them.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<div class=\"panels\">")?;
    people(report, out)?;
    fairness(report, out)?;
    outages(report, out)?;
    setup(report, out)?;
    writeln!(out, "</div>")
}

/// A panel: what one sees, how to read it, and rows of a name and a figure.
fn panel(title: &str, note: &str, rows: &[(&str, String)], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<section class=\"panel\">\n<h2>{title}</h2>\n<p>{note}</p>\n<dl>")?;
    for (name, figure) in rows {
        writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", Escaped(figure))?;
    }
    writeln!(out, "</dl>\n</section>")
}

fn people(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let people = &report.people;
    writeln!(
        out,
        "<section class=\"panel\">\n<h2>What became of the people</h2>\n<p>{} came.</p>\n<dl class=\"bars\">",
        counted(people.arrived, "person", "people")
    )?;
    for (name, some) in [
        ("bought", people.bought),
        ("found nothing, or wanted nothing", people.empty_handed),
        ("left before their turn", people.gave_up),
        ("still there at the end", people.unfinished),
    ] {
        let share = if people.arrived == 0 { 0.0 } else { 100.0 * float(some) / float(people.arrived) };
        writeln!(
            out,
            "<div><dt>{name}</dt><dd>{} <span>{}</span></dd><i style=\"width:{share:.2}%\"></i></div>",
            count(some),
            percent(some, people.arrived)
        )?;
    }
    writeln!(out, "</dl>\n</section>")
}

fn fairness(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let fairness = &report.fairness;
    let title = match fairness.inversions {
        0 if fairness.rises > 0 => {
            format!("Nobody was overtaken, but {}", counted(fairness.rises, "position rose", "positions rose"))
        }
        0 if fairness.turns == 0 => String::from("Nobody's turn came"),
        0 => String::from("Nobody was overtaken"),
        overtaken => format!("{} came before somebody ahead", counted(overtaken, "turn", "turns")),
    };
    let note = "Each turn is compared with those of all who have a smaller ticket number, and each position with the one before.";
    let rows = [
        ("turns compared", count(fairness.turns)),
        ("out of order", count(fairness.inversions)),
        ("positions looked at", count(fairness.positions)),
        ("that rose", count(fairness.rises)),
    ];
    panel(&title, note, &rows, out)
}

fn outages(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let outages = &report.outages;
    let title = if outages.overloaded + outages.unavailable + outages.broken == 0 {
        "No server was away"
    } else {
        "Servers were away, or had too much to do"
    };
    let note = if report.setup.outages_expected {
        "Outages were expected: what failed was sent again, and counts as no broken promise."
    } else {
        "No outage was expected: each 5xx and each broken connection is a broken promise."
    };
    let rows = [
        ("503 overloaded: not executed", count(outages.overloaded)),
        ("503 unavailable: perhaps executed", count(outages.unavailable)),
        ("connections refused or broken", count(outages.broken)),
        ("requests sent again", count(outages.repeated)),
        ("answers lost on purpose", count(outages.lost_on_purpose)),
    ];
    panel(title, note, &rows, out)
}

fn setup(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let setup = &report.setup;
    let until = if setup.until_sold_out { "every seat is sold" } else { "everybody has bought or left" };
    let rows = [
        ("servers", setup.servers.join(", ")),
        ("people", count(setup.people)),
        ("arriving", format!("{}, within {}", setup.pattern, duration(setup.arrival_seconds))),
        ("seats", format!("{} on {}", count(setup.seats), counted(setup.schedules, "date", "dates"))),
        ("requests at once, at most", count(setup.connections)),
        ("goes on until", until.to_owned()),
        ("seed", setup.seed.to_string()),
    ];
    panel("What was asked for", "The same seed makes the same people behave in the same way.", &rows, out)
}
