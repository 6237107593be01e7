//! What is written: JSON bodies, problem documents, and what more than one route shows.

pub(crate) mod concert;
pub(crate) mod dates;
pub(crate) mod error_codes;
pub(crate) mod extension;
pub(crate) mod json;
pub(crate) mod message;
pub(crate) mod page;
pub(crate) mod points;
pub(crate) mod problem;
pub(crate) mod reservation;
pub(crate) mod schedule;
pub(crate) mod seat_list;
pub(crate) mod sentence;
pub(crate) mod token_state;
pub(crate) mod wrong_values;
