//! All endpoints in one list, and the router made of it.

mod admin;
mod concerts;
mod docs;
mod me;
mod monitoring;
mod payments;
mod reservations;
mod schedules;
mod seats;
mod tokens;
mod wallet;

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::guard::{self, GuardContext};
use actix_web::http::Method;
use actix_web::{App, Error, HttpResponse, Resource, web};

use crate::answer::problem::Problem;
use crate::api::Api;
use crate::middleware;
use crate::middleware::metrics::RouteMetrics;
use crate::openapi::endpoint::Endpoint;
use crate::request::body::BodyLimit;
use crate::routes::docs::Document;

/// All endpoints. The router asks them in this order: those of the crowd come first.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        monitoring::health(),
        tokens::endpoints(),
        reservations::endpoints(),
        payments::endpoints(),
        wallet::endpoints(),
        me::endpoints(),
        concerts::endpoints(),
        schedules::endpoints(),
        seats::endpoints(),
        admin::endpoints(),
        monitoring::endpoints(),
        docs::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The endpoints by path, each path once, in their order.
fn by_path(endpoints: Vec<Endpoint>) -> Vec<(&'static str, Vec<Endpoint>)> {
    let mut paths: Vec<(&'static str, Vec<Endpoint>)> = Vec::new();
    for endpoint in endpoints {
        match paths.iter_mut().find(|(path, _)| *path == endpoint.path) {
            Some((_, of_path)) => of_path.push(endpoint),
            None => paths.push((endpoint.path, vec![endpoint])),
        }
    }
    paths
}

/// The OpenAPI document of all endpoints.
pub(crate) fn document() -> Document {
    Document::of(&endpoints())
}

/// One worker's application.
pub(crate) fn application(
    api: &web::Data<Api>,
    document: &web::Data<Document>,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>
    + use<>,
> {
    let strays = Rc::new(RouteMetrics::new("unmatched"));
    let at_edge = web::Data::clone(api);
    let mut app =
        App::new().app_data(web::Data::clone(api)).app_data(web::Data::clone(document)).app_data(Rc::clone(&strays));
    for (path, endpoints) in by_path(endpoints()) {
        app = app.service(resource(path, &endpoints));
    }
    app.default_service(web::to(|| async { Err::<HttpResponse, _>(Problem::no_such_path()) }))
        .wrap_fn(move |request, router| middleware::pass(&at_edge, &strays, request, router))
}

/// Routes one path by its methods. Any other method is answered with 405, and `Allow` names these.
fn resource(path: &'static str, endpoints: &[Endpoint]) -> Resource {
    let limit = if path.starts_with("/api/v1/admin/") { BodyLimit::ADMIN } else { BodyLimit::USUAL };
    let mut resource = web::resource(path).app_data(Rc::new(RouteMetrics::new(path))).app_data(limit);
    let mut allow = Vec::new();
    for endpoint in endpoints {
        let method = endpoint.method.clone();
        allow.push(method.to_string());
        if method == Method::GET {
            allow.push(Method::HEAD.to_string());
        }
        resource =
            resource.route((endpoint.handler)().guard(guard::fn_guard(move |context| answers(&method, context))));
    }
    let allow = allow.join(", ");
    resource.default_service(web::to(move || {
        let allow = allow.clone();
        async move { Err::<HttpResponse, _>(Problem::method_not_allowed(allow)) }
    }))
}

/// Whether an endpoint of this method answers a request. A path that answers GET answers HEAD (RFC 9110, 9.3.2).
fn answers(method: &Method, context: &GuardContext<'_>) -> bool {
    let asked = &context.head().method;
    asked == method || (method == Method::GET && asked == Method::HEAD)
}
