//! Request bodies: received up to a limit, and strict about what they are.
//!
//! A body is checked as a JSON text first and read value by value from its source text then, so that every wrong value
//! is named, no number passes through a float, and nothing is built for what is not asked for.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;
use crate::request::body_values::{Errors, FromJson};

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
        Some(value) if errors.is_empty() => Ok(value),
        _ => Err(Problem::invalid(errors.found())),
    }
}

/// Whether values are nested deeper than the contract's limit, which holds on every route alike. The reader itself would
/// take any depth: it needs no stack for values that it passes over.
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
