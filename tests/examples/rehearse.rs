//! A rehearsal at full size: `cargo run --release -p e2e --example rehearse -- [--kill SEED] [FLAGS OF usher-rehearsal]`.
//!
//! Starts a throw-away PostgreSQL, two servers and a scheduler, plays people until it is over, audits the database, and prints the
//! report. Exit 0 when neither `usher-rehearsal` nor the audit found anything wrong.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::process::ExitCode;

use e2e::rehearse;

/// So short that what is abandoned can be sold to others while it is played.
const RULES: [(&str, &str); 2] = [("--hold-seconds", "20"), ("--active-seconds", "60")];

#[tokio::main]
async fn main() -> ExitCode {
    let mut flags: Vec<String> = std::env::args().skip(1).collect();
    let mut kills = None;
    if flags.first().is_some_and(|flag| flag == "--kill") {
        let seed = flags.get(1).and_then(|seed| seed.parse().ok());
        let Some(seed) = seed else {
            eprintln!("rehearse: --kill needs a number, which makes the same moments again");
            return ExitCode::from(2);
        };
        kills = Some(seed);
        flags.drain(..2);
    }
    let rehearsed = rehearse(&flags, &RULES, kills).await;
    if let Some(seed) = kills {
        println!("servers, scheduler and database were killed {} times, by the seed {seed}", rehearsed.kills);
    }
    print!("audit: {}{}", rehearsed.audit.stdout, rehearsed.audit.stderr);
    match (rehearsed.code, rehearsed.audit.code) {
        (Some(0), Some(0)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
