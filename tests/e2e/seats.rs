//! Traps of holds and seats.

use std::collections::BTreeSet;

use e2e::{Settings, Shop, Storage, on_each_storage, until};
use futures::future::join_all;
use serde_json::{Value, json};

on_each_storage![
    five_hundred_holds_on_one_seat_give_one,
    overlapping_sets_are_all_or_nothing,
    the_limit_of_seats_holds_under_parallel_holds,
    an_unpaid_seat_is_bookable_again_without_a_sweeper,
    the_sweeper_ends_holds_and_leaves_what_is_paid,
    lists_and_counts_follow_every_change,
    malformed_choices_of_seats_are_refused,
];

/// S1, R7: five hundred parallel holds on one seat: one gets it, all others are told so, nothing else happens.
async fn five_hundred_holds_on_one_seat_give_one(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(2, 10).await;
    let visitors = shop.join_all((0..500).map(|n| format!("user-{n}"))).await;
    let answers = join_all(visitors.iter().map(async |visitor| visitor.hold(&sale.schedule, &[1]).await)).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), 1);
    for answer in lost {
        assert_eq!(answer.refused(409, "seat_taken")["seat_numbers"], json!([1]));
    }
    // The process is alive and the other seat is untouched.
    visitors[0].held(&sale.schedule, &[2]).await;
    shop.audit().await;
}

/// S9, R8: overlapping sets are all or nothing, in whatever order their seats are named, and nothing leaks.
async fn overlapping_sets_are_all_or_nothing(storage: Storage) {
    let shop = Shop::open(storage).await;
    let visitors = shop.join_all((0..60).map(|n| format!("user-{n}"))).await;
    for _ in 0..5 {
        let sale = shop.concert(3, 10).await;
        let sets: [[u32; 2]; 6] = [[1, 2], [2, 3], [3, 1], [2, 1], [3, 2], [1, 3]];
        let holds = visitors.iter().enumerate().map(async |(n, visitor)| {
            let set = sets[n % sets.len()];
            (set, visitor.hold(&sale.schedule, &set).await)
        });
        let answers = join_all(holds).await;
        let won: Vec<_> = answers.iter().filter(|(_, answer)| answer.status == 201).collect();
        assert_eq!(won.len(), 1, "any two of the sets overlap, and the first finds both seats free");
        let taken: BTreeSet<u32> = won[0].0.into();
        for (set, answer) in answers.iter().filter(|(_, answer)| answer.status != 201) {
            let named = answer.refused(409, "seat_taken")["seat_numbers"].clone();
            let both: Vec<u32> = taken.intersection(&(*set).into()).copied().collect();
            assert_eq!(named, json!(both), "exactly the taken ones are named");
        }
        let held = visitors[0].seats(&sale.schedule).await.iter().filter(|seat| seat["occupied"] == true).count();
        assert_eq!(held, 2);
        for (_, answer) in won {
            let id = answer.json()["id"].as_str().unwrap().to_owned();
            join_all(visitors.iter().map(async |visitor| visitor.cancel(&id).await)).await;
        }
    }
    shop.audit().await;
}

/// R8: a user's parallel holds never exceed `max_seats`, however they are spread.
async fn the_limit_of_seats_holds_under_parallel_holds(storage: Storage) {
    let shop = Settings::on(storage).with("--max-seats", 3).open().await;
    let sale = shop.concert(40, 10).await;
    let ann = shop.join("ann").await;
    let answers = join_all((1..=40).map(async |seat| ann.hold(&sale.schedule, &[seat]).await)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 3);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.refused(409, "seat_limit")["max_seats"], 3);
    }
    // What is given back no longer counts.
    let held = ann.list("/reservations").await;
    ann.cancel(held[0]["id"].as_str().unwrap()).await.expect(204);
    let free = answers.iter().position(|answer| answer.status != 201).unwrap();
    ann.held(&sale.schedule, &[u32::try_from(free).unwrap() + 1]).await;
    shop.audit().await;
}

/// S6, S7, R7, R10: an unpaid seat is bookable again after the hold though nobody touched it and no clockwork runs; the
/// former holder is told that theirs ran out, and the new one can pay.
async fn an_unpaid_seat_is_bookable_again_without_a_sweeper(storage: Storage) {
    let shop = Settings::on(storage).with("--hold-seconds", 1).with("--scheduler", "off").open().await;
    let sale = shop.concert(1, 10).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.charge(100).await.expect(201);
    ben.charge(100).await.expect(201);
    let old = ann.held(&sale.schedule, &[1]).await;
    // S4, S5: A holds, it runs out, B holds, A pays: A hears that it ran out, and B is not touched.
    let new = until("the end of the hold", async || {
        let answer = ben.hold(&sale.schedule, &[1]).await;
        if answer.status != 201 {
            answer.refused(409, "seat_taken");
        }
        (answer.status == 201).then(|| answer.json()["id"].as_str().unwrap().to_owned())
    })
    .await;
    let paid = ben.pay(&new).await;
    ann.pay(&old).await.refused(410, "reservation_expired");
    assert_eq!(ann.balance().await, 100);
    let ended = ann.reservation(&old).await.expect(200);
    assert_eq!((&ended["status"], &ended["cancel_reason"]), (&json!("CANCELLED"), &json!("EXPIRED")));
    // The hold of a second may have run out again before it was paid; the seat is sold or free, nothing between.
    if paid.status == 201 {
        assert_eq!(ann.seat(&sale.schedule, 1).await, "SOLD");
    } else {
        paid.refused(410, "reservation_expired");
    }
    shop.audit().await;
}

/// S6, S2: the sweeper writes the end of a hold although no request comes, and leaves what is paid alone.
async fn the_sweeper_ends_holds_and_leaves_what_is_paid(storage: Storage) {
    let shop = Settings::on(storage).with("--hold-seconds", 2).open().await;
    let sale = shop.concert(2, 10).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.charge(10).await.expect(201);
    let paid = until("a payment in time", async || {
        let held = ann.held(&sale.schedule, &[1]).await;
        (ann.pay(&held).await.status == 201).then_some(held)
    })
    .await;
    ben.held(&sale.schedule, &[2]).await;
    // Only the database is looked at: no request could have done the sweeper's work.
    until("the sweeper", async || (shop.database().count("reservations WHERE status = 'PENDING'") == 0).then_some(()))
        .await;
    let taken = "SELECT string_agg(CAST(number AS TEXT), ',') AS text FROM seats WHERE reservation_id IS NOT NULL";
    assert_eq!(shop.database().text(taken), "1");
    assert_eq!(ann.reservation(&paid).await.expect(200)["status"], "CONFIRMED");
    shop.audit().await;
}

/// S11, S13: one's own hold is seen at once; the seat list, the count and the reservations agree after every change.
async fn lists_and_counts_follow_every_change(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(5, 10).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    let reservation = ann.held(&sale.schedule, &[1, 2]).await;
    assert_eq!(ann.reservation(&reservation).await.expect(200)["status"], "PENDING");
    agree(&ben, &sale.schedule, &["HELD", "HELD", "AVAILABLE", "AVAILABLE", "AVAILABLE"]).await;
    ann.cancel(&reservation).await.expect(204);
    agree(&ben, &sale.schedule, &["AVAILABLE"; 5]).await;
    ann.charge(50).await.expect(201);
    let reservation = ann.held(&sale.schedule, &[4]).await;
    ann.pay(&reservation).await.expect(201);
    agree(&ben, &sale.schedule, &["AVAILABLE", "AVAILABLE", "AVAILABLE", "SOLD", "AVAILABLE"]).await;
    shop.audit().await;
}

/// The seat list and the schedule's count both say this, within the staleness that the contract allows.
async fn agree(visitor: &e2e::Visitor, schedule: &str, statuses: &[&str]) {
    until("the seat list", async || {
        let seats = visitor.seats(schedule).await;
        seats.iter().zip(statuses).all(|(seat, status)| seat["status"] == *status).then_some(())
    })
    .await;
    let free = statuses.iter().filter(|status| **status == "AVAILABLE").count();
    until("the count", async || {
        let list = visitor.get("/schedules").await.expect(200);
        let found = list["items"].as_array().unwrap().iter().find(|item| item["id"] == schedule).cloned();
        (found.unwrap()["seats_available"] == free).then_some(())
    })
    .await;
}

/// R8, Q14: what a hold may not ask for; nothing of it has an effect.
async fn malformed_choices_of_seats_are_refused(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(5, 10).await;
    let ann = shop.join("ann").await;
    let schedule = &sale.schedule;
    let seat = ann.seats(schedule).await[0]["id"].clone();
    let bad: Vec<Value> = vec![
        json!({}),
        json!({"schedule_id": schedule}),
        json!({"seat_numbers": [1]}),
        json!({"schedule_id": schedule, "seat_numbers": []}),
        json!({"schedule_id": schedule, "seat_numbers": [1, 1]}),
        json!({"schedule_id": schedule, "seat_numbers": [0]}),
        json!({"schedule_id": schedule, "seat_numbers": [-1]}),
        json!({"schedule_id": schedule, "seat_numbers": [1.5]}),
        json!({"schedule_id": schedule, "seat_numbers": ["1"]}),
        json!({"schedule_id": schedule, "seat_numbers": 1}),
        json!({"schedule_id": schedule, "seat_numbers": [4_294_967_297_u64]}),
        json!({"schedule_id": "1", "seat_numbers": [1]}),
        json!({"seat_ids": []}),
        json!({"seat_ids": [seat, seat]}),
        json!({"seat_ids": ["*"]}),
        json!({"seat_ids": [seat], "schedule_id": schedule, "seat_numbers": [1]}),
        json!({"seat_ids": [seat], "user_id": "ben"}),
        json!([seat]),
    ];
    for body in bad {
        let answer = ann.post("/reservations", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {answer}");
    }
    ann.hold(schedule, &[6]).await.refused(404, "not_found");
    assert_eq!(ann.list("/reservations").await, Vec::<Value>::new());
    ann.held(schedule, &[1]).await;
}
