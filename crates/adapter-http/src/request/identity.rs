//! Who may say "I am user X" when the shop in front of this service vouches for its people (R18).

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::{Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;
use crate::api::api;
use crate::request::auth::credentials;

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

    fn subject(&self, token: &str, now: Timestamp) -> Option<String> {
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

/// What is before 1970 is as long ago as 1970; `None` is further away than time is counted here.
fn since_1970(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// The user that a joining caller is known to be; `None` in open mode, where anyone may name any user.
pub(crate) struct Identity(Option<String>);

impl Identity {
    /// Lets the caller be `user`, if they may.
    pub(crate) fn may_be(&self, user: &UserId) -> Result<(), Problem> {
        match &self.0 {
            Some(subject) if subject != user.as_str() => Err(Problem::new(Code::IdentityInvalid)),
            Some(_) | None => Ok(()),
        }
    }
}

impl FromRequest for Identity {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(request))
    }
}

fn identity(request: &HttpRequest) -> Result<Identity, Problem> {
    let api = api(request)?;
    let Some(key) = &api.identity else { return Ok(Identity(None)) };
    let token = credentials(request.headers()).ok();
    let subject = token.and_then(|token| key.subject(token, api.app.now()));
    subject.map(|subject| Identity(Some(subject))).ok_or_else(|| Problem::new(Code::IdentityInvalid))
}
