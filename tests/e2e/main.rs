//! Tests over HTTP against the real process. Each test starts a server of its own; what they are about is said in
//! `docs/testing.md`, trap by trap.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "in a test, whatever is not as expected is a failure"
)]

mod absence;
mod broken;
mod cli;
mod clockwork;
mod codes;
mod contract;
mod crash;
mod crowd;
mod degraded;

mod docs;
mod failover;
mod fairness;
mod files;
mod following;

mod guard;
mod hostile;
mod identity;
mod keys;
mod lies;
mod line;
mod load;
mod loading;
mod mix;
mod money;
mod opening;
mod payments;
mod platform;
mod postgres_faults;
mod purchases;
mod queues;
mod raw;
mod readme;
mod reads;
mod rehearsals;
mod rush;
mod sale;
mod seats;
mod servers;
mod shutdown;
mod turns;
