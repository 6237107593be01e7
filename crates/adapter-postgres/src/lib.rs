//! Outbound adapter: storage on PostgreSQL, for production and any number of servers.
//!
//! Every write goes through a lane ([`lane`]), one per queue for its line and a few for what it sells, that takes whatever
//! commands are waiting into one transaction: it reads the facts of the whole batch under lock ([`facts`]), lets the domain
//! decide each in order of arrival on that working set ([`decide`]), writes with one statement a table ([`mod@write`]),
//! commits once, and only then answers (design 2.2). The rules of `domain` decide; the statements here read facts and write
//! decisions.

mod admission;
mod charges;
mod command;
mod concerts;
mod decide;
mod facts;
mod keys;
mod lane;
mod loading;
mod locks;
mod new_epoch;
mod open;
mod payments;
#[cfg(test)]
mod plans;
mod pool;
mod presence;
mod queues;
mod receipts;
mod report;
mod reservations;
mod roll_call;
mod rows;
mod sale;
mod sale_writes;
mod schedules;
mod statement;
mod store;
mod wallet_rows;
mod wallet_writes;
mod wallets;
mod working_set;
mod write;

pub use crate::open::{Migrations, OpenError, Options, migrate};
pub use crate::store::PostgresStore;
