//! The tables: what is read and written of each, and what its columns mean.

pub(crate) mod locks;
pub(crate) mod receipts;
pub(crate) mod rows;
pub(crate) mod sale_writes;
pub(crate) mod schedules;
pub(crate) mod servers;
pub(crate) mod wallet_rows;
pub(crate) mod wallet_writes;
