//! Batches: a lane takes what waits into one transaction; here is every lane but those of a sale.

pub(crate) mod charges;
pub(crate) mod lane;
pub(crate) mod loading;
