//! How bodies of JSON are answered.

use actix_web::body::MessageBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::answer::problem::Problem;

/// A success with a JSON body.
pub(crate) fn json(response: HttpResponseBuilder, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let bytes =
        serde_json::to_vec(body).map_err(|error| Problem::internal(format!("an answer was not written: {error}")))?;
    Ok(written(response, bytes))
}

/// A success whose body is JSON already.
pub(crate) fn written(mut response: HttpResponseBuilder, json: impl MessageBody + 'static) -> HttpResponse {
    let content_type = HeaderValue::from_static("application/json");
    response.insert_header((header::CONTENT_TYPE, content_type)).body(json)
}

/// 200 with a JSON body.
pub(crate) fn ok(body: &impl Serialize) -> Result<HttpResponse, Problem> {
    json(HttpResponse::Ok(), body)
}
