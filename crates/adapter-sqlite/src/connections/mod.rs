//! Connections to the file, and what is said over them.

pub(crate) mod pool;
pub(crate) mod session;
pub(crate) mod statement;
