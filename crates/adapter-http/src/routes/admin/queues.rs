//! What an operator does with queues: makes them, looks at them, sets when they open and how fast they admit, and tells
//! those who wait something.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::ports::QueueReport;
use domain::rejection::Missing;
use domain::{Edit, Message, PolicyChange, QueueEdit, QueueName, Rejection, Timestamp, Wrong};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::answer::error_codes::Code;
use crate::answer::message::MessageView;
use crate::answer::problem::Problem;
use crate::answer::{dates, json};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::request::auth::Admin;
use crate::request::body::Json;
use crate::request::body_object::{Members, Object, object};
use crate::request::body_values::{Errors, FromJson};
use crate::request::path;
use crate::request::query::{Nothing, Query};

const QUEUE: &str = "/api/v1/admin/queues/{queue}";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let report = Content::One(
        Shape::of::<QueueView>(),
        json!({
            "queue": "main", "max_active": 100, "batch": 10, "interval_seconds": 10, "paused": false,
            "opens_at": "2026-12-01T11:00:00Z", "message": null, "waiting": 0, "active": 0, "issued": 0, "admitted": 0,
            "ended": {"paid": 0, "left": 0, "deadline": 0, "absent": 0, "new_epoch": 0},
            "oldest_wait_seconds": null, "recent_wait_seconds": null
        }),
    );
    vec![
        Endpoint::new(Method::POST, "/api/v1/admin/queues", "createQueue", "Makes a queue.", || web::to(create_queue))
            .auth(Auth::Admin)
            .body::<NewQueue>(json!({
                "name": "tonight", "max_active": 1000, "batch": 100, "opens_at": "2026-12-01T20:00:00+09:00"
            }))
            .answers(201, "The queue, which people can join.", report.clone())
            .header("Location", "Where to look at it.")
            .refuses(&[Code::QueueExists]),
        Endpoint::new(Method::GET, QUEUE, "getQueue", "A queue's policy, message and counts.", || {
            web::to(report_queue)
        })
        .auth(Auth::Admin)
        .answers(200, "The queue.", report.clone()),
        Endpoint::new(Method::PATCH, QUEUE, "changeQueue", "Changes what is named of a queue.", || {
            web::to(change_queue)
        })
        .auth(Auth::Admin)
        .body::<Change>(
            json!({"max_active": 1000, "batch": 100, "message": {"ko": "15분 늦어집니다.", "en": "15 minutes late."}}),
        )
        .answers(200, "The queue as it is now.", report),
    ]
}

object! {
    /// A queue to make. What is left out is as the server has it for new queues.
    struct NewQueue {
        /// Its name, which no queue has.
        #[schema(value_type = String, pattern = "^[a-z0-9-]{1,32}$", example = "tonight")]
        name: QueueName,
        /// At most so many ACTIVE tokens at once.
        #[schema(required = false, value_type = u32, maximum = 10_000_000)]
        max_active: Option<u32>,
        /// At most so many admissions in one window.
        #[schema(required = false, value_type = u32, minimum = 1, maximum = 10_000_000)]
        batch: Option<u32>,
        /// The length of a window.
        #[schema(required = false, value_type = u32, minimum = 1, maximum = 86_400)]
        interval_seconds: Option<u32>,
        /// Whether nobody is admitted; it wins over `opens_at`.
        #[schema(required = false, value_type = bool)]
        paused: Option<bool>,
        /// When the queue opens, in the years 2000 to 2199, UTC: nobody is admitted before. It is open at once when this is null or left out.
        #[schema(required = false, schema_with = dates::date_time_or_null)]
        opens_at: Edit<Timestamp>,
        /// What those who wait are told. Nothing when this is null or left out.
        #[schema(required = false, value_type = Option<NewMessage>)]
        message: Edit<Message>,
    }
}

object! {
    /// A change of a queue; at least one of its members.
    #[schema(min_properties = 1)]
    struct Change {
        /// At most so many ACTIVE tokens at once.
        #[schema(required = false, value_type = u32, maximum = 10_000_000)]
        max_active: Option<u32>,
        /// At most so many admissions in one window.
        #[schema(required = false, value_type = u32, minimum = 1, maximum = 10_000_000)]
        batch: Option<u32>,
        /// The length of a window.
        #[schema(required = false, value_type = u32, minimum = 1, maximum = 86_400)]
        interval_seconds: Option<u32>,
        /// Whether nobody is admitted; it wins over `opens_at`.
        #[schema(required = false, value_type = bool)]
        paused: Option<bool>,
        /// When the queue opens, in the years 2000 to 2199, UTC: nobody is admitted before. `null` takes the opening away.
        #[schema(required = false, schema_with = dates::date_time_or_null)]
        opens_at: Edit<Timestamp>,
        /// What those who wait are told. `null` takes it away.
        #[schema(required = false, value_type = Option<NewMessage>)]
        message: Edit<Message>,
    }
}

object! {
    /// What those who wait are told.
    struct NewMessage {
        /// In Korean: 1 to 500 characters, none of them invisible.
        #[schema(min_length = 1, max_length = 500)]
        ko: String,
        /// In English: the same.
        #[schema(min_length = 1, max_length = 500)]
        en: String,
    }
}

impl FromJson for Message {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let NewMessage { ko, en } = NewMessage::read(raw, at, errors)?;
        match Self::new(&ko, &en) {
            Ok(message) => Some(message),
            Err(wrong) => wrong.into_iter().find_map(|error| errors.refuse(error)),
        }
    }
}

impl FromJson for QueueEdit {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let members = Members::of(raw, at, errors)?;
        if !members.has(Change::NAMES) {
            errors.reject::<()>("body", Wrong::NoneOf(Change::NAMES));
        }
        let of_policy = members.has(&["max_active", "batch", "interval_seconds", "paused", "opens_at"]);
        let Change { max_active, batch, interval_seconds, paused, opens_at, message } = Change::take(members, errors)?;
        let policy = PolicyChange { max_active, batch, interval_seconds, paused, opens_at };
        Some(Self { policy: of_policy.then_some(policy), message })
    }
}

/// A queue as its operator sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Queue)]
struct QueueView {
    queue: String,
    /// At most so many ACTIVE tokens at once.
    max_active: u32,
    /// At most so many admissions in one window.
    batch: u32,
    /// The length of a window.
    interval_seconds: u32,
    /// Whether nobody is admitted.
    paused: bool,
    /// When it opens: nobody is admitted before. Null when it is open whenever it is not paused.
    #[schema(schema_with = dates::date_time_or_null, required)]
    opens_at: Option<String>,
    /// What those who wait are told.
    #[schema(required)]
    message: Option<MessageView>,
    /// Tokens in line.
    waiting: u64,
    /// Tokens that are ACTIVE.
    active: u64,
    /// Tokens ever issued.
    issued: u64,
    /// Tokens ever admitted.
    admitted: u64,
    ended: EndedView,
    /// How long the first one in line has waited; null when nobody waits.
    #[schema(required)]
    oldest_wait_seconds: Option<f64>,
    /// How long those had waited who were admitted in the last five minutes; null when nobody was.
    #[schema(required)]
    recent_wait_seconds: Option<WaitView>,
    /// When a clockwork ticked last, in whichever process, by the storage's clock. If that was long ago, nobody is admitted and
    /// nothing ends. Null when none ever has, and where that cannot be read now.
    #[schema(schema_with = dates::date_time_or_null, required)]
    last_tick_at: Option<String>,
}

/// How many tokens ended, by reason.
#[derive(Serialize, ToSchema)]
#[schema(as = EndedTokens)]
struct EndedView {
    /// They paid.
    paid: u64,
    /// Their users left, in line or ACTIVE.
    left: u64,
    /// ACTIVE was over.
    deadline: u64,
    /// Their turn came, and nobody had been there for them for too long.
    absent: u64,
    /// `usher migrate --new-epoch` ended them.
    new_epoch: u64,
}

/// How long people had waited, in seconds.
#[derive(Serialize, ToSchema)]
#[schema(as = RecentWait)]
struct WaitView {
    /// Half of them so long at most.
    p50: f64,
    /// 95 of 100 so long at most.
    p95: f64,
}

impl QueueView {
    /// A queue's report, with when a clockwork ticked last.
    fn of(report: &QueueReport, last_tick: Option<Timestamp>) -> Self {
        let waits = report.wait_of(50).zip(report.wait_of(95));
        let ended = &report.ended;
        Self {
            ended: EndedView {
                paid: ended.paid,
                left: ended.left,
                deadline: ended.deadline,
                absent: ended.absent,
                new_epoch: ended.new_epoch,
            },
            oldest_wait_seconds: report.oldest_wait.map(|wait| wait.as_secs_f64()),
            recent_wait_seconds: waits.map(|(p50, p95)| WaitView { p50: p50.as_secs_f64(), p95: p95.as_secs_f64() }),
            last_tick_at: last_tick.map(|at| at.to_string()),
            queue: report.name.to_string(),
            max_active: report.policy.max_active,
            batch: report.policy.batch,
            interval_seconds: report.policy.interval_seconds,
            paused: report.policy.paused,
            opens_at: report.policy.opens_at.map(|at| at.to_string()),
            message: report.message.as_ref().map(MessageView::from),
            waiting: report.line.waiting(),
            active: report.active,
            issued: report.line.issued,
            admitted: report.line.admitted,
        }
    }
}

async fn create_queue(
    _: Admin,
    _: Query<Nothing>,
    body: Json<NewQueue>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let Json(NewQueue { name, max_active, batch, interval_seconds, paused, opens_at, message }) = body;
    let policy = PolicyChange { max_active, batch, interval_seconds, paused, opens_at };
    let settings = QueueEdit { policy: Some(policy), message };
    let made = api.app.create_queue(&name, &settings).await;
    api.queue_made();
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, QUEUE.replace("{queue}", name.as_str())));
    json::json(response, &QueueView::of(&made?, last_tick(&api).await))
}

fn asked(request: &HttpRequest) -> Result<QueueName, Rejection> {
    path::queue(request).ok_or(Rejection::NotFound(Missing::Queue))
}

async fn report_queue(
    _: Admin,
    _: Query<Nothing>,
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let report = api.app.queue_report(&asked(&request)?).await?;
    json::ok(&QueueView::of(&report, last_tick(&api).await))
}

async fn change_queue(
    _: Admin,
    _: Query<Nothing>,
    body: Json<QueueEdit>,
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let report = api.app.edit_queue(&asked(&request)?, &body.0).await?;
    json::ok(&QueueView::of(&report, last_tick(&api).await))
}

/// What was done or read is told, whether or not this can be read beside it.
async fn last_tick(api: &Api) -> Option<Timestamp> {
    api.app.last_tick().await.unwrap_or_default()
}
