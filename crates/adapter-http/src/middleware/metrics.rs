//! Metrics: requests by route, and what came of holds and payments.

use std::cell::RefCell;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use app::QueueCounts;
use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

/// The histogram of answering times, in seconds.
pub const REQUEST_SECONDS: &str = "http_request_duration_seconds";
/// Upper bounds for the buckets of [`REQUEST_SECONDS`]: from a poll to a wait for an overloaded store.
pub const REQUEST_SECONDS_BUCKETS: &[f64] =
    &[0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

const REQUESTS: &str = "http_requests_total";

/// Counts what came of the sale's commands. A replay is not counted again.
pub(crate) struct Sale {
    /// Holds that were granted.
    pub(crate) holds: Counter,
    /// Holds that were refused because a seat was taken.
    pub(crate) conflicts: Counter,
    /// Payments that were made.
    pub(crate) payments: Counter,
}

impl Sale {
    /// The counters, all at zero.
    pub(crate) fn new() -> Self {
        describe();
        Self {
            holds: counter!("usher_holds_total"),
            conflicts: counter!("usher_seat_conflicts_total"),
            payments: counter!("usher_payments_total"),
        }
    }
}

/// Says what each metric of this process means, whichever part of it counts: they are read on one page.
fn describe() {
    describe_counter!(REQUESTS, "Requests by method, route pattern and status.");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "Answering times by method and route pattern.");
    describe_counter!("usher_holds_total", "Holds that were granted.");
    describe_counter!("usher_seat_conflicts_total", "Holds that were refused because a seat was taken.");
    describe_counter!("usher_payments_total", "Payments that were made.");
    describe_gauge!("usher_waiting", "Tokens that wait, by queue.");
    describe_gauge!("usher_active", "Tokens that are ACTIVE, by queue.");
    describe_counter!("usher_admitted_total", "Tokens that became ACTIVE.");
    describe_counter!("usher_tokens_expired_total", "ACTIVE tokens whose time was up.");
    describe_counter!("usher_tokens_absent_total", "Tokens that were passed over, as nobody was there for them.");
    describe_histogram!(
        "usher_line_refresh_seconds",
        Unit::Seconds,
        "How long it took to learn what changed of all lines."
    );
    describe_counter!(
        "usher_line_refresh_failures_total",
        "Refreshes of the lines that failed, whole or for one queue."
    );
    describe_histogram!(
        "usher_wait_misjudged_seconds",
        Unit::Seconds,
        "By how much the estimated wait of sampled places differed, either way, from how long they waited in the end."
    );
    describe_histogram!("usher_batch_size", "Commands that the store committed or rolled back together.");
    describe_counter!(
        "usher_batch_retries_total",
        "Batches that were run again, as the database or its connection gave way."
    );
    describe_histogram!(
        "usher_queue_to_commit_seconds",
        Unit::Seconds,
        "From when a command was handed to the store until its batch had ended."
    );
    describe_counter!("usher_ticks_total", "Ticks of the clockwork.");
    describe_gauge!(
        "usher_clockwork_last_tick_seconds",
        Unit::Seconds,
        "How long ago a clockwork ticked last, in whichever process; as this server saw it, every two seconds."
    );
    describe_counter!("usher_holds_expired_total", "Holds that the clockwork freed because their time was up.");
    describe_counter!("usher_tick_failures_total", "What the clockwork could not do, by part.");
}

/// Shows how many wait and are ACTIVE in a queue, as it was just counted.
pub(crate) fn show_queue(counts: &QueueCounts) {
    for (name, count) in [("usher_waiting", counts.waiting), ("usher_active", counts.active)] {
        gauge!(name, "queue" => counts.name.to_string()).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }
}

/// Counts the requests of one route. One worker's own, so that counting takes no lock.
pub(crate) struct RouteMetrics {
    route: &'static str,
    known: RefCell<Vec<Known>>,
}

struct Known {
    method: &'static str,
    status: StatusCode,
    requests: Counter,
    seconds: Histogram,
}

impl RouteMetrics {
    /// For the route with this pattern.
    pub(crate) fn new(route: &'static str) -> Self {
        Self { route, known: RefCell::default() }
    }

    /// Counts one answer.
    pub(crate) fn count(&self, method: &Method, status: StatusCode, took: Duration) {
        let method = label(method);
        let mut known = self.known.borrow_mut();
        if !known.iter().any(|k| k.method == method && k.status == status) {
            known.push(Known {
                method,
                status,
                requests: counter!(REQUESTS, "route" => self.route, "method" => method, "status" => status.as_u16().to_string()),
                seconds: histogram!(REQUEST_SECONDS, "route" => self.route, "method" => method),
            });
        }
        if let Some(k) = known.iter().find(|k| k.method == method && k.status == status) {
            k.requests.increment(1);
            k.seconds.record(took);
        }
    }
}

/// Methods that callers make up must not make up series.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    /// The names in `counter!("name"`, `gauge!("name"` and `histogram!("name"` of all sources below a folder.
    fn counted_below(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                counted_below(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                for call in ["counter!(\"", "gauge!(\"", "histogram!(\""] {
                    let of_call = source.split(call).skip(1).filter_map(|rest| rest.split_once('"'));
                    names.extend(of_call.map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("usher_")));
                }
            }
        }
    }

    /// `/metrics` tells what each metric means, also of those that other crates count.
    #[test]
    fn every_metric_has_its_help() {
        let mut names = BTreeSet::from([REQUESTS.to_owned(), REQUEST_SECONDS.to_owned()]);
        counted_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut names);
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            for name in &names {
                counter!(name.clone()).absolute(1);
            }
        });
        let page = recorder.handle().render();
        for name in names {
            assert!(page.contains(&format!("# HELP {name} ")), "{name} is not described");
        }
    }
}
