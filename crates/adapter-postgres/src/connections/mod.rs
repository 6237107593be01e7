//! Connections to the database, and the statements that are prepared on them.

pub(crate) mod concerns;
pub(crate) mod error;
pub(crate) mod limits;
pub(crate) mod pool;
pub(crate) mod server;
pub(crate) mod statement;
