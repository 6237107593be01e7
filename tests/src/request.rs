//! A request that has not been sent yet: awaiting it sends it.

use std::future::IntoFuture;

use futures::future::{BoxFuture, FutureExt};
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::Answer;

/// A request that has not been sent yet.
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    builder: RequestBuilder,
    what: String,
}

impl Request {
    /// `what` is its method and path.
    pub(crate) fn new(builder: RequestBuilder, what: String) -> Self {
        Self { builder, what }
    }

    /// With a header, as it is.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self { builder: self.builder.header(name, value.as_ref()), ..self }
    }

    /// With a token or key in `Authorization`.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// With an idempotency key (R15).
    pub fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// With a JSON body.
    #[expect(clippy::needless_pass_by_value, reason = "bodies are written with json! where they are passed")]
    pub fn json(self, body: Value) -> Self {
        Self { builder: self.builder.json(&body), ..self }
    }

    /// With any bytes as the body, said to be JSON.
    pub fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self { builder: self.builder.body(body.into()), ..self }.header("Content-Type", "application/json")
    }

    /// Sends it; `None` when no whole answer came.
    pub async fn answer(self) -> Option<Answer> {
        let response = self.builder.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.ok()?.to_vec();
        let answer = Answer { what: self.what, status, headers, body };
        answer.check();
        Some(answer)
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = BoxFuture<'static, Answer>;

    /// Sends it; no answer is a failure.
    fn into_future(self) -> Self::IntoFuture {
        let what = self.what.clone();
        async move { self.answer().await.unwrap_or_else(|| panic!("{what}: no answer")) }.boxed()
    }
}
