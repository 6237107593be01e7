//! Standing in line: joining, polling, leaving.

use std::fmt::Write;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, web};
use app::{Joined, Standing};
use domain::{QueueName, Timestamp, TokenStatus, UserId};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;
use crate::answer::token_state::TokenState;
use crate::answer::{dates, json};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::request::auth::Bearer;
use crate::request::body::Json;
use crate::request::body_object::object;
use crate::request::identity::Identity;
use crate::request::query::{Nothing, Query};

const ME: &str = "/api/v1/queue/tokens/me";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let status = Content::One(
        Shape::of::<TokenStatusView>(),
        json!({
            "token": "00000000-0001-8abc-8def-0123456789ab", "queue": "main", "status": "WAITING", "position": 5,
            "version": 812, "estimated_wait_seconds": 10, "poll_after_ms": 1040, "activated_at": null,
            "selection_ends_at": null, "expires_at": null, "server_time": "2026-12-01T10:00:05Z", "stale": false, "as_of": "2026-12-01T10:00:05Z"
        }),
    );
    let token = Content::One(
        Shape::of::<TokenView>(),
        json!({
            "token": "00000000-0001-8abc-8def-0123456789ab", "queue": "main", "user_id": "alice", "status": "WAITING",
            "position": 5, "version": 812, "estimated_wait_seconds": 10, "poll_after_ms": 1040,
            "issued_at": "2026-12-01T10:00:05Z", "activated_at": null, "selection_ends_at": null, "expires_at": null,
            "server_time": "2026-12-01T10:00:05Z"
        }),
    );
    vec![
        Endpoint::new(Method::GET, ME, "getToken", "Where one's token stands.", || web::to(poll))
            .auth(Auth::Token)
            .answers(200, "The token, in whatever state it is.", status)
            .header("Retry-After", "While it waits: when to ask again, in seconds."),
        Endpoint::new(Method::DELETE, ME, "leaveQueue", "Leaves the line and cancels what is held.", || web::to(leave))
            .auth(Auth::Token)
            .answers(204, "The token is EXPIRED.", Content::Empty),
        Endpoint::new(
            Method::POST,
            "/api/v1/queue/tokens",
            "joinQueue",
            "Takes a place in line; the same one again while it is live.",
            || web::to(join),
        )
        .auth(Auth::Identity)
        .body::<Join>(json!({"user_id": "alice", "queue": "main"}))
        .answers(201, "A new place.", token.clone())
        .header("Location", "Where to ask for it.")
        .answers(200, "The place that the user has.", token)
        .refuses(&[Code::NotFound]),
    ]
}

object! {
    /// A request to join a line.
    struct Join {
        /// Who joins: 1 to 64 characters, Unicode NFC, none of them invisible, without white space at the ends.
        #[schema(value_type = String, min_length = 1, max_length = 64, pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$", example = "alice")]
        user_id: UserId,
        /// Which line; `main` when it is left out.
        #[schema(value_type = Option<String>, nullable = false, pattern = "^[a-z0-9-]{1,32}$", example = "main")]
        queue: Option<QueueName>,
    }
}

/// A place in line, as the one who joined is told.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenView {
    /// To be sent as `Authorization: Bearer`; for its holder only.
    token: String,
    queue: String,
    user_id: String,
    status: TokenState,
    /// Live waiters ahead + 1; 0 when ACTIVE; null when EXPIRED.
    #[schema(required)]
    position: Option<u64>,
    /// What the position is exact at; a later one never shows a higher position.
    version: u64,
    /// Null while unknown or paused, and when there is nothing to wait for.
    #[schema(required)]
    estimated_wait_seconds: Option<u64>,
    /// When to ask again; null when there is nothing to wait for.
    #[schema(required)]
    poll_after_ms: Option<u64>,
    #[schema(schema_with = dates::date_time)]
    issued_at: String,
    #[schema(schema_with = dates::date_time_or_null, required)]
    activated_at: Option<String>,
    /// From when on no hold begins, as a payment or time has ended selection; null while waiting.
    #[schema(schema_with = dates::date_time_or_null, required)]
    selection_ends_at: Option<String>,
    /// When ACTIVE is over: then, or with what is held if that ends later; null while waiting.
    #[schema(schema_with = dates::date_time_or_null, required)]
    expires_at: Option<String>,
    #[schema(schema_with = dates::date_time)]
    server_time: String,
}

/// A place in line, as its holder is told who polls.
#[derive(ToSchema)]
#[schema(as = TokenStatus)]
struct TokenStatusView {
    token: String,
    #[schema(value_type = String)]
    queue: QueueName,
    status: TokenState,
    /// Live waiters ahead + 1; 0 when ACTIVE; null when EXPIRED.
    #[schema(required)]
    position: Option<u64>,
    /// What the position is exact at; a later one never shows a higher position.
    version: u64,
    /// Null while unknown or paused, and when there is nothing to wait for.
    #[schema(required)]
    estimated_wait_seconds: Option<u64>,
    /// When to ask again; null when there is nothing to wait for.
    #[schema(required)]
    poll_after_ms: Option<u64>,
    #[schema(schema_with = dates::date_time_or_null, required)]
    activated_at: Option<Timestamp>,
    /// From when on no hold begins, as a payment or time has ended selection; null while waiting.
    #[schema(schema_with = dates::date_time_or_null, required)]
    selection_ends_at: Option<Timestamp>,
    /// When ACTIVE is over: then, or with what is held if that ends later; null while waiting.
    #[schema(schema_with = dates::date_time_or_null, required)]
    expires_at: Option<Timestamp>,
    #[schema(schema_with = dates::date_time)]
    server_time: Timestamp,
    /// Whether the line was last looked at too long ago: the position may be too high, never too low.
    stale: bool,
    /// When the line was last looked at.
    #[schema(schema_with = dates::date_time)]
    as_of: Timestamp,
}

impl TokenStatusView {
    /// Its JSON. By hand, as a whole crowd polls: nothing that stands in it can need an escape.
    fn to_json(&self) -> String {
        let status = match self.status {
            TokenState::Waiting => "WAITING",
            TokenState::Active => "ACTIVE",
            TokenState::Expired => "EXPIRED",
        };
        let mut json = Written(String::with_capacity(512));
        json.text(r#"{"token":""#, &self.token);
        json.text(r#"","queue":""#, self.queue.as_str());
        json.text(r#"","status":""#, status);
        json.number(r#"","position":"#, self.position);
        json.number(r#","version":"#, Some(self.version));
        json.number(r#","estimated_wait_seconds":"#, self.estimated_wait_seconds);
        json.number(r#","poll_after_ms":"#, self.poll_after_ms);
        json.time(r#","activated_at":"#, self.activated_at);
        json.time(r#","selection_ends_at":"#, self.selection_ends_at);
        json.time(r#","expires_at":"#, self.expires_at);
        json.time(r#","server_time":"#, Some(self.server_time));
        json.text(r#","stale":"#, if self.stale { "true" } else { "false" });
        json.time(r#","as_of":"#, Some(self.as_of));
        json.text("}", "");
        json.0
    }
}

/// JSON that is written piece by piece: what stands before a value, and the value.
struct Written(String);

impl Written {
    fn text(&mut self, before: &str, value: &str) {
        self.0.push_str(before);
        self.0.push_str(value);
    }

    fn number(&mut self, before: &str, value: Option<u64>) {
        match value {
            Some(value) => self.text(before, itoa::Buffer::new().format(value)),
            None => self.text(before, "null"),
        }
    }

    fn time(&mut self, before: &str, value: Option<Timestamp>) {
        match value {
            Some(value) => {
                self.text(before, "\"");
                // Writing to a text does not fail.
                write!(self.0, "{value}").unwrap_or_default();
                self.0.push('"');
            }
            None => self.text(before, "null"),
        }
    }
}

fn whole_seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn millis(wait: std::time::Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

impl TokenView {
    fn of(joined: Joined, user: &UserId) -> Self {
        let Joined { standing, issued_at, .. } = joined;
        Self {
            token: standing.token.to_text(),
            queue: standing.queue.to_string(),
            user_id: user.to_string(),
            status: standing.status.into(),
            position: standing.position,
            version: standing.version,
            estimated_wait_seconds: standing.estimated_wait.map(whole_seconds),
            poll_after_ms: standing.poll_after.map(millis),
            issued_at: issued_at.to_string(),
            activated_at: standing.activated_at.map(|at| at.to_string()),
            selection_ends_at: standing.selection_ends_at.map(|at| at.to_string()),
            expires_at: standing.expires_at.map(|at| at.to_string()),
            server_time: standing.server_time.to_string(),
        }
    }
}

impl From<Standing> for TokenStatusView {
    fn from(standing: Standing) -> Self {
        Self {
            token: standing.token.to_text(),
            queue: standing.queue,
            status: standing.status.into(),
            position: standing.position,
            version: standing.version,
            estimated_wait_seconds: standing.estimated_wait.map(whole_seconds),
            poll_after_ms: standing.poll_after.map(millis),
            activated_at: standing.activated_at,
            selection_ends_at: standing.selection_ends_at,
            expires_at: standing.expires_at,
            server_time: standing.server_time,
            stale: standing.stale,
            as_of: standing.as_of,
        }
    }
}

async fn join(
    identity: Identity,
    _: Query<Nothing>,
    body: Json<Join>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let Json(Join { user_id, queue }) = body;
    identity.may_be(&user_id)?;
    let joined = api.app.join(&queue.unwrap_or_else(QueueName::main), &user_id).await?;
    let mut response = if joined.created { HttpResponse::Created() } else { HttpResponse::Ok() };
    if joined.created {
        response.insert_header((header::LOCATION, ME));
    }
    json::json(response, &TokenView::of(joined, &user_id))
}

async fn poll(bearer: Bearer, _: Query<Nothing>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let standing = api.app.standing(bearer.0).await?;
    let mut response = HttpResponse::Ok();
    if let Some(wait) = standing.poll_after.filter(|_| standing.status == TokenStatus::Waiting) {
        response.insert_header((header::RETRY_AFTER, whole_seconds(wait)));
    }
    Ok(json::written(response, TokenStatusView::from(standing).to_json()))
}

async fn leave(bearer: Bearer, _: Query<Nothing>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    for schedule in api.app.leave(bearer.0).await? {
        api.schedule_changed(bearer.0.queue(), schedule);
    }
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_by_hand_is_the_json_that_it_says() {
        let view = |state, number: Option<u64>, stale| TokenStatusView {
            token: "00000000-0001-8abc-8def-0123456789ab".to_owned(),
            queue: QueueName::main(),
            status: state,
            position: number,
            version: 812,
            estimated_wait_seconds: number.map(|number| number + 1),
            poll_after_ms: number.map(|number| number + 2),
            activated_at: number.map(|_| Timestamp::from_micros(0)),
            selection_ends_at: number.map(|_| Timestamp::from_micros(1_000_000)),
            expires_at: number.map(|_| Timestamp::from_micros(1_500_000)),
            server_time: Timestamp::from_micros(2_000_000),
            stale,
            as_of: Timestamp::from_micros(3_000_001),
        };
        for (state, number, stale) in [
            (TokenState::Waiting, Some(5), true),
            (TokenState::Active, Some(0), false),
            (TokenState::Expired, None, false),
        ] {
            let written: serde_json::Value = serde_json::from_str(&view(state, number, stale).to_json()).unwrap();
            let expected = json!({
                "token": "00000000-0001-8abc-8def-0123456789ab", "queue": "main", "status": state, "position": number,
                "version": 812, "estimated_wait_seconds": number.map(|number| number + 1),
                "poll_after_ms": number.map(|number| number + 2),
                "activated_at": number.map(|_| "1970-01-01T00:00:00Z"),
                "selection_ends_at": number.map(|_| "1970-01-01T00:00:01Z"),
                "expires_at": number.map(|_| "1970-01-01T00:00:01.5Z"),
                "server_time": "1970-01-01T00:00:02Z", "stale": stale, "as_of": "1970-01-01T00:00:03.000001Z"
            });
            assert_eq!(written, expected);
        }
    }
}
