//! A batch of a queue's sale, in the order in which it runs: what is read, decided and written.

pub(crate) mod admission;
pub(crate) mod command;
pub(crate) mod decide;
pub(crate) mod executor;
pub(crate) mod facts;
pub(crate) mod known_schedules;
pub(crate) mod roll_call;
pub(crate) mod schedule_cache;
pub(crate) mod wanted;
pub(crate) mod working_set;
pub(crate) mod write;
