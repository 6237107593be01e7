//! What every request goes through: its id, its headers, its origin, its count, and what a panic becomes.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use super::shop::{Answers, Plan, Shop, request};
use crate::Settings;

#[actix_web::test]
async fn every_answer_carries_the_request_id() {
    let shop = Shop::new().await;
    for path in ["/healthz", "/api/v1/concerts", "/api/v1/wallet", "/nowhere", "/docs"] {
        let ours = shop.get(path, "").await;
        let ours = ours.header("x-request-id").unwrap();
        assert!((1..=64).contains(&ours.len()), "{path}");
        let theirs = request("GET", path, "").insert_header(("X-Request-Id", "Call_1.a-b"));
        assert_eq!(shop.send(theirs).await.header("x-request-id"), Some("Call_1.a-b"), "{path}");
    }
    let (one, other) = (shop.get("/healthz", "").await, shop.get("/healthz", "").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[actix_web::test]
async fn an_unfit_request_id_is_not_repeated() {
    let shop = Shop::new().await;
    for unfit in ["", "a b", "a\"b", "ключ", &"x".repeat(65), "{{}}"] {
        let reply = shop.send(request("GET", "/healthz", "").insert_header(("X-Request-Id", unfit))).await;
        assert_ne!(reply.header("x-request-id"), Some(unfit));
    }
    let longest = "x".repeat(64);
    let reply = shop.send(request("GET", "/healthz", "").insert_header(("X-Request-Id", &*longest))).await;
    assert_eq!(reply.header("x-request-id"), Some(&*longest));
}

#[actix_web::test]
async fn nothing_under_the_api_is_stored_but_the_list_of_concerts() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    for (path, expected) in [
        ("/api/v1/concerts", Some("public, max-age=1")),
        ("/api/v1/concerts?limit=0", Some("no-store")),
        ("/api/v1/wallet", Some("no-store")),
        (&*concert.path(), Some("no-store")),
        ("/api/v1/nowhere", Some("no-store")),
        // Another way to write the same path.
        ("/%61pi/v1/%77allet", Some("no-store")),
        ("/healthz", None),
    ] {
        let reply = shop.get(path, &token).await;
        assert_eq!(reply.header("cache-control"), expected, "{path}");
        assert!(!reply.headers.contains_key(header::SET_COOKIE));
    }
}

#[actix_web::test]
async fn other_methods_are_told_which_ones_there_are() {
    let shop = Shop::new().await;
    for (method, path, allow) in [
        ("PUT", "/api/v1/reservations", "POST, GET, HEAD"),
        ("POST", "/api/v1/queue/tokens/me", "GET, HEAD, DELETE"),
        ("GET", "/api/v1/queue/tokens", "POST"),
        ("OPTIONS", "/api/v1/wallet", "GET, HEAD"),
        ("BREW", "/healthz", "GET, HEAD"),
    ] {
        let reply = shop.call(method, path, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (405, "method_not_allowed"), "{method} {path}");
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
    }
    shop.call("HEAD", "/healthz", "").await.expect(200);
}

/// A panic is told as any other fault, and the next request is answered as if nothing had been.
#[actix_web::test]
async fn a_panic_is_a_500_that_says_nothing() {
    let shop = Shop::plan(Plan { probe: Some(Arc::new(Answers(None))), ..Plan::default() }).await;
    let reply = shop.send(request("GET", "/readyz", "").insert_header(("X-Request-Id", "mine"))).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "internal"));
    assert_eq!(reply.header("x-request-id"), Some("mine"));
    assert_eq!(reply.json()["instance"], "urn:usher:request:mine");
    assert!(!String::from_utf8_lossy(&reply.body).contains("probe"));
    shop.get("/healthz", "").await.expect(200);
}

#[actix_web::test]
async fn pages_of_other_origins_may_call_when_they_are_listed() {
    let settings = Settings { cors_origins: vec!["https://shop.example".to_owned()], ..Settings::default() };
    let shop = Shop::plan(Plan { settings, ..Plan::default() }).await;
    let from =
        |origin: &'static str, method: &str| request(method, "/api/v1/wallet", "").insert_header(("Origin", origin));

    let preflight = from("https://shop.example", "OPTIONS").insert_header(("Access-Control-Request-Method", "POST"));
    let preflight = shop.send(preflight).await.expect(204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://shop.example"));
    for (header, names) in [
        ("access-control-allow-methods", vec!["GET", "POST", "PATCH", "DELETE"]),
        ("access-control-allow-headers", vec!["Authorization", "Content-Type", "Idempotency-Key"]),
    ] {
        let listed = preflight.header(header).unwrap();
        assert!(names.iter().all(|name| listed.contains(name)), "{listed}");
    }

    let read = shop.send(from("https://shop.example", "GET")).await;
    assert_eq!((read.status, read.code().as_str()), (401, "token_missing"));
    assert_eq!(read.header("access-control-allow-origin"), Some("https://shop.example"));
    let exposed = read.header("access-control-expose-headers").unwrap();
    for name in ["X-Request-Id", "Idempotent-Replayed", "Location", "Retry-After", "ETag", "WWW-Authenticate"] {
        assert!(exposed.contains(name), "{name}");
    }
    assert_eq!(read.header("access-control-allow-credentials"), None);
    let vary: Vec<_> = read.headers.get_all("vary").map(|value| value.to_str().unwrap().to_owned()).collect();
    assert!(vary.contains(&"Origin".to_owned()), "{vary:?}");

    for stranger in ["https://evil.example", "https://shop.example.evil", "null", "http://shop.example"] {
        let reply = shop.send(from(stranger, "GET")).await;
        assert_eq!(reply.header("access-control-allow-origin"), None, "{stranger}");
        let preflight = from(stranger, "OPTIONS").insert_header(("Access-Control-Request-Method", "POST"));
        assert_eq!(shop.send(preflight).await.status, 405, "{stranger}");
    }
}

#[actix_web::test]
async fn no_origin_may_call_by_default() {
    let shop = Shop::new().await;
    let reply = shop.send(request("GET", "/healthz", "").insert_header(("Origin", "https://shop.example"))).await;
    assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[actix_web::test]
async fn requests_and_what_came_of_them_are_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    shop.post_keyed("/api/v1/reservations", &token, "k", &concert.seats(&[1])).await.expect(201);
    // A replay sells nothing.
    let again = shop.post_keyed("/api/v1/reservations", &token, "k", &concert.seats(&[1])).await.expect(201);
    shop.hold(&token, &concert, &[1]).await.expect(409);
    shop.charge(&token, 1000).await.expect(201);
    let reservation = again.json()["id"].as_str().unwrap().to_owned();
    shop.pay(&token, &reservation).await.expect(201);
    shop.get("/no/such/path/at/all", "").await.expect(404);
    shop.call("BREW", &format!("/api/v1/reservations/{reservation}"), "").await.expect(405);

    let text = handle.render();
    for line in [
        "usher_holds_total 1",
        "usher_seat_conflicts_total 1",
        "usher_payments_total 1",
        r#"http_requests_total{route="/api/v1/reservations",method="POST",status="201"} 2"#,
        r#"http_requests_total{route="/api/v1/reservations",method="POST",status="409"} 1"#,
        r#"http_requests_total{route="/api/v1/reservations/{id}",method="other",status="405"} 1"#,
        r#"http_requests_total{route="unmatched",method="GET",status="404"} 1"#,
        r#"http_request_duration_seconds_count{route="/api/v1/payments",method="POST"} 1"#,
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(!text.contains("/no/such") && !text.contains(&token) && !text.contains(&reservation), "{text}");
}

#[actix_web::test]
async fn readiness_is_the_storage_and_the_clocks() {
    let shop = Shop::new().await;
    let ready = |warnings: &[&str]| json!({"status": "ready", "clock_skew_ms": 0, "warnings": warnings});
    assert_eq!(shop.get("/readyz", "").await.expect(200).json(), ready(&[]));
    // Nobody ticks: told, and no reason to be sent nobody.
    shop.clock.advance(Duration::from_secs(10));
    assert_eq!(shop.get("/readyz", "").await.expect(200).json(), ready(&["clockwork_silent"]));
    shop.app.tick().await;
    assert_eq!(shop.get("/readyz", "").await.expect(200).json(), ready(&[]));
    let now = domain::ports::Clock::now(&*shop.clock);
    for (skew, expected) in [(999_999, 200), (1_000_000, 503), (-1_000_000, 503)] {
        let there = domain::Timestamp::from_micros(now.micros() + skew);
        let shop = Shop::plan(Plan { probe: Some(Arc::new(Answers(Some(Ok(there))))), ..Plan::default() }).await;
        shop.clock.set(now);
        let reply = shop.get("/readyz", "").await.expect(expected);
        assert_eq!(reply.header("retry-after").is_some(), expected == 503, "{skew}");
        let told = json!("This server's clock is a second or more off the storage's.");
        assert!(expected == 200 || reply.json()["detail"] == told, "{skew}");
    }
}
