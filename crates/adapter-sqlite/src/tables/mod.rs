//! One file a table: its statements, and its rows as values of the domain.

pub(crate) mod columns;
pub(crate) mod idempotency;
pub(crate) mod loadings;
pub(crate) mod messages;
pub(crate) mod payments;
pub(crate) mod queues;
pub(crate) mod reservations;
pub(crate) mod schedules;
pub(crate) mod seats;
pub(crate) mod tokens;
pub(crate) mod wallets;
