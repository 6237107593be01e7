//! The secret that the shop signs its people's identity tokens with (R18).

use std::time::Duration;

use domain::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// Checks the shop's identity tokens: JWTs with HS256, `sub` and `exp`.
pub(crate) struct IdentityKey {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Seconds since 1970, which may have a fraction (RFC 7519, `NumericDate`).
    exp: f64,
    nbf: Option<f64>,
}

impl IdentityKey {
    /// Checks with the secret shared with the shop.
    pub(crate) fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Times are compared below with the injected clock. The shop may name an audience of its own.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        Self { key: DecodingKey::from_secret(secret.as_bytes()), validation }
    }

    /// Whom this token names, if it is signed with the secret and good at `now`.
    pub(crate) fn subject(&self, token: &str, now: Timestamp) -> Option<String> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).ok()?.claims;
        let now = Duration::from_micros(u64::try_from(now.micros()).ok()?);
        let over = now >= since_1970(claims.exp)?;
        let begun = match claims.nbf {
            Some(start) => since_1970(start)? <= now,
            None => true,
        };
        (begun && !over).then_some(claims.sub)
    }
}

/// A time as its distance from 1970: zero for all times before it, `None` for a time that a `Duration` cannot hold.
fn since_1970(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}
