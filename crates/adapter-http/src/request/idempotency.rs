//! The `Idempotency-Key` header (R15).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponseBuilder};
use domain::{IdempotencyKey, Wrong};

use crate::answer::problem::Problem;

/// The header's name.
pub(crate) const HEADER: &str = "Idempotency-Key";
/// Marks an answer that was given before.
pub(crate) const REPLAYED: &str = "Idempotent-Replayed";

/// The caller's key, if they sent one.
pub(crate) struct Key(pub(crate) Option<IdempotencyKey>);

impl FromRequest for Key {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(key(request).map(Self))
    }
}

fn key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = request.headers().get_all(HEADER);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::invalid_value(HEADER, Wrong::Twice));
    }
    let key = value.to_str().ok().and_then(IdempotencyKey::parse);
    key.map(Some).ok_or_else(|| Problem::invalid_value(HEADER, Wrong::IdempotencyKey))
}

/// Marks an answer that was given before.
pub(crate) fn mark(response: &mut HttpResponseBuilder, replayed: bool) {
    if replayed {
        response.insert_header((REPLAYED, "true"));
    }
}
