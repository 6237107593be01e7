//! Standing in line: joining, polling, leaving.

use std::fmt::Write;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, web};
use app::{Bulletin, Joined, Standing};
use domain::{Phase, QueueName, Timestamp, TokenStatus, UserId};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::answer::error_codes::Code;
use crate::answer::message::MessageView;
use crate::answer::points::Points;
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
            "token": "00000000-0001-8abc-8def-0123456789ab", "queue": "main", "opens_at": null, "message": null,
            "sold_out": false, "all_held": false, "cheapest_available": 12000, "phase": "WAITING", "status": "WAITING",
            "position": 5, "version": 812, "estimated_wait_seconds": 10, "wait_range": {"low": 7, "high": 13},
            "poll_after_ms": 1040, "activated_at": null, "selection_ends_at": null, "expires_at": null, "end_reason": null,
            "server_time": "2026-12-01T10:00:05Z", "stale": false, "as_of": "2026-12-01T10:00:05Z"
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
#[expect(dead_code, reason = "it describes what is written by hand, as a whole crowd polls")]
struct TokenStatusView {
    token: String,
    queue: String,
    /// When the queue opens: nobody is admitted before. Null when it does not open at a time.
    #[schema(schema_with = dates::date_time_or_null, required)]
    opens_at: Option<String>,
    /// What the operator tells those who wait.
    #[schema(required)]
    message: Option<MessageView>,
    /// Whether every seat of the queue's performances to come is SOLD; false where there is no seat. This and the next two are
    /// about a second old.
    sold_out: bool,
    /// Whether no seat can be held now, and some may come back.
    all_held: bool,
    /// What the cheapest seat costs that can be held now; null when there is none, or when that is not known yet.
    #[schema(required)]
    cheapest_available: Option<Points>,
    phase: PhaseView,
    status: TokenState,
    /// Live waiters ahead + 1; 0 when ACTIVE; null when EXPIRED.
    #[schema(required)]
    position: Option<u64>,
    /// What the position is exact at; a later one never shows a higher position.
    version: u64,
    /// As far as anybody can know; from the opening on before that. Null while paused, where nobody is admitted, and when there
    /// is nothing to wait for.
    #[schema(required)]
    estimated_wait_seconds: Option<u64>,
    /// Between what the wait will be; null as `estimated_wait_seconds` is.
    #[schema(required)]
    wait_range: Option<WaitRange>,
    /// When to ask again; null when there is nothing to wait for.
    #[schema(required)]
    poll_after_ms: Option<u64>,
    #[schema(schema_with = dates::date_time_or_null, required)]
    activated_at: Option<String>,
    /// From when on no hold begins, as a payment or time has ended selection; null while waiting.
    #[schema(schema_with = dates::date_time_or_null, required)]
    selection_ends_at: Option<String>,
    /// When ACTIVE is over: then, or with what is held if that ends later; null while waiting.
    #[schema(schema_with = dates::date_time_or_null, required)]
    expires_at: Option<String>,
    /// Why it ended; null while it lives.
    #[schema(required)]
    end_reason: Option<EndedBy>,
    #[schema(schema_with = dates::date_time)]
    server_time: String,
    /// Whether the line was last looked at too long ago: the position may be too high, never too low.
    stale: bool,
    /// When the line was last looked at.
    #[schema(schema_with = dates::date_time)]
    as_of: String,
}

/// Between what a wait will be, in seconds.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is written by hand")]
struct WaitRange {
    /// Hardly sooner.
    low: u64,
    /// Hardly later.
    high: u64,
}

/// How far a place has come: the first of these that is so.
#[derive(ToSchema)]
#[schema(as = Phase)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "it is written by hand")]
enum PhaseView {
    /// The token is EXPIRED.
    Ended,
    /// Its turn has come.
    Active,
    /// The queue has not opened yet.
    Before,
    /// The operator lets nobody in for now.
    Paused,
    /// The line moves.
    Waiting,
}

/// Why a token ended.
#[derive(ToSchema)]
#[schema(as = EndReason)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "it is written by hand")]
enum EndedBy {
    /// It paid.
    Paid,
    /// Its user left.
    Left,
    /// Its time was over.
    Deadline,
    /// Its turn came, and nobody had been there for it for too long.
    Absent,
    /// All tokens were ended.
    NewEpoch,
}

const fn word_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Ended => "ENDED",
        Phase::Active => "ACTIVE",
        Phase::Before => "BEFORE",
        Phase::Paused => "PAUSED",
        Phase::Waiting => "WAITING",
    }
}

/// What all who ask are told alike, as the beginning of an answer's members. Made once for all of them.
fn written_once(bulletin: &Bulletin) -> String {
    // No name needs an escape, nor does a time or an amount. Neither of the others can fail to be written.
    let stock = &bulletin.stock;
    let message = bulletin.message.as_ref().map(MessageView::from);
    let message = serde_json::to_string(&message).unwrap_or_else(|_never| "null".to_owned());
    let cheapest = stock.cheapest.as_ref().map(Points::from);
    let cheapest = serde_json::to_string(&cheapest).unwrap_or_else(|_never| "null".to_owned());
    let mut json = Written(String::new());
    json.text(r#","queue":""#, bulletin.queue.as_str());
    json.time(r#"","opens_at":"#, bulletin.opens_at);
    json.text(r#","message":"#, &message);
    json.flag(r#","sold_out":"#, stock.sold_out);
    json.flag(r#","all_held":"#, stock.all_held);
    json.text(r#","cheapest_available":"#, &cheapest);
    json.0
}

/// The JSON of a [`TokenStatusView`]. By hand, as a whole crowd polls: nothing that is written for each can need an escape.
fn written(standing: &Standing) -> String {
    let alike = standing.bulletin.written(written_once);
    let mut json = Written(String::with_capacity(alike.len() + 512));
    json.text(r#"{"token":""#, &standing.token.to_text());
    json.text("\"", alike);
    json.text(r#","phase":""#, word_of(standing.phase));
    json.text(r#"","status":""#, standing.status.word());
    json.number(r#"","position":"#, standing.position);
    json.number(r#","version":"#, Some(standing.version));
    json.number(r#","estimated_wait_seconds":"#, standing.estimated_wait.map(whole_seconds));
    match standing.wait_range {
        Some((low, high)) => {
            json.number(r#","wait_range":{"low":"#, Some(low.as_secs()));
            json.number(r#","high":"#, Some(whole_seconds(high)));
            json.text("}", "");
        }
        None => json.text(r#","wait_range":"#, "null"),
    }
    json.number(r#","poll_after_ms":"#, standing.poll_after.map(millis));
    json.time(r#","activated_at":"#, standing.activated_at);
    json.time(r#","selection_ends_at":"#, standing.selection_ends_at);
    json.time(r#","expires_at":"#, standing.expires_at);
    match standing.end_reason {
        Some(reason) => {
            json.text(r#","end_reason":""#, reason.words().0);
            json.text("\"", "");
        }
        None => json.text(r#","end_reason":"#, "null"),
    }
    json.time(r#","server_time":"#, Some(standing.server_time));
    json.flag(r#","stale":"#, standing.stale);
    json.time(r#","as_of":"#, Some(standing.as_of));
    json.text("}", "");
    json.0
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

    fn flag(&mut self, before: &str, value: bool) {
        self.text(before, if value { "true" } else { "false" });
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
            queue: standing.bulletin.queue.to_string(),
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
    Ok(json::written(response, written(&standing)))
}

async fn leave(bearer: Bearer, _: Query<Nothing>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    for schedule in api.app.leave(bearer.0).await? {
        api.schedule_changed(bearer.0.queue(), schedule);
    }
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::time::Duration;

    use domain::seal::SealedToken;
    use domain::stock::Stock;
    use domain::token::EndReason;
    use domain::{Message, Money};
    use serde_json::Value;
    use utoipa::PartialSchema;

    use super::*;

    const TOKEN: &str = "00000000-0001-8abc-8def-0123456789ab";

    /// A place in line: nothing is known of a queue but its name.
    fn waiting() -> Standing {
        Standing {
            token: SealedToken::parse(TOKEN).unwrap(),
            bulletin: Arc::new(Bulletin::new(QueueName::main(), None, None, Arc::default())),
            phase: Phase::Waiting,
            status: TokenStatus::Waiting,
            position: Some(5),
            version: 812,
            estimated_wait: Some(Duration::from_millis(5_001)),
            wait_range: Some((Duration::from_millis(3_999), Duration::from_millis(6_001))),
            poll_after: Some(Duration::from_micros(1_040_999)),
            activated_at: None,
            selection_ends_at: None,
            expires_at: None,
            end_reason: None,
            server_time: Timestamp::from_micros(2_000_000),
            as_of: Timestamp::from_micros(3_000_001),
            stale: true,
        }
    }

    fn told(standing: &Standing) -> Value {
        serde_json::from_str(&written(standing)).unwrap()
    }

    #[test]
    fn what_is_written_by_hand_is_the_json_that_it_says() {
        let expected = json!({
            "token": TOKEN, "queue": "main", "opens_at": null, "message": null, "sold_out": false, "all_held": false,
            "cheapest_available": null, "phase": "WAITING", "status": "WAITING", "position": 5, "version": 812,
            "estimated_wait_seconds": 6, "wait_range": {"low": 3, "high": 7}, "poll_after_ms": 1_040,
            "activated_at": null, "selection_ends_at": null, "expires_at": null, "end_reason": null,
            "server_time": "1970-01-01T00:00:02Z", "stale": true, "as_of": "1970-01-01T00:00:03.000001Z"
        });
        assert_eq!(told(&waiting()), expected);

        // Whatever an operator says, and the largest amount there is.
        let (ko, en) = ("\"곧\" 시작 \\ 🎫", "</script> \"soon\" & 'later'");
        let stock = Stock { sold_out: true, all_held: true, cheapest: Money::parse("10000000000000") };
        let opens_at = Some(Timestamp::from_micros(1_500_000));
        let bulletin = Bulletin::new(QueueName::main(), opens_at, Message::new(ko, en).ok(), Arc::new(stock));
        let over = Standing {
            bulletin: Arc::new(bulletin),
            phase: Phase::Ended,
            status: TokenStatus::Expired,
            position: None,
            estimated_wait: None,
            wait_range: None,
            poll_after: None,
            activated_at: Some(Timestamp::from_micros(0)),
            selection_ends_at: Some(Timestamp::from_micros(1_000_000)),
            expires_at: Some(Timestamp::from_micros(1_500_000)),
            end_reason: Some(EndReason::NewEpoch),
            stale: false,
            ..waiting()
        };
        let expected = json!({
            "token": TOKEN, "queue": "main", "opens_at": "1970-01-01T00:00:01.5Z", "message": {"ko": ko, "en": en},
            "sold_out": true, "all_held": true, "cheapest_available": 10_000_000_000_000_i64, "phase": "ENDED",
            "status": "EXPIRED", "position": null, "version": 812, "estimated_wait_seconds": null, "wait_range": null,
            "poll_after_ms": null, "activated_at": "1970-01-01T00:00:00Z", "selection_ends_at": "1970-01-01T00:00:01Z",
            "expires_at": "1970-01-01T00:00:01.5Z", "end_reason": "NEW_EPOCH", "server_time": "1970-01-01T00:00:02Z", "stale": false,
            "as_of": "1970-01-01T00:00:03.000001Z"
        });
        assert_eq!(told(&over), expected);
        let half = Stock { cheapest: Money::parse("0.5"), ..Stock::default() };
        let bulletin = Arc::new(Bulletin::new(QueueName::main(), None, None, Arc::new(half)));
        assert!(written(&Standing { bulletin, ..waiting() }).contains(r#""cheapest_available":0.5,"#));
    }

    /// What is written has the members that the document describes, and the words that it lists.
    #[test]
    fn what_is_written_is_what_is_described() {
        let described =
            |schema| serde_json::to_value::<utoipa::openapi::RefOr<utoipa::openapi::Schema>>(schema).unwrap();
        let members = described(TokenStatusView::schema());
        let members: BTreeSet<_> = members["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(told(&waiting()).as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), members);
        let range = described(WaitRange::schema());
        let range: BTreeSet<_> = range["properties"].as_object().unwrap().keys().cloned().collect();
        let written = told(&waiting())["wait_range"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(written, range);
        let phases = [Phase::Ended, Phase::Active, Phase::Before, Phase::Paused, Phase::Waiting].map(word_of);
        assert_eq!(described(PhaseView::schema())["enum"], json!(phases));
        let paid = EndReason::Paid(domain::ReservationId::new(uuid::Uuid::nil()));
        let reasons = [paid, EndReason::Left, EndReason::Deadline, EndReason::Absent, EndReason::NewEpoch];
        assert_eq!(described(EndedBy::schema())["enum"], json!(reasons.map(|reason| reason.words().0)));
    }
}
