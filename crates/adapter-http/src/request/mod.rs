//! What is read of a request: who calls, their headers, the path, the query string and the body.

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod body_object;
pub(crate) mod body_values;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub(crate) mod identity_key;
pub(crate) mod page;
pub(crate) mod path;
pub(crate) mod preferences;
pub(crate) mod query;
