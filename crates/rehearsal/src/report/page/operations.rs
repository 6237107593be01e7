//! The table of operations.

use std::io::{self, Write};

use super::super::Operation;
use super::super::figures::{count, millis};
use super::escape::Escaped;

/// Writes it; nothing if there was no operation.
pub(super) fn write(operations: &[Operation], out: &mut impl Write) -> io::Result<()> {
    if operations.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section>\n<h2>Operations</h2>\n<p>Milliseconds from when a request was due, a wait for a free connection included, \
         until its answer was read; and what the answers were.</p>\n<table class=\"operations\">\n<thead><tr>\
         <th>operation</th><th>answers</th><th>p50</th><th>p95</th><th>p99</th><th>p99.9</th><th>max</th>\
         <th class=\"outcomes\">outcomes</th></tr></thead>\n<tbody>"
    )?;
    for operation in operations {
        row(operation, out)?;
    }
    writeln!(out, "</tbody>\n</table>\n</section>")
}

fn row(operation: &Operation, out: &mut impl Write) -> io::Result<()> {
    let latency = &operation.latency;
    write!(out, "<tr><th scope=\"row\">{}</th>", Escaped(&operation.name))?;
    write!(out, "<td data-name=\"answers\">{}</td>", count(operation.answers))?;
    for (name, time) in [
        ("p50", latency.p50),
        ("p95", latency.p95),
        ("p99", latency.p99),
        ("p99.9", latency.p999),
        ("max", latency.max),
    ] {
        write!(out, "<td data-name=\"{name}\">{}</td>", millis(time))?;
    }
    write!(out, "<td class=\"outcomes\">")?;
    for (outcome, answers) in &operation.outcomes {
        let class = match outcome.chars().next() {
            Some('2') => "done",
            Some('5') => "failed",
            _ => "refused",
        };
        write!(out, "<span class=\"{class}\">{} <b>{}</b></span> ", Escaped(outcome), count(*answers))?;
    }
    writeln!(out, "</td></tr>")
}
