//! The edge: what every request goes through, whatever it asks for.
//!
//! It names the request, answers preflights, catches panics, turns every error into a problem document in the caller's
//! language, sets the headers that all answers have, and counts.

pub(crate) mod cors;
pub(crate) mod metrics;
pub(crate) mod request_id;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{Error, HttpResponse, web};
use futures::FutureExt;

use crate::answer::error_codes::{Code, Language};
use crate::answer::problem::Problem;
use crate::api::Api;
use crate::middleware::cors::Cors;
use crate::middleware::metrics::RouteMetrics;
use crate::middleware::request_id::RequestId;
use crate::request::preferences;

/// What is kept of a request while it is answered.
struct Visit {
    started: Instant,
    id: RequestId,
    language: Language,
    origin: Option<HeaderValue>,
    under_api: bool,
}

/// Takes one request through the router and its answer back out.
pub(crate) fn pass<S>(
    api: &web::Data<Api>,
    strays: &Rc<RouteMetrics>,
    request: ServiceRequest,
    router: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
    S::Future: 'static,
{
    let headers = request.headers();
    let visit = Visit {
        started: Instant::now(),
        id: api.request_ids.of(headers),
        language: preferences::language(headers),
        origin: api.cors.allowed(headers),
        // As the router reads it: decoded, so that no other way to write a path has other headers.
        under_api: request.match_info().as_str().starts_with("/api/"),
    };
    let method = request.method().clone();
    let preflight = visit.origin.as_ref().and_then(|_| Cors::preflight(&method, headers));
    let (api, strays) = (web::Data::clone(api), Rc::clone(strays));
    let called = match preflight {
        Some(answer) => Err(request.into_response(answer)),
        None => Ok(catch_unwind(AssertUnwindSafe(|| router.call(request)))),
    };
    async move {
        let outcome = match called {
            Err(preflight) => Ok(Ok(preflight)),
            Ok(Ok(answering)) => AssertUnwindSafe(answering).catch_unwind().await,
            Ok(Err(panic)) => Err(panic),
        };
        let answered = match outcome {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(problem_of(&error)),
            Err(panic) => Err(Problem::internal(said(&*panic))),
        };
        match answered {
            Ok(response) => {
                let mut response = visit.finish(response);
                let metrics = response.request().app_data::<Rc<RouteMetrics>>().map_or(&strays, |route| route);
                metrics.count(&method, response.status(), visit.started.elapsed());
                visit.mark(&api, response.headers_mut());
                Ok(response)
            }
            // The request is lost with what failed; its answer travels as an error.
            Err(problem) => {
                let mut response = visit.render(&problem);
                strays.count(&method, response.status(), visit.started.elapsed());
                visit.mark(&api, response.headers_mut());
                Err(InternalError::from_response("a handler failed", response).into())
            }
        }
    }
}

impl Visit {
    /// Turns an error into its document; leaves every other answer as it is.
    fn finish(&self, response: ServiceResponse) -> ServiceResponse {
        match response.response().error().map(problem_of) {
            Some(problem) => response.into_response(self.render(&problem)),
            None => response,
        }
    }

    /// The document of a problem. What is not the caller's doing is logged, once, here.
    fn render(&self, problem: &Problem) -> HttpResponse {
        if let Some(cause) = &problem.cause {
            let (request_id, code) = (self.id.as_str(), problem.code.as_str());
            if problem.code == Code::Internal {
                tracing::error!(request_id, code, %cause, "a request failed");
            } else {
                tracing::warn!(request_id, code, %cause, "a request was not answered");
            }
        }
        problem.respond(self.language, self.id.as_str())
    }

    /// The headers that every answer has.
    fn mark(&self, api: &Api, headers: &mut HeaderMap) {
        headers.insert(request_id::HEADER, self.id.0.clone());
        if self.under_api && !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        api.cors.mark(headers, self.origin.clone());
    }
}

fn problem_of(error: &Error) -> Problem {
    match error.as_error::<Problem>() {
        Some(problem) => problem.clone(),
        None => Problem::of(error),
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("of no text"))
}
