//! The promises that were broken, each with what was said.

use std::io::{self, Write};

use super::super::Report;
use super::super::figures::{count, duration};
use super::super::verdict;
use super::escape::Escaped;

/// Of an exchange, so many characters are shown; the JSON has it whole.
const EXCHANGE_SHOWN: usize = 1500;

/// So many are unfolded.
const UNFOLDED: usize = 3;

/// Writes them; nothing if there are none.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.violation_counts.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section class=\"violations\">\n<h2>Broken promises</h2>\n<ul class=\"kinds\">")?;
    for (kind, broken) in &report.violation_counts {
        writeln!(out, "<li><b>{}</b> <code>{}</code></li>", count(*broken), Escaped(kind))?;
    }
    writeln!(out, "</ul>")?;
    for (at, violation) in report.violations.iter().enumerate() {
        let open = if at < UNFOLDED { " open" } else { "" };
        let (kind, what) = (Escaped(&violation.kind), Escaped(&violation.what));
        let mut exchange: String = violation.exchange.chars().take(EXCHANGE_SHOWN).collect();
        if exchange.len() < violation.exchange.len() {
            exchange.push_str("\n...");
        }
        writeln!(
            out,
            "<details{open}><summary><code>{kind}</code> <span class=\"what\">{what}</span> <span class=\"at\">after {}</span>\
             </summary><pre>{}</pre></details>",
            duration(violation.at),
            Escaped(&exchange)
        )?;
    }
    if let Some(untold) = verdict::untold(report, report.violations.len()) {
        writeln!(out, "<p>{} more were counted; only the first are told.</p>", count(untold))?;
    }
    writeln!(out, "</section>")
}
