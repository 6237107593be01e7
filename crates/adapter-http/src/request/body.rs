//! Request bodies: received up to a limit, and strict about what they are.
//!
//! A body is checked as a JSON text first and read value by value from its source text then, so that every wrong value
//! is named, no number passes through a float, and nothing is built for what is not asked for.

use std::fmt;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use domain::{FieldError, Rejection};
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;

/// How long bodies are read, in bytes; set for a route by its resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit(pub(crate) usize);

impl BodyLimit {
    /// What buyers send.
    pub(crate) const USUAL: Self = Self(64 * 1024);
    /// What operators send: concerts with their seats.
    pub(crate) const ADMIN: Self = Self(8 * 1024 * 1024);
}

/// How long a body may take to arrive: a caller who sends a byte now and then must not keep a connection for ever.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(30);
/// How deep values may be nested; the deepest body there is has five levels.
const MAX_DEPTH: usize = 32;
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

/// The body of a request.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: FromJson + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = check_head(request);
        let payload = payload.take();
        Box::pin(async move {
            let body = timeout(RECEIVE_TIMEOUT, receive(payload, checked?)).await;
            parse(&body.map_err(|late| Problem::malformed(late.to_string()))??).map(Self)
        })
    }
}

/// Refuses by the head alone what need not be received; the limit otherwise.
fn check_head(request: &HttpRequest) -> Result<BodyLimit, Problem> {
    let encoded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    let mut types = request.headers().get_all(header::CONTENT_TYPE);
    let json = types.next().and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
    });
    if encoded || !json || types.next().is_some() {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    let limit = request.app_data::<BodyLimit>().copied().unwrap_or(BodyLimit::USUAL);
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > limit.0) {
        return Err(Problem::new(Code::PayloadTooLarge));
    }
    Ok(limit)
}

async fn receive(mut payload: Payload, limit: BodyLimit) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| match error {
            PayloadError::Overflow => Problem::new(Code::PayloadTooLarge),
            other => Problem::malformed(other.to_string()),
        })?;
        if body.len() + chunk.len() > limit.0 {
            return Err(Problem::new(Code::PayloadTooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads a whole body.
pub(crate) fn parse<T: FromJson>(body: &[u8]) -> Result<T, Problem> {
    let text = str::from_utf8(body).map_err(|error| Problem::malformed(error.to_string()))?;
    if is_deeper_than(text, MAX_DEPTH) {
        return Err(Problem::malformed(format!("nested deeper than {MAX_DEPTH} levels")));
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| Problem::malformed(error.to_string()))?;
    let mut errors = Errors::default();
    match T::read(raw, "", &mut errors) {
        Some(value) if errors.0.is_empty() => Ok(value),
        _ => Err(Problem::invalid(errors.0)),
    }
}

fn is_deeper_than(text: &str, most: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// The members of a JSON object, to be taken one by one; what is left over in the end is unknown or came twice.
pub(crate) struct Members<'a> {
    at: String,
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Members<'a> {
    /// The object that stands at `at`.
    pub(crate) fn of(raw: &'a RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let Ok(Listed(members)) = serde_json::from_str(raw.get()) else {
            return errors.reject(if at.is_empty() { "body" } else { at }, "must be an object");
        };
        Some(Self { at: at.to_owned(), members })
    }

    /// Whether there is such a member that was not taken yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, _)| known == name)
    }

    /// A member that must be there.
    pub(crate) fn required<T: FromJson>(&mut self, name: &str, errors: &mut Errors) -> Option<T> {
        if self.has(name) { self.optional(name, errors) } else { errors.reject(&self.path(name), "is required") }
    }

    /// A member that may be left out. Nothing, too, when it cannot be read, which is noted.
    pub(crate) fn optional<T: FromJson>(&mut self, name: &str, errors: &mut Errors) -> Option<T> {
        let index = self.members.iter().position(|(known, _)| known == name)?;
        let (_, raw) = self.members.swap_remove(index);
        T::read(raw, &self.path(name), errors)
    }

    /// Refuses what was not taken: each name is taken once.
    pub(crate) fn finish(self, errors: &mut Errors) {
        for (name, _) in &self.members {
            errors.reject::<()>(&self.path(name), "is unknown or came twice");
        }
    }

    fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }
}

/// Name and source text of each member, in the order they came, doubles included.
struct Listed<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Listed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Listed<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Listed(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use actix_web::web::Bytes;
    use domain::Money;
    use futures::stream::{self, BoxStream};

    use super::*;

    fn chunked(chunks: BoxStream<'static, Result<Bytes, PayloadError>>) -> Payload {
        Payload::Stream { payload: Box::pin(chunks) }
    }

    async fn received(payload: Payload) -> Result<Json<Money>, Problem> {
        let request = TestRequest::post().insert_header(("content-type", "application/json")).to_http_request();
        Json::<Money>::from_request(&request, &mut { payload }).await
    }

    /// Nobody waits here: the clock of a paused runtime jumps to what everybody waits for.
    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_not_waited_for() {
        let trickle = stream::once(async { Ok(Bytes::from_static(b"{")) }).chain(stream::pending());
        let refused = received(chunked(Box::pin(trickle))).await.err().unwrap();
        assert_eq!(refused.code, Code::MalformedRequest);
    }

    #[tokio::test]
    async fn a_body_in_pieces_of_no_declared_length_is_bounded_too() {
        let pieces = |count: usize| stream::iter((0..count).map(|_| Ok(Bytes::from(vec![b' '; 1024]))));
        let number = || stream::once(async { Ok(Bytes::from_static(b"12")) });
        let fits = received(chunked(Box::pin(pieces(63).chain(number())))).await.unwrap();
        assert_eq!(Some(fits.0), Money::parse("12"));
        let long = received(chunked(Box::pin(pieces(64).chain(number())))).await.err().unwrap();
        assert_eq!(long.code, Code::PayloadTooLarge);
        let broken = stream::iter([Err(PayloadError::Incomplete(None))]);
        assert_eq!(received(chunked(Box::pin(broken))).await.err().unwrap().code, Code::MalformedRequest);
    }

    #[test]
    fn brackets_within_texts_are_no_depth() {
        assert!(!is_deeper_than(r#""[[[[\"[[[[\\""#, 0));
        assert!(is_deeper_than(r#"["\\"[[]]]"#, 2));
        assert!(!is_deeper_than("[][][{}]", 2));
    }
}
