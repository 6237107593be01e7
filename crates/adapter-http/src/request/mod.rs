//! What is read of a request: who calls, their headers, the query string and the body.

pub(crate) mod auth;
pub(crate) mod body;
mod body_values;
pub(crate) mod idempotency;
pub(crate) mod identity;
mod money;
pub(crate) mod preferences;
pub(crate) mod query;
