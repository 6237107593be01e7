//! A batch of a queue's sale, in the order in which it runs: what is read and written. What is decided between is
//! [`domain::sale`].

pub(crate) mod admission;
pub(crate) mod batch;
pub(crate) mod executor;
pub(crate) mod facts;
pub(crate) mod roll_call;
pub(crate) mod schedule_cache;
pub(crate) mod wanted;
pub(crate) mod write;
