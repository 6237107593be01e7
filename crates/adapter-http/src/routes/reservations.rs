//! Holding seats, giving them up, and one's own reservations.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use app::Failure;
use domain::rejection::Missing;
use domain::seat::{Seat, SeatChoice};
use domain::{Rejection, ReservationId, ScheduleId, SeatId, Wrong};
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::answer::error_codes::Code;
use crate::answer::json;
use crate::answer::page::PageView;
use crate::answer::problem::Problem;
use crate::answer::reservation::{ReservationView, example};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::request::auth::Bearer;
use crate::request::body::Json;
use crate::request::body_object::{Members, Object, object};
use crate::request::body_values::{Errors, FromJson};
use crate::request::idempotency::{self, Key};
use crate::request::page::PageQuery;
use crate::request::path;
use crate::request::query::{Nothing, Query};

const PATH: &str = "/api/v1/reservations";
const ONE: &str = "/api/v1/reservations/{id}";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let one = Content::One(Shape::of::<ReservationView>(), example());
    vec![
        Endpoint::new(Method::POST, PATH, "holdSeats", "Holds seats of one schedule, all or none.", || web::to(hold))
            .auth(Auth::Active)
            .idempotent()
            .body::<Hold>(json!({"schedule_id": "0193a5b2-7c00-7000-8000-000000000002", "seat_numbers": [7]}))
            .answers(201, "The seats are held until `expires_at`.", one.clone())
            .header("Location", "Where to ask for the reservation.")
            .refuses(&[
                Code::SelectionClosed,
                Code::WrongQueue,
                Code::NotFound,
                Code::SeatTaken,
                Code::SeatLimit,
                Code::PurchaseLimit,
                Code::SaleClosed,
            ]),
        Endpoint::new(Method::GET, PATH, "listReservations", "One's own reservations, newest first.", || web::to(list))
            .auth(Auth::Reader)
            .query::<PageQuery<ReservationId>>()
            .answers(200, "A page of reservations.", Content::Page(Shape::of::<ReservationView>(), example())),
        Endpoint::new(Method::GET, ONE, "getReservation", "One of one's own reservations.", || web::to(find))
            .auth(Auth::Reader)
            .answers(200, "The reservation.", one),
        Endpoint::new(Method::DELETE, ONE, "cancelReservation", "Gives held seats up.", || web::to(cancel))
            .auth(Auth::Live)
            .answers(204, "The reservation is CANCELLED.", Content::Empty)
            .refuses(&[Code::AlreadyPaid]),
    ]
}

/// Which seats to hold: 1 to 100, none twice.
#[derive(ToSchema)]
#[serde(untagged)]
enum Hold {
    Ids(HoldByIds),
    Numbers(HoldByNumbers),
}

object! {
    /// Seats by their ids.
    struct HoldByIds {
        /// Ids of seats of one schedule, each once.
        #[schema(schema_with = seat_ids)]
        seat_ids: Vec<SeatId>,
    }
}

object! {
    /// Seats by their numbers in a schedule.
    struct HoldByNumbers {
        /// The schedule.
        #[schema(value_type = Uuid)]
        schedule_id: ScheduleId,
        /// Numbers of its seats, each 1 to 1,000,000, and once.
        #[schema(schema_with = seat_numbers)]
        seat_numbers: Vec<u32>,
    }
}

fn seat_ids() -> RefOr<Schema> {
    seats(ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))))
}

fn seat_numbers() -> RefOr<Schema> {
    seats(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(Seat::MAX_NUMBER)))
}

/// A list that names seats, none of them twice.
fn seats(name: ObjectBuilder) -> RefOr<Schema> {
    ArrayBuilder::new().items(name).min_items(Some(1)).max_items(Some(SeatChoice::MAX_SEATS)).unique_items(true).into()
}

impl FromJson for Hold {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let members = Members::of(raw, at, errors)?;
        match (members.has(HoldByIds::NAMES), members.has(HoldByNumbers::NAMES)) {
            (true, true) => errors.reject("seat_ids", Wrong::NotWith("schedule_id, seat_numbers")),
            (true, false) => HoldByIds::take(members, errors).map(Self::Ids),
            (false, _) => HoldByNumbers::take(members, errors).map(Self::Numbers),
        }
    }
}

impl FromJson for SeatChoice {
    fn read(raw: &RawValue, at: &str, errors: &mut Errors) -> Option<Self> {
        let choice = match Hold::read(raw, at, errors)? {
            Hold::Ids(HoldByIds { seat_ids }) => Self::ids(&seat_ids),
            Hold::Numbers(HoldByNumbers { schedule_id, seat_numbers }) => Self::numbers(schedule_id, &seat_numbers),
        };
        choice.map_or_else(|error| errors.refuse(error), Some)
    }
}

async fn hold(
    bearer: Bearer,
    _: Query<Nothing>,
    key: Key,
    body: Json<SeatChoice>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let queue = bearer.0.queue();
    let answer = api.app.hold(bearer.0, body.0, key.0).await.inspect_err(|failure| {
        if let Failure::Rejected(Rejection::SeatTaken { schedule, numbers, .. }) = failure {
            api.sale.conflicts.increment(1);
            api.seats_taken(queue, *schedule, numbers);
        }
    })?;
    let reservation = answer.value;
    if !answer.replayed {
        api.sale.holds.increment(1);
        api.schedule_changed(reservation.queue, reservation.schedule);
    }
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("{PATH}/{}", reservation.id)));
    idempotency::mark(&mut response, answer.replayed);
    json::json(response, &ReservationView::of(&reservation, api.app.now()))
}

fn asked(request: &HttpRequest) -> Result<ReservationId, Rejection> {
    path::id(request, ReservationId::new).ok_or(Rejection::NotFound(Missing::Reservation))
}

async fn list(
    bearer: Bearer,
    query: Query<PageQuery<ReservationId>>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let listed = api.app.reservations(bearer.0, &query.0.page()?).await?;
    let now = api.app.now();
    json::ok(&PageView::of(listed, |reservation| ReservationView::of(&reservation, now)))
}

async fn find(
    bearer: Bearer,
    _: Query<Nothing>,
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let reservation = api.app.reservation(bearer.0, asked(&request)?).await?;
    json::ok(&ReservationView::of(&reservation, api.app.now()))
}

async fn cancel(
    bearer: Bearer,
    _: Query<Nothing>,
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let cancelled = api.app.cancel(bearer.0, asked(&request)?).await?;
    if cancelled.changed {
        api.schedule_changed(cancelled.reservation.queue, cancelled.reservation.schedule);
    }
    Ok(HttpResponse::NoContent().finish())
}
