//! When it is played: the dates of a queue's sale.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use app::ActiveCaller;
use domain::concert::{Schedule, ScheduleFilter, ScheduleKey};
use domain::page::Listed;
use domain::rejection::Missing;
use domain::{ConcertId, Rejection};
use futures::future::try_join_all;
use serde_json::json;

use crate::answer::error_codes::Code;
use crate::answer::json;
use crate::answer::page::PageView;
use crate::answer::problem::Problem;
use crate::answer::schedule::ScheduleView;
use crate::api::Api;
use crate::openapi::endpoint::{Auth, Content, Endpoint, Shape};
use crate::request::auth::Bearer;
use crate::request::page::PageQuery;
use crate::request::path;
use crate::request::query::{Dates, Query};

type DatesAndPage = (Dates, PageQuery<ScheduleKey>);

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let schedule = json!({
        "id": "0193a5b2-7c00-7000-8000-000000000002", "concert_id": "0193a5b2-7c00-7000-8000-000000000001",
        "title": "Winter Gala", "date": "2026-12-24", "starts_at": "2026-12-24T19:30:00+09:00", "seats_total": 50,
        "seats_available": 50, "max_per_user": null, "concert_max_per_user": 4
    });
    let page = Content::Page(Shape::of::<ScheduleView>(), schedule);
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/concerts/{id}/schedules",
            "listSchedulesOfConcert",
            "Schedules of a concert that are for sale, by start.",
            || web::to(of_concert),
        )
        .auth(Auth::Active)
        .query::<DatesAndPage>()
        .answers(200, "A page of schedules.", page.clone())
        .refuses(&[Code::WrongQueue]),
        Endpoint::new(
            Method::GET,
            "/api/v1/schedules",
            "listSchedules",
            "Schedules of all concerts of the token's queue that are for sale, by start.",
            || web::to(of_queue),
        )
        .auth(Auth::Active)
        .query::<DatesAndPage>()
        .answers(200, "A page of schedules.", page),
    ]
}

async fn of_concert(
    bearer: Bearer,
    query: Query<DatesAndPage>,
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let caller = api.app.active_caller(bearer.0).await?;
    let concert = path::id(&request, ConcertId::new).ok_or(Rejection::NotFound(Missing::Concert))?;
    list(&api, &caller, Some(concert), query).await
}

async fn of_queue(bearer: Bearer, query: Query<DatesAndPage>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let caller = api.app.active_caller(bearer.0).await?;
    list(&api, &caller, None, query).await
}

async fn list(
    api: &Api,
    caller: &ActiveCaller,
    concert: Option<ConcertId>,
    query: Query<DatesAndPage>,
) -> Result<HttpResponse, Problem> {
    let Query((Dates { from, to }, page)) = query;
    let filter = ScheduleFilter { concert, from, to };
    let Listed { items, next } = api.app.schedules(caller, &filter, &page.page()?).await?;
    let counted = try_join_all(items.iter().map(|schedule| available(api, schedule))).await?;
    let views = items.iter().zip(counted).map(|(schedule, count)| ScheduleView::of(schedule, count)).collect();
    json::ok(&PageView::of(Listed { items: views, next }, |view| view))
}

async fn available(api: &Api, schedule: &Schedule) -> Result<u32, Problem> {
    let (queue, id) = (schedule.queue, schedule.id);
    Ok(api.counts.get((queue, id), || api.app.now(), api.app.seats_available(queue, id)).await?)
}
