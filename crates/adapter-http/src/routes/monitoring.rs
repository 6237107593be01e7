//! What those who run it ask: health, readiness and metrics.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, web};
use domain::ports::StoreError;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::answer::json;
use crate::answer::problem::Problem;
use crate::answer::sentence::Sentence;
use crate::api::Api;
use crate::middleware::metrics::show_queue;
use crate::openapi::endpoint::{Content, Endpoint, Shape};

/// Whether the process lives.
pub(crate) fn health() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::GET, "/healthz", "getHealth", "Whether the process lives; asks nobody.", || {
            web::to(healthz)
        })
        .without_store()
        .answers(200, "It does.", Content::Other("text/plain")),
    ]
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let ready = Content::One(Shape::of::<Ready>(), json!({"status": "ready", "clock_skew_ms": 0, "warnings": []}));
    vec![
        Endpoint::new(Method::GET, "/readyz", "getReadiness", "Whether this server may be sent callers.", || {
            web::to(readyz)
        })
        .answers(200, "The storage answers and the clocks agree.", ready),
        Endpoint::new(Method::GET, "/metrics", "getMetrics", "Metrics, as Prometheus reads them.", || web::to(metrics))
            .without_store()
            .answers(200, "All metrics.", Content::Other("text/plain")),
    ]
}

/// A server that may be sent callers.
#[derive(Serialize, ToSchema)]
struct Ready {
    #[schema(pattern = "^ready$")]
    status: &'static str,
    /// How far this server's clock is from the storage's.
    clock_skew_ms: u64,
    /// What an operator has to see to, though callers are served.
    warnings: Vec<Warning>,
}

/// What is amiss at all servers alike.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Warning {
    /// No clockwork has ticked for ten seconds: nobody is admitted, and no turn or hold ends.
    ClockworkSilent,
}

async fn healthz() -> HttpResponse {
    let plain_text = HeaderValue::from_static("text/plain; charset=utf-8");
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, plain_text)).body("ok")
}

async fn readyz(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let readiness = api.app.readiness().await.map_err(|error| {
        let why = match error {
            StoreError::Full => &Sentence::STORAGE_FULL,
            _ => &Sentence::STORAGE_SILENT,
        };
        Problem::from(error).saying(why)
    })?;
    let skew = readiness.clock_skew;
    if !readiness.is_ready() {
        return Err(
            Problem::unavailable(format!("the clock is {skew:?} off the storage's")).saying(&Sentence::CLOCK_OFF)
        );
    }
    json::ok(&Ready {
        status: "ready",
        clock_skew_ms: u64::try_from(skew.as_millis()).unwrap_or(u64::MAX),
        warnings: readiness.lacks_clockwork().then_some(Warning::ClockworkSilent).into_iter().collect(),
    })
}

async fn metrics(api: web::Data<Api>) -> HttpResponse {
    let shown = async {
        api.app.queue_counts().await?.iter().for_each(show_queue);
        Ok(())
    };
    if let Err(error) = api.queues.get((), || api.app.now(), shown).await {
        // The metrics that this process counts are told all the same.
        tracing::warn!(%error, "the queues could not be counted");
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(api.prometheus.render())
}
