//! Values in bodies: how each type is read from the source text of its JSON.

use domain::{FieldError, LocalTime, Money, QueueName, ReservationId, ScheduleId, SeatId, Timestamp, UserId, Wrong};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::answer::problem::MAX_ERRORS;

/// The wrong values found so far.
#[derive(Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    /// Notes one more and gives nothing, as the value is of no use.
    pub(crate) fn reject<T>(&mut self, field: &str, wrong: Wrong) -> Option<T> {
        if self.0.len() < MAX_ERRORS {
            // A name that a caller chose may be as long as the body.
            self.0.push(FieldError::new(field.chars().take(100).collect::<String>(), wrong));
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
    pub(crate) fn refuse<T>(&mut self, error: FieldError) -> Option<T> {
        self.0.push(error);
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
        serde_json::from_str(raw.get()).ok().or_else(|| errors.reject(at, Wrong::Text))
    }
}

impl FromJson for bool {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        serde_json::from_str(raw.get()).ok().or_else(|| errors.reject(at, Wrong::TrueOrFalse))
    }
}

impl FromJson for u32 {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        // Digits only: neither a sign nor a fraction nor an exponent. What is more than any bound is left to the rules to refuse,
        // which know the bound.
        let digits = raw.get();
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return errors.reject(at, Wrong::WholeNumber);
        }
        Some(digits.parse().unwrap_or(u32::MAX))
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
            return errors.reject(at, Wrong::List);
        };
        items.into_iter().enumerate().map(|(i, item)| T::read(item, &format!("{at}[{i}]"), errors)).collect()
    }
}

/// Reads a text and what it says; `wrong` is said of one that says nothing.
fn said<T>(
    raw: &RawValue,
    at: &str,
    errors: &mut Errors,
    wrong: Wrong,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let text: Option<String> = serde_json::from_str(raw.get()).ok();
    text.and_then(|text| parse(&text)).or_else(|| errors.reject(at, wrong))
}

impl FromJson for UserId {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        said(raw, at, errors, Wrong::User, Self::parse)
    }
}

impl FromJson for QueueName {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        said(raw, at, errors, Wrong::Queue, Self::parse)
    }
}

impl FromJson for LocalTime {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let Ok(text) = serde_json::from_str::<String>(raw.get()) else { return errors.reject(at, Wrong::DateAndTime) };
        Self::named(&text).map_or_else(|wrong| errors.reject(at, wrong), Some)
    }
}

impl FromJson for Timestamp {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        LocalTime::read(raw, at, errors).map(LocalTime::at)
    }
}

fn uuid(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Uuid> {
    said(raw, at, errors, Wrong::Uuid, |text| Uuid::try_parse(text).ok())
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
        amount.or_else(|| errors.reject(at, Wrong::Amount))
    }
}

/// An amount as callers may write it.
pub(crate) struct Amount;

/// An amount above 0 as callers may write it.
pub(crate) struct AmountAboveZero;

/// The largest amount, in points.
const LARGEST: i64 = Money::MAX_MINOR / 100;

fn written(number: ObjectBuilder, pattern: &str) -> RefOr<Schema> {
    let number = number.schema_type(Type::Number).maximum(Some(LARGEST)).multiple_of(Some(0.01));
    OneOfBuilder::new()
        .item(number)
        .item(ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)))
        .description(Some("Points, exact to two decimals: a number written without exponent, or such a text."))
        .examples([serde_json::json!(12000)])
        .into()
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        written(ObjectBuilder::new().minimum(Some(0)), r"^([0-9]{1,13}(\.[0-9]{1,2})?|10{13}(\.00?)?)$")
    }
}

impl PartialSchema for AmountAboveZero {
    fn schema() -> RefOr<Schema> {
        written(
            ObjectBuilder::new().exclusive_minimum(Some(0)),
            r"^(?!0+(\.0+)?$)([0-9]{1,13}(\.[0-9]{1,2})?|10{13}(\.00?)?)$",
        )
    }
}

impl ToSchema for Amount {}

impl ToSchema for AmountAboveZero {}
