//! The ports of `domain`, one a file, implemented on the store.

mod concerts;
mod new_epoch;
mod payments;
mod presence;
mod queue_report;
mod queues;
mod reservations;
mod token_keys;
mod wallets;
