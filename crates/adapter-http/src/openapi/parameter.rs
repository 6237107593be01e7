//! A query parameter, as the document describes it.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// A query parameter: its name, what it is for, and its schema.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) schema: fn() -> RefOr<Schema>,
}
