//! Outbound adapter: storage on PostgreSQL, for production and any number of servers.
//!
//! Every write goes through a lane, one per queue and kind, that takes whatever commands are waiting into one transaction:
//! it reads the facts of the whole batch under lock, lets the domain decide each in order of arrival on that working set,
//! writes with one statement a table, commits once, and only then answers (design 2.2).

mod statement;
mod command;
mod decide;
mod facts;
mod rows;
mod working_set;
mod write;
