//! The tests, by topic. A function that the list in `suite` does not name is dead code.

pub(crate) mod absence;
pub(crate) mod across;
pub(crate) mod admission;
pub(crate) mod bounds;
pub(crate) mod charging;
pub(crate) mod clockwork;
pub(crate) mod concerts;
pub(crate) mod ending;
pub(crate) mod epochs;
pub(crate) mod following;
pub(crate) mod holding;
pub(crate) mod joining;
pub(crate) mod leaving;
pub(crate) mod limits;
pub(crate) mod loading;
pub(crate) mod making;
pub(crate) mod opening;
pub(crate) mod paying;
pub(crate) mod purchases;
pub(crate) mod races;
pub(crate) mod replaying;
pub(crate) mod reporting;
pub(crate) mod seat_maps;
pub(crate) mod server_key;
pub(crate) mod stock;
pub(crate) mod turns;

pub(crate) use crate::history;
