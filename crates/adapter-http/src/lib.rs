//! The inbound HTTP adapter: every route of the contract, its JSON, its problem documents and its OpenAPI page.
//!
//! It decides nothing that the rules decide: a handler proves who calls, reads what was sent, calls one use case of
//! [`app::App`] and writes down the answer. All endpoints stand in one list (`routes`), from which the router and the
//! document are both made. What every request goes through is in `edge`.

mod admin;
mod api;
mod auth;
mod body;
mod codes;
mod concerts;
mod cors;
mod docs;
mod edge;
mod endpoint;
mod flights;
mod idempotency;
mod identity;
mod metrics;
mod money;
mod openapi;
mod operations;
mod pages;
mod payments;
mod problem;
mod query;
mod request_id;
mod reservations;
mod router;
mod schedules;
mod seat_bytes;
mod seats;
mod serve;
#[cfg(test)]
mod tests;
mod tokens;
mod values;
mod wallet;
mod weights;
mod wire;

pub use api::{Api, Settings};
pub use cors::is_web_origin;
pub use metrics::{REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS};
pub use serve::serve;
