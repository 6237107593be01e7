//! Which seats are free: one shared answer per schedule, at most 250 ms old.

use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use domain::rejection::Missing;
use domain::{Rejection, ScheduleId, Wrong};
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;
use crate::answer::seat_list::{SeatBytes, SeatList};
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::openapi::parameter::Parameter;
use crate::request::auth::Bearer;
use crate::request::query::{FromQuery, Parameters, Query};
use crate::request::{path, preferences};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let example = json!({
        "schedule": {
            "id": "0193a5b2-7c00-7000-8000-000000000002", "concert_id": "0193a5b2-7c00-7000-8000-000000000001",
            "title": "Winter Gala", "date": "2026-12-24", "starts_at": "2026-12-24T19:30:00+09:00",
            "seats_total": 2, "seats_available": 1, "max_per_user": null, "concert_max_per_user": 4
        },
        "items": [
            {"id": "0193a5b2-7c00-7000-8000-000000000003", "number": 1, "price": 12000, "status": "AVAILABLE",
             "occupied": false},
            {"id": "0193a5b2-7c00-7000-8000-000000000004", "number": 2, "price": 12000, "status": "HELD",
             "occupied": true}
        ]
    });
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/schedules/{id}/seats",
            "listSeats",
            "All seats of a schedule by number, at most 250 ms old; one's own holds show at once.",
            || web::to(list),
        )
        .auth(Auth::Active)
        .query::<OnlyAvailable>()
        .answers(200, "The seats.", Content::One(Shape::of::<SeatList>(), example))
        .header("ETag", "What tells this list from every other one.")
        .answers(304, "The list that `If-None-Match` names is still so.", Content::Empty)
        .header("ETag", "The list's.")
        .refuses(&[Code::WrongQueue]),
    ]
}

/// `available=true`: only seats that may be held.
struct OnlyAvailable(bool);

impl FromQuery for OnlyAvailable {
    fn described() -> Vec<Parameter> {
        vec![Parameter {
            name: "available",
            says: "Whether to list only seats that may be held.",
            schema: || ObjectBuilder::new().schema_type(Type::Boolean).into(),
        }]
    }

    fn read(parameters: &mut Parameters) -> Self {
        Self(parameters.take("available", Wrong::TrueOrFalse, |text| text.parse().ok()).unwrap_or(false))
    }
}

async fn list(
    bearer: Bearer,
    only: Query<OnlyAvailable>,
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let queue = api.app.active_caller(bearer.0).await?.queue();
    let schedule = path::id(&request, ScheduleId::new).ok_or(Rejection::NotFound(Missing::Schedule))?;
    let read = async { Ok(SeatBytes::read(api.app.seat_map(queue, schedule).await?)) };
    let seats = api.seats.get_until((queue, schedule), || api.app.now(), read).await?;
    let written = seats.written(only.0.0).await?;
    let gzip = preferences::takes_gzip(request.headers());
    let etag = if gzip { format!("\"{}-gzip\"", written.tag) } else { format!("\"{}\"", written.tag) };
    if is_known(request.headers(), &written.tag) {
        return Ok(respond(StatusCode::NOT_MODIFIED, etag).finish());
    }
    let mut response = respond(StatusCode::OK, etag);
    response.content_type("application/json");
    if !gzip {
        return Ok(response.body(written.plain.clone()));
    }
    response.insert_header((header::CONTENT_ENCODING, "gzip"));
    Ok(response.body(written.gzip().await?))
}

fn respond(status: StatusCode, etag: String) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::ETAG, etag));
    response.insert_header((header::VARY, "Accept-Encoding"));
    response
}

/// Whether the caller has this list, in whichever coding (RFC 9110, 13.1.2: compared weakly).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    given.flat_map(|list| list.split(',')).map(str::trim).any(|known| {
        let known = known.strip_prefix("W/").unwrap_or(known);
        let quoted = known.strip_prefix('"').and_then(|known| known.strip_suffix('"'));
        known == "*" || quoted.is_some_and(|known| known.strip_suffix("-gzip").unwrap_or(known) == tag)
    })
}
