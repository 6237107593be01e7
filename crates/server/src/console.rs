//! What is said to whoever started a program.

use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// How long a process that ends waits for whoever reads its stderr: they may stand still for ever.
const MOMENT: Duration = Duration::from_secs(5);

/// One line to stdout. That nobody can read it stops nothing.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout();
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// One line to stderr, and the exit code; if even stderr is gone, the code has to do.
pub(crate) fn complain(name: &str, line: &str, code: u8) -> ExitCode {
    let line = format!("{name}: {line}");
    let written = for_a_moment(move || writeln!(std::io::stderr(), "{line}").is_ok());
    ExitCode::from(if written == Some(true) { code } else { 3 })
}

/// Does what may never end, and waits for that a moment only.
pub(crate) fn for_a_moment<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, outcome) = channel();
    // Nobody hears of what is done too late.
    thread::Builder::new().spawn(move || drop(done.send(work()))).ok()?;
    outcome.recv_timeout(MOMENT).ok()
}
