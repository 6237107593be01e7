//! The tests, by topic. A function that the list in `suite` does not name is dead code.

pub(crate) mod admission;
pub(crate) mod joining;
pub(crate) mod leaving;
