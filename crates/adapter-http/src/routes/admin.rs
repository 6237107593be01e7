//! What an operator does: loads concerts, and sets how fast a queue admits.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::concert::{CreatedConcert, NewConcert, SeatGroup};
use domain::ports::QueueReport;
use domain::rejection::Missing;
use domain::{LocalTime, Money, PolicyChange, QueueName, Rejection};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::problem::Problem;
use crate::answer::{dates, json};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::request::auth::Admin;
use crate::request::body::Json;
use crate::request::body_object::{Members, Object, object};
use crate::request::body_values::{Amount, Errors, FromJson};
use crate::request::path;
use crate::request::query::{Nothing, Query};

const QUEUE: &str = "/api/v1/admin/queues/{queue}";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let created = json!({
        "id": "0193a5b2-7c00-7000-8000-000000000001", "title": "Winter Gala", "queue": "main",
        "schedules": [{
            "id": "0193a5b2-7c00-7000-8000-000000000002", "starts_at": "2026-12-24T19:30:00+09:00", "seats_total": 50
        }]
    });
    let report = Content::One(
        Shape::of::<QueueView>(),
        json!({
            "queue": "main", "max_active": 100, "batch": 10, "interval_seconds": 10, "paused": false, "waiting": 0,
            "active": 0, "issued": 0, "admitted": 0,
            "ended": {"paid": 0, "left": 0, "deadline": 0, "absent": 0, "new_epoch": 0},
            "oldest_wait_seconds": null, "recent_wait_seconds": null
        }),
    );
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/admin/concerts",
            "createConcert",
            "Loads a concert with its seats.",
            || web::to(create),
        )
        .auth(Auth::Admin)
        .body::<Concert>(json!({
            "title": "Winter Gala", "queue": "main",
            "schedules": [{"starts_at": "2026-12-24T19:30:00+09:00", "seats": [{"count": 50, "price": 12000}]}]
        }))
        .answers(201, "The concert is for sale.", Content::One(Shape::of::<CreatedView>(), created)),
        Endpoint::new(Method::GET, QUEUE, "getQueue", "A queue's policy and counts.", || web::to(report_queue))
            .auth(Auth::Admin)
            .answers(200, "The queue.", report.clone()),
        Endpoint::new(Method::PATCH, QUEUE, "changeQueue", "Changes what is named of a queue's policy.", || {
            web::to(change_queue)
        })
        .auth(Auth::Admin)
        .body::<Change>(json!({"max_active": 1000, "batch": 100}))
        .answers(200, "The queue, under its new policy.", report),
    ]
}

object! {
    /// A concert to load.
    #[schema(as = NewConcert)]
    struct Concert {
        /// What is played, 1 to 200 characters.
        #[schema(min_length = 1, max_length = 200)]
        title: String,
        /// The queue to sell it through; made when it is unknown; `main` when it is left out.
        #[schema(value_type = String, required = false, pattern = "^[a-z0-9-]{1,32}$", example = "main")]
        queue: Option<QueueName>,
        /// Its performances; all together at most 100,000 seats.
        #[schema(min_items = 1, max_items = 100)]
        schedules: Vec<NewSchedule>,
    }
}

object! {
    /// A performance to load.
    struct NewSchedule {
        /// When it starts, with the offset it is shown in.
        #[schema(schema_with = dates::date_time)]
        starts_at: LocalTime,
        /// Its seats, in groups or one by one.
        #[schema(min_items = 1)]
        seats: Vec<NewSeats>,
    }
}

/// Seats to load.
#[derive(ToSchema)]
#[serde(untagged)]
enum NewSeats {
    Group(NewSeatGroup),
    One(NewSeat),
}

object! {
    /// So many seats; numbers go on where the group before ended.
    struct NewSeatGroup {
        /// How many.
        #[schema(minimum = 1, maximum = 100_000)]
        count: u32,
        /// What each one costs.
        #[schema(value_type = Amount)]
        price: Money,
    }
}

object! {
    /// One seat.
    struct NewSeat {
        /// Its number, unique within the performance.
        #[schema(minimum = 1, maximum = 1_000_000)]
        number: u32,
        /// What it costs.
        #[schema(value_type = Amount)]
        price: Money,
    }
}

object! {
    /// A change of a queue's policy; at least one of its members.
    #[schema(min_properties = 1)]
    struct Change {
        /// At most so many ACTIVE tokens at once.
        #[schema(required = false, value_type = u32)]
        max_active: Option<u32>,
        /// At most so many admissions in one window.
        #[schema(required = false, value_type = u32, minimum = 1)]
        batch: Option<u32>,
        /// The length of a window.
        #[schema(required = false, value_type = u32, minimum = 1)]
        interval_seconds: Option<u32>,
        /// Whether nobody is admitted.
        #[schema(required = false, value_type = bool)]
        paused: Option<bool>,
    }
}

impl FromJson for NewSeats {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let members = Members::of(raw, at, errors)?;
        if members.has(&["number"]) {
            NewSeat::take(members, errors).map(Self::One)
        } else {
            NewSeatGroup::take(members, errors).map(Self::Group)
        }
    }
}

impl From<NewSeats> for SeatGroup {
    fn from(seats: NewSeats) -> Self {
        match seats {
            NewSeats::Group(NewSeatGroup { count, price }) => Self::Count(count, price),
            NewSeats::One(NewSeat { number, price }) => Self::One(number, price),
        }
    }
}

impl FromJson for PolicyChange {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let members = Members::of(raw, at, errors)?;
        if !members.has(Change::NAMES) {
            errors.reject::<()>("body", "must name at least one of max_active, batch, interval_seconds and paused");
        }
        let Change { max_active, batch, interval_seconds, paused } = Change::take(members, errors)?;
        Some(Self { max_active, batch, interval_seconds, paused })
    }
}

/// What loading a concert made.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedConcert)]
struct CreatedView {
    id: Uuid,
    title: String,
    queue: String,
    /// In the order they were given.
    schedules: Vec<CreatedSchedule>,
}

/// A performance that was made.
#[derive(Serialize, ToSchema)]
struct CreatedSchedule {
    id: Uuid,
    #[schema(schema_with = dates::date_time)]
    starts_at: String,
    seats_total: usize,
}

impl CreatedView {
    fn of(concert: &NewConcert, created: &CreatedConcert) -> Self {
        let pairs = created.schedules.iter().zip(&concert.schedules);
        let schedules = pairs.map(|(id, schedule)| CreatedSchedule {
            id: id.uuid(),
            starts_at: schedule.starts_at.to_string(),
            seats_total: schedule.seats.len(),
        });
        Self {
            id: created.id.uuid(),
            title: concert.title.to_string(),
            queue: concert.queue.to_string(),
            schedules: schedules.collect(),
        }
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

impl From<QueueReport> for QueueView {
    fn from(report: QueueReport) -> Self {
        let waits = report.wait_of(50).zip(report.wait_of(95));
        let ended = report.ended;
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
            queue: report.name.to_string(),
            max_active: report.policy.max_active,
            batch: report.policy.batch,
            interval_seconds: report.policy.interval_seconds,
            paused: report.policy.paused,
            waiting: report.line.waiting(),
            active: report.active,
            issued: report.line.issued,
            admitted: report.line.admitted,
        }
    }
}

async fn create(
    _: Admin,
    _: Query<Nothing>,
    body: Json<Concert>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let Json(Concert { title, queue, schedules }) = body;
    let groups = |seats: Vec<NewSeats>| seats.into_iter().map(SeatGroup::from).collect();
    let schedules: Vec<_> = schedules.into_iter().map(|new| (new.starts_at, groups(new.seats))).collect();
    let concert = NewConcert::plan(&title, queue.unwrap_or_else(QueueName::main), &schedules)?;
    let created = api.app.create_concert(&concert).await;
    api.concert_made();
    json::json(HttpResponse::Created(), &CreatedView::of(&concert, &created?))
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
    json::ok(&QueueView::from(report))
}

async fn change_queue(
    _: Admin,
    _: Query<Nothing>,
    body: Json<PolicyChange>,
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let report = api.app.change_policy(&asked(&request)?, &body.0).await?;
    json::ok(&QueueView::from(report))
}
