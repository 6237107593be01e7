//! The report as plain text, at most 100 columns wide.

use std::io::{self, Write};

use super::figures::{count, counted, duration, millis, number, percent};
use super::verdict::{self, Verdict};
use super::{Operation, Report, Violation};

/// No line is longer, in characters.
const WIDTH: usize = 100;

/// So many violations are told; the JSON and the page tell more.
const VIOLATIONS_TOLD: usize = 10;

/// Of an exchange, so many lines are told.
const EXCHANGE_LINES: usize = 30;

/// What became of the rehearsal: the verdict first, then all that led to it. Fails when `out` does.
pub(crate) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}.", Verdict::of(report).sentence())?;
    writeln!(out, "{}", verdict::summary(report))?;
    setup(report, out)?;
    sale(report, out)?;
    people(report, out)?;
    operations(&report.operations, out)?;
    waits(report, out)?;
    fairness(report, out)?;
    outages(report, out)?;
    violations(report, out)
}

/// A headline, with an empty line before it.
fn headline(title: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{}", title.to_uppercase())
}

/// One figure and what may be said of it.
fn figure(name: &str, value: &str, remark: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", format!("  {name:<26}{value:>14}  {remark}").trim_end())
}

/// One thing that was asked for. Goes on below if it does not fit.
fn asked(name: &str, value: &str, out: &mut impl Write) -> io::Result<()> {
    let mut name = name;
    for line in wrapped(value, WIDTH - 14) {
        writeln!(out, "  {name:<12}{line}")?;
        name = "";
    }
    Ok(())
}

fn setup(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let setup = &report.setup;
    headline("Rehearsal", out)?;
    let until = verdict::reason(report.ending);
    asked("began", &report.started_at, out)?;
    asked("took", &format!("{}, until {until}", duration(report.seconds)), out)?;
    asked("servers", &setup.servers.join(", "), out)?;
    let within = duration(setup.arrival_seconds);
    asked("people", &format!("{} within {within}, pattern {}", count(setup.people), setup.pattern), out)?;
    let dates = counted(setup.schedules, "date", "dates");
    asked("seats", &format!("{} on {dates}", count(setup.seats)), out)?;
    asked("requests", &format!("{} under way at once, at most", count(setup.connections)), out)?;
    asked("seed", &setup.seed.to_string(), out)
}

fn sale(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let sale = &report.sale;
    headline("The sale", out)?;
    let sold_out = sale.sold_out_after.map_or_else(|| String::from("never"), duration);
    figure("sold out after", &sold_out, "", out)?;
    figure("people per minute", &number(sale.people_per_minute), "whose turn came", out)?;
    figure("seats sold", &count(sale.sold), &format!("of {}", count(report.setup.seats)), out)?;
    figure("payments", &count(sale.payments), "", out)?;
    figure("revenue", &count(sale.revenue), "points", out)
}

fn people(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let people = &report.people;
    headline("The people", out)?;
    figure("came", &count(people.arrived), "", out)?;
    for (name, some) in [
        ("bought", people.bought),
        ("empty-handed", people.empty_handed),
        ("gave up", people.gave_up),
        ("unfinished", people.unfinished),
    ] {
        figure(name, &count(some), &percent(some, people.arrived), out)?;
    }
    Ok(())
}

/// Columns: 16 for the name, 11 for the answers, 8 for each of five times, the rest for the outcomes.
fn operations(operations: &[Operation], out: &mut impl Write) -> io::Result<()> {
    headline("Operations: milliseconds until the answer, and what it was", out)?;
    let [name, answers] = ["", "answers"];
    let [p50, p95, p99, p999, max] = ["p50", "p95", "p99", "p99.9", "max"];
    writeln!(out, "  {name:<14}{answers:>11}{p50:>8}{p95:>8}{p99:>8}{p999:>8}{max:>8}  outcomes")?;
    for operation in operations {
        let latency = &operation.latency;
        let times: String = [latency.p50, latency.p95, latency.p99, latency.p999, latency.max]
            .map(|time| format!("{:>8}", millis(time)))
            .concat();
        let mut before = format!("  {:<14}{:>11}{times}", operation.name, count(operation.answers));
        let outcomes =
            operation.outcomes.iter().map(|(outcome, answers)| format!("{}: {}", visible(outcome), count(*answers)));
        for line in filled(outcomes, WIDTH - 69) {
            writeln!(out, "{}", format!("{before:<67}  {line}").trim_end())?;
            before.clear();
        }
    }
    Ok(())
}

fn waits(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let waits = &report.waits;
    headline("Waits: how long people stood in line", out)?;
    figure("their turn came", &count(waits.people), "people", out)?;
    for (name, wait) in [("p50", waits.p50), ("p95", waits.p95), ("p99", waits.p99), ("max", waits.max)] {
        figure(name, &duration(wait), "", out)?;
    }
    Ok(())
}

fn fairness(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let fairness = &report.fairness;
    headline("Fairness: whether anybody was overtaken", out)?;
    figure("turns out of order", &count(fairness.inversions), &format!("of {}", count(fairness.turns)), out)?;
    figure("positions that rose", &count(fairness.rises), &format!("of {}", count(fairness.positions)), out)
}

fn outages(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let outages = &report.outages;
    headline(if report.setup.outages_expected { "Outages: expected" } else { "Outages: not expected" }, out)?;
    figure("503 overloaded", &count(outages.overloaded), "not executed", out)?;
    figure("503 unavailable", &count(outages.unavailable), "perhaps executed", out)?;
    figure("broken connections", &count(outages.broken), "", out)?;
    figure("sent again", &count(outages.repeated), "", out)?;
    figure("lost on purpose", &count(outages.lost_on_purpose), "asked for again under the same key", out)
}

fn violations(report: &Report, out: &mut impl Write) -> io::Result<()> {
    headline("Violations: promises that were broken", out)?;
    if report.violation_counts.is_empty() {
        return writeln!(out, "  none");
    }
    let all = report.violation_counts.values().sum();
    for (kind, broken) in &report.violation_counts {
        figure(&visible(kind), &count(*broken), &percent(*broken, all), out)?;
    }
    let mut told = 0;
    for violation in report.violations.iter().take(VIOLATIONS_TOLD) {
        told += 1;
        tell(violation, out)?;
    }
    match verdict::untold(report, told) {
        Some(untold) => {
            writeln!(out, "\n  {} more; the JSON and the page tell up to {}.", count(untold), super::VIOLATIONS_KEPT)
        }
        None => Ok(()),
    }
}

/// One violation with its exchange. The server chose these words, so that nothing in them may steer the terminal.
fn tell(violation: &Violation, out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    let what = format!("{} at {} s: {}", violation.kind, number(violation.at), violation.what);
    for line in wrapped(&visible(&what), WIDTH - 2) {
        writeln!(out, "  {line}")?;
    }
    let exchange = visible(&violation.exchange);
    let mut lines = exchange.lines().flat_map(|line| wrapped(line, WIDTH - 6));
    for line in lines.by_ref().take(EXCHANGE_LINES) {
        writeln!(out, "{}", format!("    | {line}").trim_end())?;
    }
    if lines.next().is_some() { writeln!(out, "    | ...") } else { Ok(()) }
}

/// The text with everything that a terminal would obey written out, line ends apart.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\n' | '"' | '\'' | '\\') {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_debug());
        }
    }
    shown
}

/// The text in lines of at most `width` characters; one empty line for no text.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    if letters.is_empty() {
        return vec![String::new()];
    }
    letters.chunks(width).map(|line| line.iter().collect()).collect()
}

/// The items in lines of at most `width` characters, as long as each of them fits; one empty line for none.
fn filled(items: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + item.chars().count() <= width => {
                line.push_str("; ");
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn text(report: &Report) -> String {
        let mut text = Vec::new();
        write(report, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_rehearsal_without_violations() {
        insta::assert_snapshot!(text(&fixture::report()));
    }

    #[test]
    fn a_rehearsal_with_violations() {
        let text = text(&fixture::broken());
        assert!(text.starts_with("104 promises were broken.\n"));
        insta::assert_snapshot!(text.split_once("VIOLATIONS").unwrap().1);
    }

    #[test]
    fn nothing_at_all_is_told_too() {
        insta::assert_snapshot!(text(&fixture::empty()));
    }

    #[test]
    fn no_line_is_wider_than_a_hundred_columns() {
        let mut wide = fixture::broken();
        wide.setup.servers =
            (0..9).map(|server| format!("http://server-{server}.of-a-long-name.example:8080")).collect();
        wide.violations[0].what = "w".repeat(250);
        wide.violations[0].exchange = "x".repeat(9000);
        for report in [&wide, &fixture::one_second(), &fixture::empty()] {
            for line in text(report).lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn what_a_server_says_does_not_steer_the_terminal() {
        let text = text(&fixture::broken());
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'));
        assert!(text.contains(r#"<script>alert('x')</script> & "quotes" \u{1b}[31mred\u{7}"#), "{text}");
        assert!(text.contains(r"\u{202e}"));
    }

    #[test]
    fn outcomes_fill_lines() {
        let items = |items: &[&str]| filled(items.iter().map(|item| (*item).to_owned()), 10);
        assert_eq!(items(&["200: 1", "2", "3", "404: 12345"]), ["200: 1; 2", "3", "404: 12345"]);
        assert_eq!(items(&[]), [""]);
    }
}
