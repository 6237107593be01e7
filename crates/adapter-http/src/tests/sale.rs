//! The whole sale, every field of every object.

use std::time::Duration;

use domain::Policy;
use domain::ports::Clock;
use serde_json::{Value, json};

use super::shop::{ADMIN, Plan, Shop, open_rules};

/// The names of an object's members, in order.
fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

const TOKEN: [&str; 13] = [
    "activated_at",
    "estimated_wait_seconds",
    "expires_at",
    "issued_at",
    "poll_after_ms",
    "position",
    "queue",
    "selection_ends_at",
    "server_time",
    "status",
    "token",
    "user_id",
    "version",
];
const TOKEN_STATUS: [&str; 21] = [
    "activated_at",
    "all_held",
    "as_of",
    "cheapest_available",
    "end_reason",
    "estimated_wait_seconds",
    "expires_at",
    "message",
    "opens_at",
    "phase",
    "poll_after_ms",
    "position",
    "queue",
    "selection_ends_at",
    "server_time",
    "sold_out",
    "stale",
    "status",
    "token",
    "version",
    "wait_range",
];
const RESERVATION: [&str; 13] = [
    "amount",
    "cancel_reason",
    "concert_id",
    "expires_at",
    "id",
    "reserved_at",
    "schedule_id",
    "seats",
    "server_time",
    "starts_at",
    "status",
    "title",
    "user_id",
];

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

#[actix_web::test]
async fn one_buys_a_seat_from_joining_to_the_receipt() {
    let (shop, concert) = Shop::open().await;
    let now = shop.clock.now().to_string();

    let joined = shop.post("/api/v1/queue/tokens", "", &json!({"user_id": "alice"})).await.expect(201);
    assert_eq!(joined.header("location"), Some("/api/v1/queue/tokens/me"));
    let joined = joined.json();
    assert_eq!(sorted(names(&joined)), TOKEN);
    assert_eq!(
        (&joined["queue"], &joined["user_id"], &joined["status"], &joined["position"], &joined["issued_at"]),
        (&json!("main"), &json!("alice"), &json!("ACTIVE"), &json!(0), &json!(now))
    );
    // R5: as nothing is held, both ends of the turn are one.
    let ends = json!(shop.clock.now().plus(Duration::from_secs(600)).to_string());
    assert_eq!((&joined["selection_ends_at"], &joined["expires_at"]), (&ends, &ends));
    let token = joined["token"].as_str().unwrap();
    // R1: joining again gives the same token.
    let again = shop.post("/api/v1/queue/tokens", "", &json!({"user_id": "alice"})).await.expect(200);
    assert_eq!((&again.json()["token"], again.header("location")), (&json!(token), None));

    let polled = shop.get("/api/v1/queue/tokens/me", token).await.expect(200);
    assert_eq!(polled.header("retry-after"), None);
    assert_eq!(sorted(names(&polled.json())), TOKEN_STATUS);

    let concerts = shop.get("/api/v1/concerts", "").await.expect(200);
    assert_eq!(concerts.header("cache-control"), Some("public, max-age=1"));
    let concerts = concerts.json();
    assert_eq!(concerts["next_cursor"], Value::Null);
    assert_eq!(sorted(names(&concerts["items"][0])), ["first_date", "id", "last_date", "queue", "title"]);

    let schedules = shop.get(&format!("/api/v1/concerts/{}/schedules", concert.id), token).await.expect(200).json();
    assert_eq!(schedules, shop.get("/api/v1/schedules", token).await.expect(200).json());
    let schedule = &schedules["items"][0];
    assert_eq!(
        sorted(names(schedule)),
        [
            "concert_id",
            "concert_max_per_user",
            "date",
            "id",
            "max_per_user",
            "seats_available",
            "seats_total",
            "starts_at",
            "title"
        ]
    );
    assert_eq!((&schedule["max_per_user"], &schedule["concert_max_per_user"]), (&Value::Null, &Value::Null));
    assert_eq!((&schedule["seats_total"], &schedule["seats_available"]), (&json!(50), &json!(50)));

    let seats = shop.get(&concert.path(), token).await.expect(200).json();
    assert_eq!(&seats["schedule"], schedule);
    assert_eq!(seats["items"].as_array().unwrap().len(), 50);
    let seat = &seats["items"][6];
    assert_eq!(*seat, json!({"id": seat["id"], "number": 7, "price": 1000, "status": "AVAILABLE", "occupied": false}));

    let held = shop.post("/api/v1/reservations", token, &json!({"seat_ids": [seat["id"]]})).await.expect(201);
    let location = held.header("location").unwrap().to_owned();
    let held = held.json();
    assert_eq!(sorted(names(&held)), RESERVATION);
    assert_eq!(
        (&held["user_id"], &held["status"], &held["amount"], &held["cancel_reason"], &held["reserved_at"]),
        (&json!("alice"), &json!("PENDING"), &json!(1000), &Value::Null, &json!(now))
    );
    assert_eq!(held["seats"], json!([{"id": seat["id"], "number": 7, "price": 1000}]));
    assert_eq!(held["expires_at"], shop.clock.now().plus(Duration::from_secs(300)).to_string());
    assert_eq!(shop.get(&location, token).await.expect(200).json(), held);
    assert_eq!(shop.get("/api/v1/reservations", token).await.expect(200).json()["items"], json!([held]));

    let charged = shop.post("/api/v1/wallet/charges", token, &json!({"amount": "1500.50"})).await.expect(201).json();
    let entry = json!({
        "id": charged["entry"]["id"], "seq": 1, "kind": "CHARGE", "amount": 1500.5, "balance_after": 1500.5,
        "reservation_id": null, "created_at": now
    });
    assert_eq!(charged, json!({"user_id": "alice", "balance": 1500.5, "entry": entry}));
    let wallet = shop.get("/api/v1/wallet", token).await.expect(200).json();
    assert_eq!(wallet, json!({"user_id": "alice", "balance": 1500.5}));

    let paid = shop.post("/api/v1/payments", token, &json!({"reservation_id": held["id"], "amount": 1000})).await;
    let paid = paid.expect(201);
    let location = paid.header("location").unwrap().to_owned();
    let paid = paid.json();
    let mut confirmed = held.clone();
    confirmed["status"] = json!("CONFIRMED");
    let receipt = json!({
        "id": paid["id"], "reservation": confirmed, "amount": 1000, "status": "COMPLETED", "paid_at": now
    });
    let mut with_balance = receipt.clone();
    with_balance["balance"] = json!(500.5);
    assert_eq!(paid, with_balance);
    // R16: receipts can be read with the token that ended by paying.
    assert_eq!(shop.get(&location, token).await.expect(200).json(), receipt);
    assert_eq!(shop.get("/api/v1/payments", token).await.expect(200).json()["items"], json!([receipt]));

    let over = shop.get("/api/v1/queue/tokens/me", token).await.expect(200).json();
    assert_eq!((&over["status"], &over["position"]), (&json!("EXPIRED"), &Value::Null));
    let next = shop.join("alice").await;
    assert_ne!(next, token);
    let entries = shop.get("/api/v1/wallet/entries", &next).await.expect(200).json();
    let payment = json!({
        "id": entries["items"][0]["id"], "seq": 2, "kind": "PAYMENT", "amount": -1000, "balance_after": 500.5,
        "reservation_id": held["id"], "created_at": now
    });
    assert_eq!(entries["items"], json!([payment, entry]));
    let sold = shop.get(&concert.path(), &next).await.expect(200).json();
    assert_eq!((&sold["items"][6]["status"], &sold["items"][6]["occupied"]), (&json!("SOLD"), &json!(true)));
    assert_eq!(sold["schedule"]["seats_available"], 49);
}

#[actix_web::test]
async fn who_waits_is_told_the_place_and_when_to_ask_again() {
    let rules = domain::Rules { new_queue: Policy { max_active: 1, batch: 1, ..Policy::default() }, ..open_rules() };
    let shop = Shop::plan(Plan { rules, ..Plan::default() }).await;
    shop.make_queue("narrow").await;
    shop.join_queue("first", "narrow").await;
    let second = shop.join_queue("second", "narrow").await;
    let third = shop.join_queue("third", "narrow").await;
    let polled = shop.get("/api/v1/queue/tokens/me", &third).await.expect(200);
    let body = polled.json();
    assert_eq!(
        (&body["status"], &body["position"], &body["selection_ends_at"], &body["expires_at"], &body["stale"]),
        (&json!("WAITING"), &json!(2), &Value::Null, &Value::Null, &json!(false))
    );
    let millis = body["poll_after_ms"].as_u64().unwrap();
    assert_eq!(polled.header("retry-after").unwrap(), millis.div_ceil(1000).to_string());
    // Q1: who leaves counts no more.
    shop.call("DELETE", "/api/v1/queue/tokens/me", &second).await.expect(204);
    let body = shop.get("/api/v1/queue/tokens/me", &third).await.expect(200).json();
    assert_eq!(body["position"], 1);
}

#[actix_web::test]
async fn a_hold_can_be_given_up_and_shows_why() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let reservation = shop.held(&token, &concert, &[1, 2]).await;
    let path = format!("/api/v1/reservations/{reservation}");
    let gone = shop.call("DELETE", &path, &token).await.expect(204);
    assert!(gone.body.is_empty());
    let cancelled = shop.get(&path, &token).await.expect(200).json();
    assert_eq!((&cancelled["status"], &cancelled["cancel_reason"]), (&json!("CANCELLED"), &json!("USER")));
    // R17: giving it up again is a success.
    shop.call("DELETE", &path, &token).await.expect(204);

    let left = shop.held(&token, &concert, &[1]).await;
    shop.call("DELETE", "/api/v1/queue/tokens/me", &token).await.expect(204);
    let left = shop.get(&format!("/api/v1/reservations/{left}"), &token).await.expect(200).json();
    assert_eq!(left["cancel_reason"], "LEFT");

    let other = shop.join("bob").await;
    let held = shop.held(&other, &concert, &[1]).await;
    shop.clock.advance(Duration::from_secs(300));
    let run_out = shop.get(&format!("/api/v1/reservations/{held}"), &other).await.expect(200).json();
    assert_eq!((&run_out["status"], &run_out["cancel_reason"]), (&json!("CANCELLED"), &json!("EXPIRED")));
}

#[actix_web::test]
async fn an_operator_loads_concerts_and_sets_the_pace() {
    let shop = Shop::new().await;
    let body = json!({
        "title": "겨울", "queue": "vip",
        "schedules": [
            {"starts_at": "2126-12-24T19:30:00+09:00",
             "seats": [{"count": 2, "price": 10}, {"number": 9, "price": "0.50"}, {"count": 1, "price": 12.25}]},
            {"starts_at": "2126-12-25T19:30:00.5Z", "seats": [{"number": 1, "price": 1}], "max_per_user": 2}
        ]
    });
    shop.make_queue("vip").await;
    let made = shop.post("/api/v1/admin/concerts", ADMIN, &body).await.expect(201).json();
    let schedules = &made["schedules"];
    assert_eq!(
        made,
        json!({
            "id": made["id"], "title": "겨울", "queue": "vip", "max_per_user": null,
            "schedules": [
                {"id": schedules[0]["id"], "starts_at": "2126-12-24T19:30:00+09:00", "seats_total": 4,
                 "max_per_user": null},
                {"id": schedules[1]["id"], "starts_at": "2126-12-25T19:30:00.5Z", "seats_total": 1,
                 "max_per_user": 2}
            ]
        })
    );
    let token = shop.join_queue("alice", "vip").await;
    let path = format!("/api/v1/schedules/{}/seats", schedules[0]["id"].as_str().unwrap());
    let seats = shop.get(&path, &token).await.expect(200);
    // The source text: an amount that went through a float would show here.
    let text = String::from_utf8(seats.body.to_vec()).unwrap();
    assert!(text.contains(r#""number":9,"price":0.5,"#) && text.contains(r#""number":10,"price":12.25,"#), "{text}");
    assert!(text.contains(r#""number":2,"price":10,"#) && text.contains(r#""date":"2126-12-24""#), "{text}");

    let report = shop.get("/api/v1/admin/queues/vip", ADMIN).await.expect(200).json();
    let expected = json!({
        "queue": "vip", "max_active": 100_000, "batch": 100_000, "interval_seconds": 10, "paused": false,
        "opens_at": null, "message": null, "waiting": 0, "active": 1, "issued": 1, "admitted": 1,
        "ended": {"paid": 0, "left": 0, "deadline": 0, "absent": 0, "new_epoch": 0},
        "oldest_wait_seconds": null, "recent_wait_seconds": {"p50": 0.0, "p95": 0.0}, "last_tick_at": null
    });
    assert_eq!(report, expected);
    let change = super::shop::request("PATCH", "/api/v1/admin/queues/vip", ADMIN);
    let change = super::shop::with_json(change, json!({"paused": true, "batch": 7}).to_string());
    let changed = shop.send(change).await.expect(200).json();
    assert_eq!(
        (&changed["paused"], &changed["batch"], &changed["max_active"]),
        (&json!(true), &json!(7), &json!(100_000))
    );
    shop.join_queue("bob", "vip").await;
    shop.clock.advance(Duration::from_millis(1_500));
    let report = shop.get("/api/v1/admin/queues/vip", ADMIN).await.json();
    assert_eq!((&report["waiting"], &report["oldest_wait_seconds"]), (&json!(1), &json!(1.5)));
}

/// R5, R14: both ends of a turn, as they move with what is held, given up and paid.
#[actix_web::test]
async fn a_turn_tells_both_its_ends() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    shop.charge(&token, 5_000).await.expect(201);
    let ends = async || {
        let polled = shop.get("/api/v1/queue/tokens/me", &token).await.expect(200).json();
        ["selection_ends_at", "expires_at", "status"].map(|field| polled[field].as_str().unwrap().to_owned())
    };
    let [selection, ..] = ends().await;
    shop.clock.advance(Duration::from_secs(500));
    let first = shop.hold(&token, &concert, &[1]).await.expect(201).json();
    shop.clock.advance(Duration::from_secs(10));
    let second = shop.hold(&token, &concert, &[2]).await.expect(201).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(ends().await, [selection.clone(), text(&second["expires_at"]), "ACTIVE".to_owned()]);
    let cancel = format!("/api/v1/reservations/{}", text(&second["id"]));
    shop.call("DELETE", &cancel, &token).await.expect(204);
    assert_eq!(ends().await, [selection, text(&first["expires_at"]), "ACTIVE".to_owned()]);

    let third = shop.hold(&token, &concert, &[3]).await.expect(201).json();
    shop.pay(&token, &text(&first["id"])).await.expect(201);
    let now = shop.clock.now().to_string();
    assert_eq!(ends().await, [now.clone(), text(&third["expires_at"]), "ACTIVE".to_owned()]);
    let closed = shop.hold(&token, &concert, &[4]).await;
    assert_eq!((closed.code().as_str(), &closed.json()["selection_ends_at"]), ("selection_closed", &json!(now)));
    shop.pay(&token, &text(&third["id"])).await.expect(201);
    assert_eq!(ends().await, [now.clone(), now, "EXPIRED".to_owned()]);
}

/// R15: what became of a hold since, also when a client has lost the answer and asks again much later.
#[actix_web::test]
async fn a_repeated_hold_tells_what_became_of_it() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let seats = concert.seats(&[3]);
    let first = shop.post_keyed("/api/v1/reservations", &token, "h", &seats).await.expect(201).json();
    for (after, status, reason) in [(299, json!("PENDING"), Value::Null), (1, json!("CANCELLED"), json!("EXPIRED"))] {
        shop.clock.advance(Duration::from_secs(after));
        let again = shop.post_keyed("/api/v1/reservations", &token, "h", &seats).await.expect(201);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let mut today = first.clone();
        (today["status"], today["cancel_reason"]) = (status, reason);
        today["server_time"] = again.json()["server_time"].clone();
        assert_eq!(again.json(), today);
    }
}

#[actix_web::test]
async fn a_repeated_request_gets_the_first_answer_again() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let seats = concert.seats(&[3]);
    let first = shop.post_keyed("/api/v1/reservations", &token, "h", &seats).await.expect(201);
    let again = shop.post_keyed("/api/v1/reservations", &token, "h", &seats).await.expect(201);
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")));
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    let other = shop.post_keyed("/api/v1/reservations", &token, "h", &concert.seats(&[4])).await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_key_reused"));

    let amount = json!({"amount": 5000});
    let first = shop.post_keyed("/api/v1/wallet/charges", &token, "c", &amount).await.expect(201);
    // The same amount in other words is the same request.
    let again = shop.post_keyed("/api/v1/wallet/charges", &token, "c", &json!({"amount": "5000.00"})).await.expect(201);
    assert_eq!((first.json(), again.header("idempotent-replayed")), (again.json(), Some("true")));

    let reservation =
        json!({"reservation_id": shop.get("/api/v1/reservations", &token).await.json()["items"][0]["id"]});
    let first = shop.post_keyed("/api/v1/payments", &token, "p", &reservation).await.expect(201);
    // R15: also with the token that has ended by it.
    let again = shop.post_keyed("/api/v1/payments", &token, "p", &reservation).await.expect(201);
    assert_eq!((first.json(), again.header("idempotent-replayed")), (again.json(), Some("true")));
    let charged = shop.post_keyed("/api/v1/wallet/charges", &token, "c", &amount).await.expect(201);
    assert_eq!(charged.header("idempotent-replayed"), Some("true"));
    // Without its key it is already paid (R6).
    let unkeyed = shop.post("/api/v1/payments", &token, &reservation).await;
    assert_eq!((unkeyed.status, unkeyed.code().as_str()), (409, "already_paid"));
}
