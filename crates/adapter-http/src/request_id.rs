//! `X-Request-Id`: the caller's when it is fit to be repeated, one of ours otherwise.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header's name.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Numbers the requests of this process, behind a name that no other process has.
pub(crate) struct RequestIds {
    process: String,
    next: AtomicU64,
}

impl RequestIds {
    /// `process` is new for every process.
    pub(crate) fn new(process: Uuid) -> Self {
        Self { process: process.simple().to_string(), next: AtomicU64::new(1) }
    }

    /// The id of a request with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestId {
        let mut given = headers.get_all(HEADER);
        match (given.next(), given.next()) {
            (Some(value), None) if is_fit(value.as_bytes()) => RequestId(value.clone()),
            _ => self.next(),
        }
    }

    fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let value = HeaderValue::from_str(&format!("{}-{number:x}", self.process));
        RequestId(value.unwrap_or_else(|_never| HeaderValue::from_static("-")))
    }
}

/// `[A-Za-z0-9._-]{1,64}`: nothing that could harm a log or a header.
fn is_fit(id: &[u8]) -> bool {
    (1..=64).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
}

/// The id of one request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

impl RequestId {
    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("-")
    }
}
