//! What an audit finds, told as it is found. Nothing of it is kept but counts, however much there is.

use std::io::{self, Write};

use super::snapshot::{Place, quoted};

/// So many violations of one check are told one by one; the rest of them are counted.
pub(super) const LISTED: u64 = 1_000;

/// How wide the widest progress is: `61/61 reservations`, with room.
const PROGRESS_WIDTH: usize = 24;

/// How violations are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, a line each.
    Lines,
    /// For programs, a JSON object a line.
    Json,
}

/// Writes what an audit finds: every violation at once, how many more there are at the end of their check, and one line
/// with the totals at the end of all. A report without that line is of an audit that did not come to its end.
pub struct Report<'a> {
    format: Format,
    out: &'a mut dyn Write,
    /// Where it is told which check is at work, if anybody watches: a terminal, on which it may be overwritten.
    progress: Option<&'a mut dyn Write>,
    /// Whether the last of that still stands there.
    in_sight: bool,
    /// How many violations there were of the check that is at work.
    of_check: u64,
    violations: u64,
}

impl<'a> Report<'a> {
    /// Writes to `out`, and to `progress` what passes.
    pub fn new(format: Format, out: &'a mut dyn Write, progress: Option<&'a mut dyn Write>) -> Self {
        Self { format, out, progress, in_sight: false, of_check: 0, violations: 0 }
    }

    /// How many violations there were.
    pub const fn violations(&self) -> u64 {
        self.violations
    }

    /// The `nth` of so many steps begins, which is about `topic`.
    pub(super) fn begin(&mut self, nth: usize, of: usize, topic: &str) -> io::Result<()> {
        self.of_check = 0;
        if let Some(progress) = &mut self.progress {
            let step = format!("{nth}/{of} {topic}");
            write!(progress, "\r{step:<PROGRESS_WIDTH$}")?;
            progress.flush()?;
            self.in_sight = true;
        }
        Ok(())
    }

    /// A violation, at `place`.
    pub(super) fn found(&mut self, finding: &str, place: &Place) -> io::Result<()> {
        self.violations += 1;
        self.of_check += 1;
        if self.of_check > LISTED {
            return Ok(());
        }
        self.clear()?;
        match self.format {
            Format::Lines => writeln!(self.out, "{finding}: {place}"),
            Format::Json => writeln!(self.out, r#"{{"finding":{},"place":{}}}"#, quoted(finding), place.json()),
        }
    }

    /// A check has come to its end.
    pub(super) fn end(&mut self, finding: &str) -> io::Result<()> {
        let unlisted = self.of_check.saturating_sub(LISTED);
        if unlisted == 0 {
            return Ok(());
        }
        self.clear()?;
        match self.format {
            Format::Lines => writeln!(self.out, "{finding}: {unlisted} more of these, which are not listed"),
            Format::Json => writeln!(self.out, r#"{{"finding":{},"unlisted":{unlisted}}}"#, quoted(finding)),
        }
    }

    /// All checks have come to their end: how many there were, and how many rows each table has.
    pub(super) fn close(&mut self, checks: usize, rows: &[(&str, i64)]) -> io::Result<()> {
        self.clear()?;
        let violations = self.violations;
        match self.format {
            Format::Lines => {
                let rows: Vec<_> = rows.iter().map(|(table, rows)| format!("{rows} {table}")).collect();
                writeln!(self.out, "{violations} violations of {checks} checks over {}", rows.join(", "))
            }
            Format::Json => {
                let rows: Vec<_> = rows.iter().map(|(table, rows)| format!(r#""{table}":{rows}"#)).collect();
                let rows = rows.join(",");
                writeln!(self.out, r#"{{"violations":{violations},"checks":{checks},"rows":{{{rows}}}}}"#)
            }
        }
    }

    /// Takes away what stands on the terminal of the step, so that something else may be said there.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        if let Some(progress) = &mut self.progress
            && self.in_sight
        {
            write!(progress, "\r{:PROGRESS_WIDTH$}\r", "")?;
            progress.flush()?;
            self.in_sight = false;
        }
        Ok(())
    }
}
