//! `usher-scheduler`: see the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    server::usher_scheduler().await
}
