//! The page at `/docs`: Swagger UI from within the binary, so that it works without a network.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;

/// Its files are named relative to the page, so that the page must end in a slash.
pub(crate) async fn enter() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// One of its files; the page itself when none is named.
pub(crate) async fn file(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let name = request.match_info().get("file").unwrap_or_default();
    // No validator: it would be asked over the network.
    let config = Config::from("/openapi.json").validator_url("none").display_operation_id(true);
    let found = utoipa_swagger_ui::serve(name, Arc::new(config));
    let found = found.map_err(|error| Problem::internal(format!("the page was not written: {error}")))?;
    let SwaggerFile { bytes, content_type, gzpipped, .. } = found.ok_or_else(|| Problem::new(Code::NotFound))?;
    let mut response = HttpResponse::Ok();
    if gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(response.content_type(content_type).body(bytes.into_owned()))
}
