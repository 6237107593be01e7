//! How money, times and created things are written.

use actix_web::body::MessageBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use domain::Money;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::answer::problem::Problem;

/// An amount in hundredths, written as a JSON number without trailing zeros, never through a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Points(i64);

impl Points {
    /// What leaves a wallet.
    pub(crate) fn minus(amount: &Money) -> Self {
        Self(-amount.minor())
    }
}

impl From<&Money> for Points {
    fn from(amount: &Money) -> Self {
        Self(amount.minor())
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            return serializer.serialize_i64(self.0 / 100);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, hundredths) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        let text = if hundredths.is_multiple_of(10) {
            format!("{sign}{whole}.{}", hundredths / 10)
        } else {
            format!("{sign}{whole}.{hundredths:02}")
        };
        RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl PartialSchema for Points {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some("Points, exact to two decimals."))
            .examples([serde_json::json!(12000)])
            .into()
    }
}

impl ToSchema for Points {}

/// An amount as callers may write it; read by [`crate::request::money`].
pub(crate) struct Amount;

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let number =
            ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).maximum(Some(10_000_000_000_000_i64));
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^[0-9]{1,14}(\.[0-9]{1,2})?$"));
        OneOfBuilder::new()
            .item(number)
            .item(text)
            .description(Some("Points, exact to two decimals: a number written without exponent, or such a text."))
            .examples([serde_json::json!(12000)])
            .into()
    }
}

impl ToSchema for Amount {}

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

/// A success with a JSON body.
pub(crate) fn json(response: HttpResponseBuilder, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let bytes =
        serde_json::to_vec(body).map_err(|error| Problem::internal(format!("an answer was not written: {error}")))?;
    Ok(written(response, bytes))
}

/// A success whose body is JSON already.
pub(crate) fn written(mut response: HttpResponseBuilder, json: impl MessageBody + 'static) -> HttpResponse {
    let content_type = HeaderValue::from_static("application/json");
    response.insert_header((header::CONTENT_TYPE, content_type)).body(json)
}

/// 200 with a JSON body.
pub(crate) fn ok(body: &impl Serialize) -> Result<HttpResponse, Problem> {
    json(HttpResponse::Ok(), body)
}

/// The id in the path, when it is one. What cannot be an id names nothing.
pub(crate) fn path_id<T>(request: &HttpRequest, of: impl Fn(Uuid) -> T) -> Option<T> {
    request.match_info().get("id").and_then(|text| Uuid::try_parse(text).ok()).map(of)
}
