//! The ports of `domain`, one a file, implemented on the store.

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
