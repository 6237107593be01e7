//! What is written: JSON bodies, problem documents, and the views that more than one route shows.

pub(crate) mod error_codes;
pub(crate) mod json;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod seat_list;
