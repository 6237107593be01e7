//! Idempotency keys: R15 and trap W12.

use e2e::{Settings, Shop, Storage, on_each_storage};
use futures::future::join_all;
use serde_json::json;

on_each_storage![
    a_repeated_request_gets_the_first_answer,
    a_repeated_hold_tells_what_has_become_of_it,
    a_key_names_one_request,
    a_refusal_is_decided_anew,
    concurrent_requests_under_one_key_are_one,
    the_order_of_refusals,
    malformed_keys_are_refused,
];

/// The first answer again, marked, for hold, charge and pay, and with today's status; also with a token that has ended since.
async fn a_repeated_request_gets_the_first_answer(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(2, 30).await;
    let ann = shop.join("ann").await;
    let charge = ann.charge(100).key("c").await;
    let hold = ann.hold(&sale.schedule, &[2, 1]).key("h").await;
    let reservation = hold.expect(201)["id"].as_str().unwrap().to_owned();
    let pay = ann.pay(&reservation).key("p").await;
    pay.expect(201);
    assert_eq!(ann.status().await, "EXPIRED");
    for (first, again) in [
        (&charge, ann.charge("100.00").key("c").await),
        (&hold, ann.hold(&sale.schedule, &[1, 2]).key("h").await),
        (&pay, ann.pay(&reservation).key("p").await),
    ] {
        assert_eq!(first.lasting(), again.lasting());
        assert_eq!((first.replayed(), again.replayed()), (false, true), "{again}");
    }
    assert_eq!(hold.json()["status"], "PENDING");
    assert_eq!(ann.hold(&sale.schedule, &[1, 2]).key("h").await.json()["status"], "CONFIRMED");
    let paid = ann.pay(&reservation).key("p").await.json()["reservation"]["status"].clone();
    assert_eq!(paid, "CONFIRMED");
    // The key is the user's: a later token of theirs repeats it too.
    let later = shop.join("ann").await;
    assert!(later.pay(&reservation).key("p").await.replayed());
    assert_eq!(later.balance().await, 40);
    shop.audit().await;
}

/// Who repeats a hold that was cancelled or ran out is not told that it is there, and holds again with a new key.
async fn a_repeated_hold_tells_what_has_become_of_it(storage: Storage) {
    let shop = Settings::on(storage).with("--hold-seconds", 1).open().await;
    let sale = shop.concert(2, 30).await;
    let ann = shop.join("ann").await;
    let given = ann.hold(&sale.schedule, &[1]).key("given").await;
    ann.cancel(given.json()["id"].as_str().unwrap()).await.expect(204);
    let ran_out = ann.hold(&sale.schedule, &[2]).key("ran-out").await;
    ann.seat_becomes(&sale.schedule, 2, "AVAILABLE").await;
    for (first, seat, key) in [(&given, 1, "given"), (&ran_out, 2, "ran-out")] {
        let again = ann.hold(&sale.schedule, &[seat]).key(key).await;
        assert!(again.replayed(), "{again}");
        assert_eq!((first.lasting(), &again.json()["status"]), (again.lasting(), &json!("CANCELLED")));
        let reason = again.json()["cancel_reason"].clone();
        // A slow machine cancels what has run out.
        assert!(reason == "EXPIRED" || seat == 1 && reason == "USER", "{again}");
    }
    assert!(!ann.hold(&sale.schedule, &[2]).key("another").await.replayed());
    shop.audit().await;
}

/// Another request under the same key is a 422 and does nothing; another operation or user has keys of its own.
async fn a_key_names_one_request(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(3, 30).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.charge(100).key("k").await.expect(201);
    ann.charge(101).key("k").await.refused(422, "idempotency_key_reused");
    let hold = ann.hold(&sale.schedule, &[1]).key("k").await.expect(201);
    ann.hold(&sale.schedule, &[2]).key("k").await.refused(422, "idempotency_key_reused");
    assert!(!ben.charge(100).key("k").await.replayed());
    assert!(!ben.hold(&sale.schedule, &[2]).key("k").await.replayed());
    let id = hold["id"].as_str().unwrap();
    ann.pay(id).key("k").await.expect(201);
    let other = json!({"reservation_id": id, "amount": 30});
    ann.post("/payments", other).key("k").await.refused(422, "idempotency_key_reused");
    assert_eq!(shop.join("ann").await.balance().await, 70);
    shop.audit().await;
}

/// Only successes are recorded: a refusal under a key is decided anew.
async fn a_refusal_is_decided_anew(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 30).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    let held = ben.held(&sale.schedule, &[1]).await;
    ann.hold(&sale.schedule, &[1]).key("k").await.refused(409, "seat_taken");
    ben.cancel(&held).await.expect(204);
    let id = ann.hold(&sale.schedule, &[1]).key("k").await.expect(201)["id"].as_str().unwrap().to_owned();
    ann.pay(&id).key("k").await.refused(402, "insufficient_balance");
    ann.charge(30).await.expect(201);
    assert!(!ann.pay(&id).key("k").await.replayed());
}

/// W12: many at once under one key have one effect, and all get the same answer.
async fn concurrent_requests_under_one_key_are_one(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(1, 30).await;
    let ann = shop.join("ann").await;
    let charges = join_all((0..30).map(async |_| ann.charge(30).key("c").await)).await;
    let holds = join_all((0..30).map(async |_| ann.hold(&sale.schedule, &[1]).key("h").await)).await;
    let id = holds[0].expect(201)["id"].as_str().unwrap().to_owned();
    let pays = join_all((0..30).map(async |_| ann.pay(&id).key("p").await)).await;
    for answers in [&charges, &holds, &pays] {
        let first = answers[0].lasting();
        assert!(answers.iter().all(|answer| answer.lasting() == first));
        assert_eq!(answers.iter().filter(|answer| !answer.replayed()).count(), 1);
    }
    assert_eq!(shop.join("ann").await.entries().await.len(), 2);
    shop.audit().await;
}

/// R15: the order is 401, body, replay, token state, rule.
async fn the_order_of_refusals(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).with("--active-seconds", 600).open().await;
    let sale = shop.concert(2, 0).await;
    let ann = shop.join("ann").await;
    let hold = ann.hold(&sale.schedule, &[1]).key("k").await.expect(201);
    let waiting = shop.join("waiting").await;
    let nobody = ann.with_token("nonsense");
    nobody.post("/reservations", json!({"bad": 1})).key("k").await.refused(401, "token_unknown");
    waiting.post("/reservations", json!({"bad": 1})).await.refused(400, "validation_failed");
    waiting.hold(&sale.schedule, &[1]).await.refused(403, "token_not_active");
    ann.pay(hold["id"].as_str().unwrap()).await.expect(201);
    // Ended: replay comes before the token's state, another request under the key too, and the rule last.
    assert!(ann.hold(&sale.schedule, &[1]).key("k").await.replayed());
    ann.hold(&sale.schedule, &[2]).key("k").await.refused(422, "idempotency_key_reused");
    ann.hold(&sale.schedule, &[2]).key("new").await.refused(403, "token_not_active");
}

/// A key that is none is a 400: it must not be taken for no key at all.
async fn malformed_keys_are_refused(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    for key in ["", "two words", "ключ", &"k".repeat(129)] {
        let answer = ann.charge(1).header("Idempotency-Key", key).await;
        assert_eq!(answer.status, 400, "{key}: {answer}");
    }
    ann.charge(1).key(&"k".repeat(128)).await.expect(201);
    assert_eq!(ann.balance().await, 1);
}
