//! What is played: open to everyone.

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, web};
use app::Failure;
use domain::ConcertId;
use serde_json::json;

use crate::answer::concert::ConcertView;
use crate::answer::json;
use crate::answer::page::PageView;
use crate::answer::problem::Problem;
use crate::api::Api;
use crate::openapi::endpoint::{Content, Endpoint, Shape};
use crate::request::page::{PageQuery, is_usual};
use crate::request::query::Query;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let concert = json!({
        "id": "0193a5b2-7c00-7000-8000-000000000001", "title": "Winter Gala", "queue": "main",
        "first_date": "2026-12-24", "last_date": "2026-12-26"
    });
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/concerts",
            "listConcerts",
            "Concerts that are for sale, newest first; the first page at most a second ago.",
            || web::to(list),
        )
        .query::<PageQuery<ConcertId>>()
        .answers(200, "A page of concerts.", Content::Page(Shape::of::<ConcertView>(), concert)),
    ]
}

async fn list(query: Query<PageQuery<ConcertId>>, api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let page = query.0.page()?;
    let read = async { Ok::<_, Failure>(Arc::new(PageView::of(api.app.concerts(&page).await?, ConcertView::from))) };
    let concerts = if is_usual(&page) { api.concerts.get((), || api.app.now(), read).await? } else { read.await? };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "public, max-age=1"));
    json::json(response, &*concerts)
}
