//! Requests over connections that are kept and bounded.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::answers::Problem;
use crate::operation::Operation;

/// How long an answer may take. The service gives up sooner by itself.
const TIMEOUT: Duration = Duration::from_secs(40);
/// How much of a body a report of a violation quotes, in bytes.
const QUOTED: usize = 600;

/// Servers, and the connections to them.
pub(crate) struct Client {
    http: reqwest::Client,
    servers: Vec<String>,
    /// One for each request that may be under way.
    permits: Semaphore,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// Below `/api/v1`.
    pub(crate) path: String,
    /// What `Authorization: Bearer` says.
    pub(crate) bearer: Option<String>,
    /// The idempotency key (R15).
    pub(crate) key: Option<String>,
    /// JSON.
    pub(crate) body: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// An answer, whole.
    Answered(Answer),
    /// No answer, or not a whole one; why.
    Broken(String),
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The code of a problem; empty for a success.
    pub(crate) code: String,
    pub(crate) body: Bytes,
    /// Whether it was said to be a first answer given again (R15).
    pub(crate) replayed: bool,
    /// What every answer must have and this one lacks; empty for none.
    pub(crate) lacks: &'static str,
    /// When it was read.
    pub(crate) at: Instant,
}

impl Call {
    /// A request without anything but its path.
    pub(crate) fn new(operation: Operation, path: impl Into<String>) -> Self {
        Self { operation, path: path.into(), bearer: None, key: None, body: None }
    }

    pub(crate) fn bearer(self, bearer: impl Into<String>) -> Self {
        Self { bearer: Some(bearer.into()), ..self }
    }

    pub(crate) fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    pub(crate) fn body(self, body: &serde_json::Value) -> Self {
        Self { body: Some(body.to_string()), ..self }
    }

    /// What was sent and what came back, in one line, without secrets.
    pub(crate) fn exchange(&self, answer: Option<&Answer>) -> String {
        let mut text = format!("{} {}", self.operation.method(), self.path);
        // Writing to a text does not fail.
        if let Some(body) = &self.body {
            write!(text, " {body}").unwrap_or_default();
        }
        if self.key.is_some() {
            text.push_str(" (with an Idempotency-Key)");
        }
        match answer {
            Some(answer) => {
                let quoted = String::from_utf8_lossy(answer.body.get(..QUOTED).unwrap_or(&answer.body));
                write!(text, " -> {} {quoted}", answer.status).unwrap_or_default();
            }
            None => text.push_str(" -> no answer"),
        }
        if let Some(bearer) = &self.bearer {
            text = text.replace(bearer.as_str(), "(token)");
        }
        without_issued_token(text)
    }
}

/// The same without the token that an answer to a join tells, which nobody has sent yet.
fn without_issued_token(text: String) -> String {
    const MEMBER: &str = r#""token":""#;
    match text.split_once(MEMBER) {
        Some((before, rest)) => {
            let after = rest.split_once('"').map_or("", |(_token, after)| after);
            format!(r#"{before}{MEMBER}(token)"{after}"#)
        }
        None => text,
    }
}

impl Client {
    /// For these servers, each without a slash at its end, with at most so many requests under way at once.
    pub(crate) fn new(servers: Vec<String>, connections: usize) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(connections)
            // Sooner than the service gives an idle connection up.
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true)
            .no_proxy()
            .build()?;
        Ok(Self { http, servers, permits: Semaphore::new(connections) })
    }

    /// The servers, each by its URL.
    pub(crate) fn servers(&self) -> &[String] {
        &self.servers
    }

    /// Sends a request to the server whose turn it is, when a connection is free.
    pub(crate) async fn send(&self, call: &Call, turn: usize) -> Outcome {
        let _permit = self.permits.acquire().await;
        match self.exchange(call, turn).await {
            Ok(answer) => Outcome::Answered(answer),
            Err(error) => Outcome::Broken(why(&error)),
        }
    }

    /// Sends a request and hangs up `after` so long, whatever comes of it.
    pub(crate) async fn send_and_hang_up(&self, call: &Call, turn: usize, after: Duration) {
        let _permit = self.permits.acquire().await;
        drop(tokio::time::timeout(after, self.exchange(call, turn)).await);
    }

    async fn exchange(&self, call: &Call, turn: usize) -> reqwest::Result<Answer> {
        let server = self.servers.get(turn % self.servers.len().max(1)).map_or("", String::as_str);
        let mut request = self.http.request(call.operation.method(), format!("{server}/api/v1{}", call.path));
        if let Some(bearer) = &call.bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
        }
        if let Some(key) = &call.key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await?;
        let problem = is_problem(&headers);
        let code = if status < 400 { String::new() } else { read_code(&body) };
        Ok(Answer {
            replayed: headers.get("Idempotent-Replayed").is_some_and(|value| value == "true"),
            lacks: lacks(status, &headers, problem && !code.is_empty()),
            status,
            code,
            body,
            at: Instant::now(),
        })
    }
}

/// What every answer must have (`docs/contract.md`, answers).
fn lacks(status: u16, headers: &HeaderMap, tells_code: bool) -> &'static str {
    if !headers.contains_key("X-Request-Id") {
        "X-Request-Id"
    } else if status >= 400 && !tells_code {
        "a problem document with a code"
    } else if status == 401 && !headers.contains_key("WWW-Authenticate") {
        "WWW-Authenticate"
    } else if status == 503 && !headers.contains_key("Retry-After") {
        "Retry-After"
    } else {
        ""
    }
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

fn read_code(body: &[u8]) -> String {
    serde_json::from_slice::<Problem>(body).map(|problem| problem.code).unwrap_or_default()
}

/// An error with its causes, in one line.
fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").unwrap_or_default();
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports are sent around: nobody may take over a place or a turn with one.
    #[tokio::test]
    async fn an_exchange_tells_no_token_and_no_key() {
        let answer = |body: &'static str| Answer {
            status: 200,
            code: String::new(),
            body: Bytes::from_static(body.as_bytes()),
            replayed: false,
            lacks: "",
            at: Instant::now(),
        };
        let join =
            Call::new(Operation::Join, "/queue/tokens").bearer("proof").body(&serde_json::json!({"user_id": "u"}));
        let told = join.exchange(Some(&answer(r#"{"token":"00010000-secret","queue":"q"}"#)));
        assert_eq!(told, r#"POST /queue/tokens {"user_id":"u"} -> 200 {"token":"(token)","queue":"q"}"#);
        let pay = Call::new(Operation::Pay, "/payments").bearer("00010000-secret").key("key-of-mine");
        let told = pay.exchange(Some(&answer(r#"{"of":"00010000-secret"}"#)));
        assert_eq!(told, r#"POST /payments (with an Idempotency-Key) -> 200 {"of":"(token)"}"#);
        assert_eq!(pay.exchange(None), "POST /payments (with an Idempotency-Key) -> no answer");
    }
}
