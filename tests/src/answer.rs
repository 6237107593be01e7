//! An answer, checked for what every answer must have.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Method and path.
    pub what: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {:.2000}", self.what, self.status, String::from_utf8_lossy(&self.body))
    }
}

/// What a replay tells anew (R15).
const TODAY: [&str; 3] = ["status", "cancel_reason", "server_time"];

impl Answer {
    /// A header's text; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are ASCII"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// The body of an answer that must have this status; null when it is empty.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// An answer that must be a success, whatever it says.
    #[track_caller]
    pub fn expect_success(&self) {
        assert!((200..300).contains(&self.status), "{self}");
    }

    /// The problem of an answer that must be this refusal.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{self}");
        problem
    }

    /// The code of a problem; empty when the answer is a success.
    pub fn code(&self) -> String {
        if self.status < 400 { String::new() } else { self.json()["code"].as_str().unwrap_or_default().to_owned() }
    }

    /// Whether it was said to be a first answer given again (R15).
    pub fn replayed(&self) -> bool {
        self.header("Idempotent-Replayed") == "true"
    }

    /// What a success says but for what a replay tells anew (R15): what has become of a reservation, and the time.
    #[track_caller]
    pub fn lasting(&self) -> Value {
        let mut told = self.expect(201);
        told.as_object_mut().expect("it is an object").retain(|name, _| !TODAY.contains(&name.as_str()));
        if let Some(reservation) = told.get_mut("reservation").and_then(Value::as_object_mut) {
            reservation.remove("server_time");
        }
        told
    }

    /// What every answer to a request for `path` must have (`docs/contract.md`, answers).
    pub(crate) fn check(&self) {
        let (method, path) = self.what.split_once(' ').expect("it is a method and a path");
        assert!(!self.header("X-Request-Id").is_empty(), "no X-Request-Id: {self}\n{:?}", self.headers);
        assert!(self.headers.get("Set-Cookie").is_none(), "a cookie: {self}");
        if path.starts_with("/api/v1") {
            let shared = self.status < 400 && path.split('?').next() == Some("/api/v1/concerts");
            let caching = if shared { "public, max-age=1" } else { "no-store" };
            assert_eq!(self.header("Cache-Control"), caching, "{self}");
        }
        if self.status >= 400 && method != "HEAD" {
            self.check_problem();
        }
    }

    /// RFC 9457, and the headers that go with some of the statuses.
    fn check_problem(&self) {
        assert_eq!(self.header("Content-Type"), "application/problem+json", "{self}");
        let problem = self.json();
        for field in ["type", "title", "detail", "instance", "code"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "no {field}: {self}");
        }
        assert_eq!(problem["status"], self.status, "{self}");
        let code = problem["code"].as_str().unwrap_or_default();
        assert_eq!(problem["type"], format!("urn:usher:problem:{code}"), "{self}");
        assert_eq!(problem["instance"], format!("urn:usher:request:{}", self.header("X-Request-Id")), "{self}");
        assert_eq!(self.status == 401, self.headers.contains_key("WWW-Authenticate"), "{self}");
        assert!(self.status != 503 || self.headers.contains_key("Retry-After"), "{self}");
    }
}
