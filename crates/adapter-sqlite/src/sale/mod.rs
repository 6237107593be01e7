//! A sale on SQLite: what its decisions ask is read, what they change is written, and time passes: turns come, holds run
//! out.

pub(crate) mod admission;
pub(crate) mod facts;
pub(crate) mod roll_call;
pub(crate) mod sweep;
pub(crate) mod write;
