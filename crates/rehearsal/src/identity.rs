//! Proof of who one is, as the shop would give it to its users (R18).

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;

/// Longer than any rehearsal.
const EXPIRES: u64 = 4_102_444_800;

/// The shop that vouches for people.
pub(crate) struct Identity(EncodingKey);

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    exp: u64,
}

impl Identity {
    /// With the key that it shares with the servers.
    pub(crate) fn new(user_key: &str) -> Self {
        Self(EncodingKey::from_secret(user_key.as_bytes()))
    }

    /// A JWT (HS256) for a user.
    pub(crate) fn vouch(&self, user: &str) -> Result<String, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(&Header::default(), &Claims { sub: user, exp: EXPIRES }, &self.0)
    }
}
