//! The inbound HTTP adapter: every route of the contract, its JSON, its problem documents and its OpenAPI page.
//!
//! It decides nothing that the rules decide: a handler proves who calls, reads what was sent, calls one use case of
//! [`app::App`] and writes down the answer. All endpoints stand in one list (`routes`), from which the router and the
//! document are both made. What every request goes through is in `middleware`.

mod answer;
mod api;
mod middleware;
mod openapi;
mod request;
mod routes;
mod serve;
mod shared_reads;
#[cfg(test)]
mod tests;

pub use api::{Api, Settings};
pub use middleware::cors::is_web_origin;
pub use middleware::metrics::{REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS};
pub use serve::serve;
