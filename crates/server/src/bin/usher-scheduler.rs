//! `usher-scheduler`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::usher_scheduler()
}
