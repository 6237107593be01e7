//! What is said to whoever started a program.

use std::io::Write;
use std::process::ExitCode;

/// One line to stdout. That nobody can read it stops nothing.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout();
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// One line to stderr, and the exit code; if even stderr is gone, the code has to do.
pub(crate) fn complain(name: &str, line: &str, code: u8) -> ExitCode {
    writeln!(std::io::stderr(), "{name}: {line}").map_or(ExitCode::from(3), |()| ExitCode::from(code))
}
