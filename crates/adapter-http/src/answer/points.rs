//! How amounts of points are written.

use std::fmt;

use domain::Money;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

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

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        match (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100) {
            (whole, 0) => write!(f, "{sign}{whole}"),
            (whole, hundredths) if hundredths.is_multiple_of(10) => write!(f, "{sign}{whole}.{}", hundredths / 10),
            (whole, hundredths) => write!(f, "{sign}{whole}.{hundredths:02}"),
        }
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            return serializer.serialize_i64(self.0 / 100);
        }
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
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
