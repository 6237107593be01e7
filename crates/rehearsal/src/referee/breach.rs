//! A promise that was broken.

use super::promise::Promise;

/// A promise that was broken, before it is known in which exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// Which promise.
    pub(crate) promise: Promise,
    /// What is wrong, in one line.
    pub(crate) what: String,
}

impl Breach {
    pub(crate) fn new(promise: Promise, what: impl Into<String>) -> Self {
        Self { promise, what: what.into() }
    }
}

/// Whether a promise was kept.
pub(crate) type Verdict = Result<(), Breach>;
