//! Values in bodies: how each type is read from the source text of its JSON.

use domain::{FieldError, LocalTime, Money, QueueName, Rejection, ReservationId, ScheduleId, SeatId, UserId};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// How many wrong values one answer names.
const MAX_ERRORS: usize = 100;

/// The wrong values found so far.
#[derive(Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    /// Notes one more and gives nothing, as the value is of no use.
    pub(crate) fn reject<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        if self.0.len() < MAX_ERRORS {
            // A name that a caller chose may be as long as the body.
            self.0.push(FieldError::new(field.chars().take(100).collect::<String>(), message));
        }
        None
    }

    /// Whether nothing was wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The wrong values, in the order in which they were found.
    pub(crate) fn found(self) -> Vec<FieldError> {
        self.0
    }

    /// Notes what the rules refuse of values that could be read.
    pub(crate) fn rejected<T>(&mut self, rejection: Rejection) -> Option<T> {
        match rejection {
            Rejection::Invalid(errors) => self.0.extend(errors),
            other => self.0.push(FieldError::new("body", other.to_string())),
        }
        None
    }
}

/// What can be read from the source text of a JSON value.
pub(crate) trait FromJson: Sized {
    /// Reads the value that stands at `at`; notes why when it cannot be.
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self>;
}

impl FromJson for String {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        serde_json::from_str(raw.get()).ok().or_else(|| errors.reject(at, "must be a text"))
    }
}

impl FromJson for bool {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        serde_json::from_str(raw.get()).ok().or_else(|| errors.reject(at, "must be true or false"))
    }
}

impl FromJson for u32 {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        // Digits only: neither a sign nor a fraction nor an exponent.
        raw.get().parse().ok().or_else(|| errors.reject(at, "must be a whole number, 0 to 4294967295"))
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
            return errors.reject(at, "must be a list");
        };
        items.into_iter().enumerate().map(|(i, item)| T::read(item, &format!("{at}[{i}]"), errors)).collect()
    }
}

/// Reads a text and what it says; `expected` says what it must be.
fn said<T>(
    raw: &RawValue,
    at: &str,
    errors: &mut Errors,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let text: Option<String> = serde_json::from_str(raw.get()).ok();
    text.and_then(|text| parse(&text)).or_else(|| errors.reject(at, expected))
}

impl FromJson for UserId {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let expected =
            "must be a text of 1 to 64 characters, Unicode NFC, without control characters and outer white space";
        said(raw, at, errors, expected, Self::parse)
    }
}

impl FromJson for QueueName {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        said(raw, at, errors, "must be a text of 1 to 32 of a-z, 0-9 and -", Self::parse)
    }
}

impl FromJson for LocalTime {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        said(raw, at, errors, "must be a date and time as RFC 3339 writes it", Self::parse)
    }
}

fn uuid(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Uuid> {
    said(raw, at, errors, "must be a UUID", |text| Uuid::try_parse(text).ok())
}

impl FromJson for SeatId {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        uuid(raw, at, errors).map(Self::new)
    }
}

impl FromJson for ScheduleId {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        uuid(raw, at, errors).map(Self::new)
    }
}

impl FromJson for ReservationId {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        uuid(raw, at, errors).map(Self::new)
    }
}

/// Reads an amount from its source text, so that no amount is rounded and none takes long (trap W3).
impl FromJson for Money {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let text = raw.get();
        let amount = if text.starts_with('"') {
            serde_json::from_str::<String>(text).ok().and_then(|text| Self::parse(&text))
        } else {
            Self::parse(text)
        };
        amount.or_else(|| {
            errors.reject(at, "must be an amount, 0 to 10000000000000 with at most two decimals and no exponent")
        })
    }
}

/// An amount as callers may write it.
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
