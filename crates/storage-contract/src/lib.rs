//! What every storage adapter must do, as tests: the sentences of the domain's ports, one by one.
//!
//! An adapter runs the whole suite with one line in a test of its own:
//!
//! ```text
//! async fn make(rules: domain::Rules) -> storage_contract::Store { .. }
//! storage_contract::contract_suite!(make);
//! ```
//!
//! Besides the suite there is a [`reference()`] store, a mutex around maps that only calls the domain's rules; random
//! histories of commands and clock steps, run on both stores and compared; and an oracle that shares no code with the
//! domain's rules and checks every answer of such a history from the log of answers alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    reason = "this crate is tests: a failure is a panic, and that is what the reader of a test run sees"
)]

mod clock;
mod contract;
mod history;
mod ids;
mod load;
mod oracle;
#[cfg(test)]
mod proof;
mod reference;
mod scene;
mod standing;
mod store;
mod suite;

pub use clock::TestClock;
pub use ids::SeededIds;
pub use load::{Rates, rates};
pub use reference::reference;
pub use store::{Make, Store};
pub use suite::run;

#[cfg(test)]
mod tests {
    use domain::Rules;

    async fn make(rules: Rules) -> crate::Store {
        crate::reference(rules)
    }

    crate::contract_suite!(make);
}
