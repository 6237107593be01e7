//! What every request goes through, whatever it asks for.
//!
//! The middleware names the request, answers preflights, catches panics, turns every error into a problem document in
//! the caller's language, sets the headers that all answers have, and counts.

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
use actix_web::http::Method;
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
    method: Method,
    language: Language,
    origin: Option<HeaderValue>,
    under_api: bool,
}

/// How far a request has come once the router was called.
enum Called<F> {
    /// The router is at work.
    Answering(F),
    /// There is an answer, or a panic where one should be.
    Answered(Result<ServiceResponse, Problem>),
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
    let visit = Visit::of(api, &request);
    let called = match visit.preflight(&request) {
        Some(answer) => Called::Answered(Ok(request.into_response(answer))),
        None => call(router, request),
    };
    let (api, strays) = (web::Data::clone(api), Rc::clone(strays));
    async move {
        let answered = match called {
            Called::Answering(answering) => outcome(answering).await,
            Called::Answered(answered) => answered,
        };
        visit.end(&api, &strays, answered)
    }
}

/// Calls the router. What it answers is awaited elsewhere.
fn call<S>(router: &S, request: ServiceRequest) -> Called<S::Future>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    match catch_unwind(AssertUnwindSafe(|| router.call(request))) {
        Ok(answering) => Called::Answering(answering),
        Err(panic) => Called::Answered(Err(problem_of_panic(&*panic))),
    }
}

/// What the router answers. An error of it, or a panic, has lost the request.
async fn outcome(answering: impl Future<Output = Result<ServiceResponse, Error>>) -> Result<ServiceResponse, Problem> {
    match AssertUnwindSafe(answering).catch_unwind().await {
        Ok(answered) => answered.map_err(|error| problem_of(&error)),
        Err(panic) => Err(problem_of_panic(&*panic)),
    }
}

impl Visit {
    /// What the head of a request says.
    fn of(api: &Api, request: &ServiceRequest) -> Self {
        let headers = request.headers();
        Self {
            started: Instant::now(),
            id: api.request_ids.of(headers),
            method: request.method().clone(),
            language: preferences::language(headers),
            origin: api.cors.allowed(headers),
            // As the router reads it: decoded, so that no other way to write a path has other headers.
            under_api: request.match_info().as_str().starts_with("/api/"),
        }
    }

    /// The answer to a preflight of an allowed origin, which the router does not see.
    fn preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        self.origin.as_ref().and_then(|_| Cors::preflight(&self.method, request.headers()))
    }

    /// Ends the visit: writes down a problem, sets the headers that every answer has, and counts.
    fn end(
        self,
        api: &Api,
        strays: &RouteMetrics,
        answered: Result<ServiceResponse, Problem>,
    ) -> Result<ServiceResponse, Error> {
        match answered {
            Ok(response) => {
                let mut response = self.finish(response);
                let metrics = response.request().app_data::<Rc<RouteMetrics>>().map_or(strays, |route| &**route);
                metrics.count(&self.method, response.status(), self.started.elapsed());
                self.mark(api, response.headers_mut());
                Ok(response)
            }
            // The request is lost with what failed; its answer travels as an error.
            Err(problem) => {
                let mut response = self.render(&problem);
                strays.count(&self.method, response.status(), self.started.elapsed());
                self.mark(api, response.headers_mut());
                Err(InternalError::from_response("a handler failed", response).into())
            }
        }
    }

    /// Turns an error into its document; leaves every other answer as it is.
    fn finish(&self, response: ServiceResponse) -> ServiceResponse {
        match response.response().error().map(problem_of) {
            Some(problem) => response.into_response(self.render(&problem)),
            None => response,
        }
    }

    /// Writes the document of a problem, and logs the problem, once, unless the caller caused it.
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

/// The problem that a panic is to the caller. The panic's text goes to the log.
fn problem_of_panic(panic: &(dyn Any + Send)) -> Problem {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::internal(format!("panic: {}", text.unwrap_or("of no text")))
}
