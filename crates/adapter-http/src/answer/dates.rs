//! The schemas of dates and times, as answers carry them.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};

fn text(format: KnownFormat, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .examples([serde_json::json!(example)])
}

/// The schema of a date and time, RFC 3339.
pub(crate) fn date_time() -> RefOr<Schema> {
    text(KnownFormat::DateTime, "2026-12-01T10:00:05Z").into()
}

/// The schema of a date and time that may be missing.
pub(crate) fn date_time_or_null() -> RefOr<Schema> {
    text(KnownFormat::DateTime, "2026-12-01T10:00:05Z")
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .into()
}

/// The schema of a calendar date.
pub(crate) fn date() -> RefOr<Schema> {
    text(KnownFormat::Date, "2026-12-24").into()
}
