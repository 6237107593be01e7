//! What an audit asks: a statement for each promise, one file a topic.

mod admission;
mod check;
mod line;
mod payments;
mod references;
mod reservations;
mod seats;
mod wallets;

pub(crate) use check::Check;

/// Every table that holds what was promised, and those of who is there (R22): a database without them is of another
/// version.
pub(crate) const TABLES: [&str; 15] = [
    "queue_registry",
    "queues",
    "policies",
    "tokens",
    "servers",
    "sightings",
    "loadings",
    "concerts",
    "schedules",
    "seats",
    "reservations",
    "reservation_seats",
    "payments",
    "wallets",
    "entries",
];

/// All checks, by what they are about.
pub(crate) const TOPICS: [(&str, &[Check]); 7] = [
    ("line", line::CHECKS),
    ("admission", admission::CHECKS),
    ("references", references::CHECKS),
    ("seats", seats::CHECKS),
    ("reservations", reservations::CHECKS),
    ("payments", payments::CHECKS),
    ("wallets", wallets::CHECKS),
];
