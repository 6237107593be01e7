//! The OpenAPI document: what an endpoint says of itself, and the document made of all endpoints.

pub(crate) mod document;
pub(crate) mod endpoint;
pub(crate) mod parameter;
