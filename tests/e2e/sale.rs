//! The whole sale, as a visitor lives it, from the first request to the receipt.

use e2e::{Settings, Shop, Storage, on_each_storage};
use reqwest::Method;
use serde_json::{Value, json};

on_each_storage![the_whole_sale, dates_are_listed_between_bounds, available_seats_only_when_asked, lists_come_in_pages,];

/// A5, C11, A13, A16, C09: join, wait, be admitted, look, hold, charge, pay, keep the receipt; then join again.
async fn the_whole_sale(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).open().await;
    let made = shop.admin(Method::POST, "/concerts").json(two_evenings()).await.expect(201);
    assert_eq!((&made["title"], &made["queue"]), (&json!("겨울 콘서트"), &json!("main")));
    let evening = made["schedules"][0]["id"].as_str().unwrap();

    let first = shop.join("first").await;
    assert_eq!((&first.joined["status"], &first.joined["position"]), (&json!("ACTIVE"), &json!(0)));
    let ann = shop.join("ann").await;
    assert_eq!((&ann.joined["status"], &ann.joined["position"]), (&json!("WAITING"), &json!(1)));
    for end in ["selection_ends_at", "expires_at"] {
        assert_eq!(ann.joined[end], Value::Null, "who waits has no deadline");
    }
    let poll = ann.get("/queue/tokens/me").await;
    assert!(poll.header("Retry-After").parse::<u64>().is_ok_and(|seconds| (1..=30).contains(&seconds)), "{poll}");
    let waits = poll.expect(200);
    assert!(waits["poll_after_ms"].as_u64().is_some_and(|ms| (1_000..=30_000).contains(&ms)), "{waits}");
    assert_eq!((&waits["stale"], waits.get("user_id")), (&json!(false), None));
    first.leave().await.expect(204);
    ann.becomes("ACTIVE").await;
    let place = ann.place().await;
    assert_eq!((&place["position"], &place["queue"]), (&json!(0), &json!("main")));
    assert!(place["activated_at"].is_string() && place["expires_at"].is_string(), "{place}");
    assert_eq!(place["selection_ends_at"], place["expires_at"], "nothing is held yet");

    let dates = ann.get(&format!("/concerts/{}/schedules", made["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(dates["items"].as_array().unwrap().len(), 2);
    assert_eq!(dates["items"][0]["date"], "2099-12-24", "the date is the evening's own, whatever UTC says");
    assert_eq!(dates["items"][0]["starts_at"], "2099-12-24T00:30:00+09:00");
    let seats = ann.seats(evening).await;
    assert_eq!(seats.len(), 3);
    assert_eq!((&seats[2]["number"], &seats[2]["price"]), (&json!(3), &json!(12.5)), "numbers of groups go on");

    let body = json!({"seat_ids": [seats[0]["id"], seats[2]["id"]]});
    let reservation = ann.post("/reservations", body).await.expect(201);
    assert_eq!((&reservation["status"], &reservation["amount"]), (&json!("PENDING"), &json!(112.5)));
    assert_eq!((ann.seat(evening, 1).await, ann.seat(evening, 2).await), ("HELD".into(), "AVAILABLE".into()));

    let charged = ann.charge(200).await.expect(201);
    assert_eq!((&charged["balance"], &charged["entry"]["kind"]), (&json!(200), &json!("CHARGE")));
    let id = reservation["id"].as_str().unwrap();
    let payment = ann.post("/payments", json!({"reservation_id": id, "amount": 112.5})).await.expect(201);
    assert_eq!((&payment["status"], &payment["balance"]), (&json!("COMPLETED"), &json!(87.5)));
    assert_eq!(payment["reservation"]["status"], "CONFIRMED");

    // W14: the payment ended the token; R16: receipts can still be read with it.
    assert_eq!((ann.status().await.as_str(), &ann.place().await["position"]), ("EXPIRED", &Value::Null));
    ann.hold(evening, &[2]).await.refused(403, "token_not_active");
    let receipt = ann.get(&format!("/payments/{}", payment["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&receipt["amount"], receipt.get("balance")), (&json!(112.5), None));
    assert_eq!(ann.list("/payments").await.len(), 1);
    assert_eq!(ann.reservation(id).await.expect(200)["status"], "CONFIRMED");

    // A30: the next join is a new place at the tail.
    let again = shop.join("ann").await;
    assert_ne!(again.token, ann.token);
    again.becomes("ACTIVE").await;
    assert_eq!(again.seat(evening, 1).await, "SOLD");
    let entries = again.entries().await;
    assert_eq!((entries.len(), &entries[0]["amount"], &entries[0]["seq"]), (2, &json!(-112.5), &json!(2)));
    shop.audit().await;
}

fn two_evenings() -> Value {
    json!({"title": "겨울 콘서트", "schedules": [
        {"starts_at": "2099-12-24T00:30:00+09:00", "seats": [{"count": 2, "price": 100}, {"count": 1, "price": "12.50"}]},
        {"starts_at": "2099-12-25T19:30:00+09:00", "seats": [{"number": 7, "price": 0}]},
    ]})
}

/// A11, R11: the bounds of a list of dates are inclusive, in each schedule's own offset; what has started is not shown.
async fn dates_are_listed_between_bounds(storage: Storage) {
    let shop = Shop::open(storage).await;
    let made = shop.admin(Method::POST, "/concerts").json(two_evenings()).await.expect(201);
    let over = shop.concert_in("main", "2099-12-24T00:00:00Z", 1, 1).await;
    shop.database().begin(&over.schedule);
    let ann = shop.join("ann").await;
    for (query, count) in [
        ("", 2),
        ("?from=2099-12-24&to=2099-12-24", 1),
        ("?from=2099-12-25", 1),
        ("?to=2099-12-23", 0),
        ("?from=2099-12-24&to=2099-12-25", 2),
        ("?from=2099-12-26&to=2099-12-24", 0),
        ("?limit=1", 1),
    ] {
        for path in ["/schedules".to_owned(), format!("/concerts/{}/schedules", made["id"].as_str().unwrap())] {
            let found = ann.get(&format!("{path}{query}")).await.expect(200);
            assert_eq!(found["items"].as_array().unwrap().len(), count, "{path}{query}: {found}");
        }
    }
    let concerts = shop.api(Method::GET, "/concerts").await.expect(200);
    assert_eq!(concerts["items"].as_array().unwrap().len(), 1, "a concert that is over is not listed: {concerts}");
    assert_eq!(concerts["items"][0]["last_date"], "2099-12-25");
}

/// B03: only what is free, when asked; the numbers of a list agree with its items.
async fn available_seats_only_when_asked(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(3, 10).await;
    let ann = shop.join("ann").await;
    ann.held(&sale.schedule, &[2]).await;
    ann.seat_becomes(&sale.schedule, 2, "HELD").await;
    let free = ann.get(&format!("/schedules/{}/seats?available=true", sale.schedule)).await.expect(200);
    let numbers: Vec<_> = free["items"].as_array().unwrap().iter().map(|seat| seat["number"].clone()).collect();
    assert_eq!(numbers, [json!(1), json!(3)]);
    assert_eq!(free["items"][0]["occupied"], false);
    assert_eq!(free["schedule"]["seats_available"], 2);
}

/// Lists come in pages whose cursors neither lose nor double an item (`docs/contract.md`, limits).
async fn lists_come_in_pages(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    for _ in 0..5 {
        ann.charge(1).await.expect(201);
    }
    let (mut seqs, mut path) = (Vec::new(), "/wallet/entries?limit=2".to_owned());
    loop {
        let page = ann.get(&path).await.expect(200);
        seqs.extend(page["items"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/wallet/entries?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seqs, [5, 4, 3, 2, 1]);
}
