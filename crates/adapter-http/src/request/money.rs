//! How amounts are read: from their source text, so that no amount is rounded and none takes long (trap W3).

use domain::Money;
use serde_json::value::RawValue;

use crate::request::body::{Errors, FromJson};

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
