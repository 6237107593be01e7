//! The ports of the domain, one a file. Two answers of the line are long enough for files of their own: its report, and its new
//! epoch.

pub(crate) mod clockwork;
pub(crate) mod concerts;
pub(crate) mod new_epoch;
pub(crate) mod payments;
pub(crate) mod presence;
pub(crate) mod probe;
pub(crate) mod queue_report;
pub(crate) mod queues;
pub(crate) mod reservations;
pub(crate) mod token_keys;
pub(crate) mod wallets;
