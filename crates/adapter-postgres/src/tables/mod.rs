//! The tables: what is read and written of each, and what its columns mean.
//!
//! Lock order: queue, token, seat, reservation, wallet, each ascending by key. A statement that needs what an earlier one locks
//! looks it up again by itself: under READ COMMITTED it sees what is true once the locks are held, and no second round trip is
//! needed.
//!
//! What is looked up stands in LATERAL subqueries that are planned on their own, by the whole key. Joined freely, a planner that
//! has no statistics of a sale that has just begun takes the queue alone to be selective, and walks all of it.

pub(crate) mod columns;
pub(crate) mod idempotency;
pub(crate) mod loadings;
pub(crate) mod messages;
pub(crate) mod payments;
pub(crate) mod queues;
pub(crate) mod reservations;
pub(crate) mod schedules;
pub(crate) mod seated;
pub(crate) mod seats;
pub(crate) mod servers;
pub(crate) mod tokens;
pub(crate) mod wallets;
