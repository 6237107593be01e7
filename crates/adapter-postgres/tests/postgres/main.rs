//! Everything that is tested on a real PostgreSQL server, in one program, so that one run needs one server.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by a panic, in what it is made of too")]

mod clockwork;
mod cluster;
mod contract;
mod crashes;
mod faults;
mod following;
mod opening;
mod parity;
mod plans;
mod presence;
mod scene;
mod schema;
mod servers;
mod upgrade;
mod waiting;
