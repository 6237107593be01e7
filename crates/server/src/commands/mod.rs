//! What the programs do, one file a command.

pub(crate) mod audit;
pub(crate) mod migrate;
pub(crate) mod scheduler;
pub(crate) mod serve;
