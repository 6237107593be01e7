//! What is around the API: health, metrics, documents, headers, logs (P1, P2, P3, P6, Q13).

use e2e::{Settings, Shop, Storage, on_each_storage};
use reqwest::Method;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

on_each_storage![
    the_paths_outside_the_api_answer,
    every_documented_operation_is_routed,
    a_request_id_is_kept_when_it_is_one,
    metrics_count_what_happened,
    tokens_and_keys_are_never_logged,
    times_are_rfc_3339_and_in_order,
    only_listed_origins_may_call,
    an_unchanged_seat_list_is_not_sent_again,
];

/// P6: every path outside the API answers, and so does what it is for.
async fn the_paths_outside_the_api_answer(storage: Storage) {
    let shop = Shop::open(storage).await;
    shop.request(Method::GET, "/healthz").await.expect_success();
    shop.request(Method::GET, "/readyz").await.expect_success();
    let docs = shop.request(Method::GET, "/docs/").await;
    docs.expect_success();
    assert!(docs.header("Content-Type").starts_with("text/html"), "{docs}");
    let text = String::from_utf8(docs.body.clone()).unwrap();
    assert!(!text.contains("https://"), "the docs work offline: {text}");
}

/// P6: every operation of the OpenAPI document is routed: none of them is `not_found` for want of a route or another
/// method's, and the document knows every route of the contract.
async fn every_documented_operation_is_routed(storage: Storage) {
    let shop = Shop::open(storage).await;
    let document = shop.request(Method::GET, "/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().unwrap();
    for route in [
        "/queue/tokens",
        "/queue/tokens/me",
        "/concerts",
        "/concerts/{id}/schedules",
        "/schedules",
        "/schedules/{id}/seats",
        "/reservations",
        "/reservations/{id}",
        "/wallet",
        "/wallet/charges",
        "/wallet/entries",
        "/payments",
        "/payments/{id}",
        "/admin/concerts",
        "/admin/queues/{queue}",
    ] {
        assert!(paths.contains_key(&format!("/api/v1{route}")), "no {route} among {:?}", paths.keys());
    }
    for (path, operations) in paths.iter().filter(|(path, _)| path.starts_with("/api/v1")) {
        for method in operations.as_object().unwrap().keys() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let answer = shop.request(method.clone(), &path.replace("{id}", "x").replace("{queue}", "main")).await;
            assert!(![404, 405, 500].contains(&answer.status) || path.ends_with("{id}"), "{answer}");
        }
    }
}

/// The caller's request id comes back when it is one, and another is made when it is not.
async fn a_request_id_is_kept_when_it_is_one(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ask = async |id: &str| {
        let answer = shop.api(Method::GET, "/concerts").header("X-Request-Id", id).await;
        answer.header("X-Request-Id").to_owned()
    };
    let longest = "a".repeat(64);
    for good in ["abc", "A.b_c-9", &longest] {
        assert_eq!(ask(good).await, good);
    }
    for bad in ["", "a b", "a/b", "ä", &format!("{longest}a")] {
        let made = ask(bad).await;
        assert!(!made.is_empty() && made != bad, "{bad}: {made}");
    }
    assert_ne!(ask("").await, ask("").await);
}

/// P2, P3: what happens is counted, by route and status, and what the domain does too.
async fn metrics_count_what_happened(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(2, 0).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    let id = ann.held(&sale.schedule, &[1]).await;
    ben.hold(&sale.schedule, &[1]).await.refused(409, "seat_taken");
    ann.pay(&id).await.expect(201);
    let answer = shop.request(Method::GET, "/metrics").await;
    answer.expect_success();
    let text = String::from_utf8(answer.body).unwrap();
    let words = ["holds", "conflicts", "payments", "admitted", "waiting", "active", "expired", "batch", "409"];
    for word in words {
        assert!(text.contains(word), "no {word} in\n{text}");
    }
    // Ann has paid; Ben is ACTIVE; nobody waits.
    for line in ["usher_active{queue=\"main\"} 1", "usher_waiting{queue=\"main\"} 0", "usher_payments_total 1"] {
        assert!(text.lines().any(|told| told == line), "no {line} in\n{text}");
    }
    for secret in [&ann.token, "ann", &id, e2e::ADMIN_KEY] {
        assert!(!text.contains(&format!("\"{secret}\"")), "a metric is labelled with {secret}");
    }
}

/// Q13: tokens and keys are never logged, whatever is logged.
async fn tokens_and_keys_are_never_logged(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(2, 0).await;
    let ann = shop.join("ann").await;
    let id = ann.hold(&sale.schedule, &[1]).key("the-key-of-a-hold").await.expect(201)["id"].clone();
    ann.pay(id.as_str().unwrap()).await.expect(201);
    ann.hold(&sale.schedule, &[9]).await.refused(403, "token_not_active");
    shop.api(Method::GET, "/wallet").bearer("nonsense-token").await.refused(401, "token_unknown");
    shop.terminate();
    let finished = shop.finished().await;
    let output = finished.stdout + &finished.stderr;
    for secret in [&ann.token, e2e::ADMIN_KEY, "nonsense-token"] {
        assert!(!output.contains(secret), "{secret} was logged:\n{output}");
    }
}

/// P1, B09: every instant on the wire is RFC 3339 with an offset, and they are in order.
async fn times_are_rfc_3339_and_in_order(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 0).await;
    let ann = shop.join("ann").await;
    let reservation = ann.hold(&sale.schedule, &[1]).await.expect(201);
    let payment = ann.pay(reservation["id"].as_str().unwrap()).await.expect(201);
    let instant = |value: &Value| OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap();
    let times = [
        instant(&ann.joined["issued_at"]),
        instant(&ann.joined["activated_at"]),
        instant(&reservation["reserved_at"]),
        instant(&payment["paid_at"]),
        instant(&ann.place().await["server_time"]),
    ];
    assert!(times.is_sorted(), "{times:?}");
    let held = instant(&reservation["expires_at"]) - instant(&reservation["reserved_at"]);
    assert_eq!(held, time::Duration::seconds(300), "R9");
    let active = instant(&ann.joined["expires_at"]) - instant(&ann.joined["activated_at"]);
    assert_eq!(active, time::Duration::seconds(600), "R5");
    assert_eq!(reservation["starts_at"], "2099-12-24T19:30:00+09:00");
}

/// Web pages of listed origins may call the API, others not; without a list, none.
async fn only_listed_origins_may_call(storage: Storage) {
    let shop = Settings::on(storage).with("--cors-origin", "https://shop.example").open().await;
    let closed = Shop::open(storage).await;
    let allowed = async |shop: &Shop, origin: &str| {
        let answer = shop.api(Method::GET, "/concerts").header("Origin", origin).await;
        answer.header("Access-Control-Allow-Origin").to_owned()
    };
    assert_eq!(allowed(&shop, "https://shop.example").await, "https://shop.example");
    assert_eq!(allowed(&shop, "https://evil.example").await, "");
    assert_eq!(allowed(&closed, "https://shop.example").await, "");
    let preflight = shop
        .api(Method::OPTIONS, "/reservations")
        .header("Origin", "https://shop.example")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,idempotency-key,content-type")
        .await;
    assert!(preflight.status < 300, "{preflight}");
    let headers = preflight.header("Access-Control-Allow-Headers").to_lowercase();
    assert!(headers.contains("idempotency-key") && headers.contains("authorization"), "{headers}");
}

/// A seat list that has not changed is not sent again (S11).
async fn an_unchanged_seat_list_is_not_sent_again(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(100, 10).await;
    let ann = shop.join("ann").await;
    let path = format!("/schedules/{}/seats", sale.schedule);
    let first = ann.get(&path).await;
    first.expect(200);
    let again = ann.get(&path).header("If-None-Match", first.header("ETag")).await;
    assert_eq!((again.status, again.body.len()), (304, 0), "{again}");
    ann.held(&sale.schedule, &[1]).await;
    ann.seat_becomes(&sale.schedule, 1, "HELD").await;
    let changed = ann.get(&path).header("If-None-Match", first.header("ETag")).await;
    changed.expect(200);
    assert_ne!(changed.header("ETag"), first.header("ETag"));
}
