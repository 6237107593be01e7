//! Loading concerts.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use domain::concert::{CreatedConcert, Draft, NewConcert, ScheduleDraft, SeatGroup};
use domain::ports::LoadCommand;
use domain::{Edit, LocalTime, Money, QueueName};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;
use crate::answer::{dates, json};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::request::auth::Admin;
use crate::request::body::Json;
use crate::request::body_object::{Members, Object, object};
use crate::request::body_values::{Amount, Errors, FromJson};
use crate::request::idempotency::{self, Key};
use crate::request::query::{Nothing, Query};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let created = json!({
        "id": "0193a5b2-7c00-7000-8000-000000000001", "title": "Winter Gala", "queue": "main", "max_per_user": 4,
        "schedules": [{
            "id": "0193a5b2-7c00-7000-8000-000000000002", "starts_at": "2026-12-24T19:30:00+09:00", "seats_total": 50,
            "max_per_user": null
        }]
    });
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/admin/concerts",
            "createConcert",
            "Loads a concert with its seats.",
            || web::to(create),
        )
        .auth(Auth::Admin)
        .idempotent()
        .body::<Concert>(json!({
            "title": "Winter Gala", "queue": "main", "max_per_user": 4,
            "schedules": [{"starts_at": "2026-12-24T19:30:00+09:00", "seats": [{"count": 50, "price": 12000}]}]
        }))
        .answers(201, "The concert is for sale.", Content::One(Shape::of::<CreatedView>(), created))
        .refuses(&[Code::NotFound]),
    ]
}

object! {
    /// A concert to load.
    #[schema(as = NewConcert)]
    struct Concert {
        /// What is played, 1 to 200 characters.
        #[schema(min_length = 1, max_length = 200)]
        title: String,
        /// The queue to sell it through, which has to be there; `main` when it is left out.
        #[schema(value_type = String, required = false, pattern = "^[a-z0-9-]{1,32}$", example = "main")]
        queue: Option<QueueName>,
        /// How many seats of all its performances one user may have, held and bought; as many as they like when it is left out or null.
        #[schema(value_type = Option<u32>, required = false, minimum = 1, maximum = 100_000)]
        max_per_user: Edit<u32>,
        /// Its performances, no two at one instant; all together at most 1,000,000 seats.
        #[schema(min_items = 1, max_items = 100)]
        schedules: Vec<NewSchedule>,
    }
}

object! {
    /// A performance to load.
    struct NewSchedule {
        /// When it starts, with the offset it is shown in: in the future, and on a date from 2000-01-01 to 2199-12-31.
        #[schema(schema_with = dates::date_time)]
        starts_at: LocalTime,
        /// How many of its seats one user may have, held and bought; as many as they like when it is left out or null.
        #[schema(value_type = Option<u32>, required = false, minimum = 1, maximum = 100_000)]
        max_per_user: Edit<u32>,
        /// Its seats, at most 100,000, in groups or one by one.
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

/// What loading a concert made.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedConcert)]
struct CreatedView {
    id: Uuid,
    title: String,
    queue: String,
    /// How many seats of all performances one user may have; null for as many as they like.
    #[schema(required)]
    max_per_user: Option<u32>,
    /// In the order they were given.
    schedules: Vec<CreatedSchedule>,
}

/// A performance that was made.
#[derive(Serialize, ToSchema)]
struct CreatedSchedule {
    id: Uuid,
    #[schema(schema_with = dates::date_time)]
    starts_at: String,
    seats_total: u32,
    /// How many of its seats one user may have; null for as many as they like.
    #[schema(required)]
    max_per_user: Option<u32>,
}

impl CreatedView {
    fn of(concert: &NewConcert, created: &CreatedConcert) -> Self {
        let pairs = created.schedules.iter().zip(&concert.schedules);
        let schedules = pairs.map(|(id, schedule)| CreatedSchedule {
            id: id.uuid(),
            starts_at: schedule.starts_at.to_string(),
            seats_total: schedule.seats_total(),
            max_per_user: schedule.max_per_user,
        });
        Self {
            id: created.id.uuid(),
            title: concert.title.to_string(),
            queue: concert.queue.to_string(),
            max_per_user: concert.max_per_user,
            schedules: schedules.collect(),
        }
    }
}

impl From<Concert> for Draft {
    fn from(Concert { title, queue, max_per_user, schedules }: Concert) -> Self {
        let schedules = schedules.into_iter().map(|NewSchedule { starts_at, max_per_user, seats }| ScheduleDraft {
            starts_at,
            max_per_user: max_per_user.apply(None),
            seats: seats.into_iter().map(SeatGroup::from).collect(),
        });
        let queue = queue.unwrap_or_else(QueueName::main);
        Self { title, queue, max_per_user: max_per_user.apply(None), schedules: schedules.collect() }
    }
}

async fn create(
    _: Admin,
    _: Query<Nothing>,
    key: Key,
    body: Json<Concert>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let command = LoadCommand { concert: NewConcert::plan(&body.0.into())?, key: key.0 };
    let created = api.app.create_concert(&command).await;
    api.concert_made();
    let created = created?;
    let mut response = HttpResponse::Created();
    idempotency::mark(&mut response, created.replayed);
    json::json(response, &CreatedView::of(&command.concert, &created.value))
}
