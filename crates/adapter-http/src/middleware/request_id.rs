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
        RequestId(HeaderValue::try_from(self.text(number)).unwrap_or_else(|_never| HeaderValue::from_static("-")))
    }

    /// The process and the number in hexadecimal. By hand, in just the room it takes: every answer has one.
    fn text(&self, number: u64) -> String {
        let digits = number.checked_ilog2().unwrap_or(0) / 4 + 1;
        let length = self.process.len().saturating_add(1).saturating_add(usize::try_from(digits).unwrap_or(0));
        let mut text = String::with_capacity(length);
        text.push_str(&self.process);
        text.push('-');
        text.extend((0..digits).rev().filter_map(|place| {
            let digit = u32::try_from(number >> (4 * place) & 0xf).ok()?;
            char::from_digit(digit, 16)
        }));
        text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_numbered_in_hexadecimal_behind_their_process() {
        let ids = RequestIds::new(Uuid::from_u128(0xab));
        for number in [1, 9, 0xf, 0x10, 0xff, 0x100, 0x1234_5678_9abc_def0, u64::MAX] {
            assert_eq!(ids.text(number), format!("000000000000000000000000000000ab-{number:x}"));
        }
        assert_eq!((ids.next().as_str(), ids.next().as_str()), (&*ids.text(1), &*ids.text(2)));
    }
}
