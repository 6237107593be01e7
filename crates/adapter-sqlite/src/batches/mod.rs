//! Group commit: from a command that is handed in to its answer after the commit.

pub(crate) mod command;
pub(crate) mod loading;
pub(crate) mod transaction;
pub(crate) mod writer;
