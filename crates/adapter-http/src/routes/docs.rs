//! The OpenAPI document, and the page at `/docs` that shows it: Swagger UI from within the binary, so that it works
//! without a network.

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::answer::error_codes::Code;
use crate::answer::problem::Problem;
use crate::openapi::document;
use crate::openapi::endpoint::{Content, Endpoint};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::GET, "/openapi.json", "getDocument", "This document.", || web::to(show))
            .without_store()
            .answers(200, "The OpenAPI document.", Content::Other("application/json")),
        Endpoint::new(Method::GET, "/docs", "getDocs", "This document as a page to read and try.", || web::to(enter))
            .undocumented()
            .without_store()
            .answers(308, "The page is at `/docs/`.", Content::Empty)
            .header("Location", "The page."),
        Endpoint::new(Method::GET, "/docs/{file:.*}", "getDocsFile", "The page and its files.", || web::to(file))
            .undocumented()
            .without_store()
            .answers(200, "The file.", Content::Other("text/html"))
            .refuses(&[Code::NotFound]),
    ]
}

/// The OpenAPI document as it is sent.
pub(crate) struct Document(Bytes);

impl Document {
    /// The document of these endpoints.
    pub(crate) fn of(endpoints: &[Endpoint]) -> Self {
        Self(Bytes::from(document::text(endpoints)))
    }
}

async fn show(document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.0.clone())
}

/// Its files are named relative to the page, so that the page must end in a slash.
async fn enter() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// One of its files; the page itself when none is named.
async fn file(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let name = request.match_info().get("file").unwrap_or_default();
    // No validator: it would be asked over the network.
    let config = Config::from("/openapi.json").validator_url("none").display_operation_id(true);
    let found = utoipa_swagger_ui::serve(name, Arc::new(config));
    let found = found.map_err(|error| Problem::internal(format!("the page was not written: {error}")))?;
    let SwaggerFile { bytes, content_type, gzpipped, .. } = found.ok_or_else(Problem::no_such_path)?;
    let mut response = HttpResponse::Ok();
    if gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(response.content_type(content_type).body(bytes.into_owned()))
}
