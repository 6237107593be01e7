//! Outbound adapter: storage on PostgreSQL, for production and any number of servers.
//!
//! Every write goes through a lane ([`batches::lane`]), one per queue for its line and a few for what it sells, that takes whatever
//! commands are waiting into one transaction: it reads the facts of the whole batch under lock ([`sale::facts`]), lets the domain
//! decide each in order of arrival on a working set of them ([`domain::sale`]), writes with one statement a table ([`mod@sale::write`]),
//! commits once, and only then answers (ADR 1). The rules of `domain` decide; the statements here read facts and write
//! decisions.

mod batches;
mod connections;
mod environment;
mod open;
mod open_error;
#[cfg(test)]
mod plans;
mod ports;
mod sale;
mod schema;
mod store;
mod tables;

pub use crate::open::{Migrations, Options, migrate};
pub use crate::open_error::OpenError;
pub use crate::store::PostgresStore;
