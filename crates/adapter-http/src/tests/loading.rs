//! Loading concerts: again under a key, with limits of a person, and what is refused of a plan.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{ADMIN, Reply, Shop};

const CONCERTS: &str = "/api/v1/admin/concerts";

fn gala(starts: &[&str]) -> Value {
    let schedule = |starts_at: &&str| json!({"starts_at": starts_at, "seats": [{"count": 2, "price": 10}]});
    json!({"title": "Gala", "schedules": starts.iter().map(schedule).collect::<Vec<_>>()})
}

async fn load(shop: &Shop, key: &str, body: &Value) -> Reply {
    shop.post_keyed(CONCERTS, ADMIN, key, body).await
}

async fn listed(shop: &Shop) -> usize {
    shop.get("/api/v1/concerts", "").await.expect(200).json()["items"].as_array().unwrap().len()
}

/// R15: the first answer again, also when what was loaded has long been played.
#[actix_web::test]
async fn a_concert_is_loaded_once_under_a_key() {
    let shop = Shop::new().await;
    // The second one starts first.
    let body = gala(&["2026-02-02T19:30:00+09:00", "2026-02-01T19:30:00.5+09:00"]);
    let first = load(&shop, "k", &body).await.expect(201);
    let again = load(&shop, "k", &body).await.expect(201);
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")));
    assert_eq!(first.json(), again.json());
    // The same concert in other words.
    let mut spelled = body.clone();
    spelled["queue"] = json!("main");
    spelled["schedules"][0]["seats"] = json!([{"number": 2, "price": "10.00"}, {"number": 1, "price": 10}]);
    assert_eq!(load(&shop, "k", &spelled).await.expect(201).json(), first.json());
    let mut other = body.clone();
    other["max_per_user"] = json!(4);
    let reused = load(&shop, "k", &other).await;
    assert_eq!((reused.status, reused.code().as_str()), (422, "idempotency_key_reused"));
    assert_eq!(listed(&shop).await, 1);
    assert_eq!(load(&shop, "other", &body).await.expect(201).header("idempotent-replayed"), None);
    assert_eq!(listed(&shop).await, 2);

    shop.clock.advance(Duration::from_secs(365 * 86_400));
    let late = load(&shop, "k", &body).await.expect(201);
    assert_eq!((late.header("idempotent-replayed"), late.json()), (Some("true"), first.json()));
    assert_eq!(load(&shop, "new", &body).await.code(), "validation_failed");
}

#[actix_web::test]
async fn a_key_of_loading_is_asked_of_operators_only_and_is_a_key() {
    let shop = Shop::new().await;
    let body = gala(&["2026-02-01T19:30:00+09:00"]);
    assert_eq!(shop.post_keyed(CONCERTS, "guess", "a b", &body).await.code(), "admin_key_invalid");
    let bad = load(&shop, "a b", &body).await;
    assert_eq!((bad.status, bad.json()["errors"][0]["field"].clone()), (400, json!("Idempotency-Key")));
    assert_eq!(load(&shop, "k", &json!({})).await.code(), "validation_failed");
    assert_eq!(listed(&shop).await, 0);
}

/// Each value that is wrong is named where it stands, at most a hundred of them.
#[actix_web::test]
async fn wrong_dates_are_named() {
    let shop = Shop::new().await;
    let fields = async |starts: &[&str]| -> Vec<String> {
        let refused = shop.post(CONCERTS, ADMIN, &gala(starts)).await.expect(400).json();
        let errors = refused["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    };
    let good = "2026-02-01T19:30:00+09:00";
    assert_eq!(fields(&[good, "2025-12-24T19:30:00+09:00"]).await, ["schedules[1].starts_at"]);
    assert_eq!(fields(&[good, "2026-02-01T10:30:00Z"]).await, ["schedules[1].starts_at"]);
    assert_eq!(fields(&["1999-12-31T23:59:59Z", good]).await, ["schedules[0].starts_at"]);
    let all = fields(&[good; 100]).await;
    assert_eq!((all.len(), &*all[98]), (99, "schedules[99].starts_at"));
    let mut body = gala(&[good; 100]);
    for schedule in body["schedules"].as_array_mut().unwrap() {
        schedule["max_per_user"] = json!(0);
    }
    let refused = shop.post(CONCERTS, ADMIN, &body).await.expect(400).json();
    assert_eq!(refused["errors"].as_array().unwrap().len(), 100);
    assert_eq!(listed(&shop).await, 0);
}

/// R8: what may be had is shown, and kept to over several turns.
#[actix_web::test]
async fn a_limit_of_a_person_is_shown_and_holds() {
    let shop = Shop::new().await;
    let concert = shop.limited_concert("main", 20, Some(6), Some(4)).await;
    let token = shop.join("alice").await;
    let schedule = shop.get("/api/v1/schedules", &token).await.expect(200).json()["items"][0].clone();
    assert_eq!((&schedule["max_per_user"], &schedule["concert_max_per_user"]), (&json!(4), &json!(6)));
    assert_eq!(shop.get(&concert.path(), &token).await.expect(200).json()["schedule"], schedule);
    shop.charge(&token, 4000).await.expect(201);
    let held = shop.held(&token, &concert, &[1, 2, 3]).await;
    shop.pay(&token, &held).await.expect(201);
    let token = shop.join("alice").await;
    shop.held(&token, &concert, &[4]).await;
    let refused = shop.hold(&token, &concert, &[5]).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "purchase_limit"));
    let said = refused.json();
    assert_eq!((&said["max_per_user"], &said["owned"]), (&json!(4), &json!(4)));
}

#[actix_web::test]
async fn a_title_is_shown_in_one_spelling() {
    let shop = Shop::new().await;
    let mut body = gala(&["2026-02-01T19:30:00+09:00"]);
    body["title"] = json!("\u{1100}\u{1161}\u{11bc} live");
    assert_eq!(shop.post(CONCERTS, ADMIN, &body).await.expect(201).json()["title"], "\u{ac15} live");
    assert_eq!(shop.get("/api/v1/concerts", "").await.json()["items"][0]["title"], "\u{ac15} live");
}

/// R1: nothing is loaded into a queue that nobody has made, and none is made by the try.
#[actix_web::test]
async fn a_concert_is_loaded_into_a_queue_that_is_there() {
    let shop = Shop::new().await;
    let mut body = gala(&["2026-02-01T19:30:00+09:00"]);
    body["queue"] = json!("tonight");
    let refused = load(&shop, "k", &body).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "not_found"));
    assert_eq!(shop.get("/api/v1/admin/queues/tonight", ADMIN).await.status, 404);
    shop.make_queue("tonight").await;
    let loaded = load(&shop, "k", &body).await.expect(201);
    assert_eq!((loaded.json()["queue"].as_str(), loaded.header("idempotent-replayed")), (Some("tonight"), None));
}
