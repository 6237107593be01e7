//! What one user may have of a concert, over however many turns, and what is theirs already.

use e2e::{Settings, Shop, Storage, Visitor, on_each_storage};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

on_each_storage![
    the_fifth_of_four_seats_is_refused_in_the_second_turn,
    all_performances_of_a_concert_count_together,
    the_limit_holds_however_it_is_raced_for,
    what_is_given_back_or_ran_out_does_not_count,
    wrong_limits_are_refused,
    ones_own_seats_are_told_apart,
];

/// Pays what is held, with what it costs and nothing more.
async fn buy(visitor: &Visitor, schedule: &str, seats: &[u32]) {
    let held = visitor.hold(schedule, seats).await.expect(201);
    visitor.charge(held["amount"].clone()).await.expect(201);
    visitor.pay(held["id"].as_str().unwrap()).await.expect(201);
}

/// What a refusal says of the limit: how many one may have, and how many one has.
fn limit(refused: &Value) -> (u64, u64) {
    (refused["max_per_user"].as_u64().unwrap(), refused["owned"].as_u64().unwrap())
}

/// R8: eight seats by one user over two turns, four of them at most. Without a limit all eight are theirs.
async fn the_fifth_of_four_seats_is_refused_in_the_second_turn(storage: Storage) {
    let shop = Shop::open(storage).await;
    let (limited, free) = (shop.limited_concert(20, 10, 4).await, shop.concert(20, 10).await);
    for turn in 0..2_u32 {
        let ann = shop.join("ann").await;
        let seats: Vec<u32> = (1..=4).map(|seat| turn * 4 + seat).collect();
        if turn == 0 {
            buy(&ann, &limited.schedule, &seats).await;
        } else {
            // One by one or all at once, of seats that are free and of seats that are not.
            for more in [&seats[..1], &seats, &[1]] {
                let refused = ann.hold(&limited.schedule, more).await.refused(409, "purchase_limit");
                assert_eq!(limit(&refused), (4, 4));
            }
        }
        let ann = shop.join("ann").await;
        buy(&ann, &free.schedule, &seats).await;
    }
    // It is one's own limit.
    buy(&shop.join("ben").await, &limited.schedule, &[5, 6, 7, 8]).await;
    shop.audit().await;
}

/// R8: a limit of the concert and one of a performance, of which the narrower one refuses, the performance's first.
async fn all_performances_of_a_concert_count_together(storage: Storage) {
    let shop = Shop::open(storage).await;
    let evening = |day: u32, max: Option<u32>| {
        let mut evening =
            json!({"starts_at": format!("2099-12-{day}T19:30:00+09:00"), "seats": [{"count": 9, "price": 5}]});
        if let Some(max) = max {
            evening["max_per_user"] = max.into();
        }
        evening
    };
    let plan =
        json!({"title": "Two evenings", "max_per_user": 3, "schedules": [evening(24, Some(2)), evening(25, None)]});
    let made = shop.loading(plan).await.expect(201);
    assert_eq!((&made["max_per_user"], &made["schedules"][0]["max_per_user"]), (&json!(3), &json!(2)));
    assert_eq!(made["schedules"][1]["max_per_user"], Value::Null);
    let [first, second] = [0, 1].map(|n| made["schedules"][n]["id"].as_str().unwrap().to_owned());
    let ann = shop.join("ann").await;
    let listed = ann.list("/schedules").await;
    let shown: Vec<_> = listed.iter().map(|of| (&of["max_per_user"], &of["concert_max_per_user"])).collect();
    assert_eq!(shown, [(&json!(2), &json!(3)), (&Value::Null, &json!(3))]);
    assert_eq!(limit(&ann.hold(&first, &[1, 2, 3]).await.refused(409, "purchase_limit")), (2, 0));
    buy(&ann, &first, &[1, 2]).await;
    let ann = shop.join("ann").await;
    assert_eq!(limit(&ann.hold(&first, &[3]).await.refused(409, "purchase_limit")), (2, 2));
    assert_eq!(limit(&ann.hold(&first, &[3, 4]).await.refused(409, "purchase_limit")), (2, 2), "the performance first");
    assert_eq!(limit(&ann.hold(&second, &[1, 2]).await.refused(409, "purchase_limit")), (3, 2));
    ann.held(&second, &[1]).await;
    assert_eq!(limit(&ann.hold(&second, &[2]).await.refused(409, "purchase_limit")), (3, 3));
    shop.audit().await;
}

/// R8: parallel holds of a user who has bought before never come to more than the limit.
async fn the_limit_holds_however_it_is_raced_for(storage: Storage) {
    let shop = Settings::on(storage).with("--max-seats", 100).open().await;
    let sale = shop.limited_concert(60, 10, 5).await;
    buy(&shop.join("ann").await, &sale.schedule, &[41, 42]).await;
    let ann = shop.join("ann").await;
    let answers = join_all((1..=40).map(async |seat| ann.hold(&sale.schedule, &[seat]).await)).await;
    let (held, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(held.len(), 3);
    for answer in refused {
        assert_eq!(limit(&answer.refused(409, "purchase_limit")), (5, 5));
    }
    shop.audit().await;
}

/// R8: what counts is live or paid: no hold that was given back, left or ran out.
async fn what_is_given_back_or_ran_out_does_not_count(storage: Storage) {
    let shop = Settings::on(storage).with("--scheduler", "off").open().await;
    let sale = shop.limited_concert(20, 10, 2).await;
    let ann = shop.join("ann").await;
    let held = ann.held(&sale.schedule, &[1, 2]).await;
    ann.cancel(&held).await.expect(204);
    ann.held(&sale.schedule, &[3, 4]).await;
    ann.leave().await.expect(204);
    let ann = shop.join("ann").await;
    ann.held(&sale.schedule, &[5, 6]).await;
    ann.hold(&sale.schedule, &[7]).await.refused(409, "purchase_limit");
    // Nobody has noticed that it ran out.
    let over = shop.database().long_ago();
    shop.database().execute(&format!("UPDATE reservations SET expires_at = {over} WHERE status = 'PENDING'"));
    ann.held(&sale.schedule, &[7, 8]).await;
    assert_eq!(limit(&ann.hold(&sale.schedule, &[9]).await.refused(409, "purchase_limit")), (2, 2));
}

/// A limit is a number from 1 to 100,000, or not there at all.
async fn wrong_limits_are_refused(storage: Storage) {
    let shop = Shop::open(storage).await;
    let plan = json!({"title": "t", "max_per_user": 1,
        "schedules": [{"starts_at": "2099-12-24T19:30:00Z", "max_per_user": 1, "seats": [{"count": 1, "price": 1}]}]});
    let before = shop.database().dump();
    let bad = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(4.0),
        json!(100_001),
        json!(4_294_967_297_u64),
        json!(1e30),
        json!("4"),
        json!(true),
        json!([4]),
        json!({}),
    ];
    for bad in bad {
        for field in ["max_per_user", "schedules[0].max_per_user"] {
            let mut plan = plan.clone();
            let whose = if field == "max_per_user" { &mut plan } else { &mut plan["schedules"][0] };
            whose["max_per_user"] = bad.clone();
            let refused = shop.loading(plan).await.refused(400, "validation_failed");
            assert_eq!(refused["errors"][0]["field"], field, "{bad}: {refused}");
        }
    }
    assert_eq!(shop.database().dump(), before);
    for good in [json!(1), json!(100_000), json!(null)] {
        let mut plan = plan.clone();
        plan["max_per_user"] = good.clone();
        plan["schedules"][0]["max_per_user"] = good.clone();
        assert_eq!(shop.loading(plan).await.expect(201)["max_per_user"], good);
    }
}

/// R8: whoever asks for what they have already is told that it is theirs, and nobody is told so of what is another's.
async fn ones_own_seats_are_told_apart(storage: Storage) {
    let shop = Settings::on(storage).with("--max-seats", 100).open().await;
    let sale = shop.concert(6, 10).await;
    buy(&shop.join("ann").await, &sale.schedule, &[1]).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.held(&sale.schedule, &[2]).await;
    ben.held(&sale.schedule, &[3]).await;
    for (who, asked, taken, own) in [
        (&ann, &[1, 2][..], json!([1, 2]), json!([1, 2])),
        (&ann, &[4, 3, 2, 1], json!([1, 2, 3]), json!([1, 2])),
        (&ann, &[3, 4], json!([3]), json!([])),
        (&ben, &[1, 2, 3], json!([1, 2, 3]), json!([3])),
        (&ben, &[1, 2], json!([1, 2]), json!([])),
    ] {
        let seats = who.seats(&sale.schedule).await;
        let ids = asked.iter().map(|number| seats.iter().find(|seat| seat["number"] == *number).unwrap()["id"].clone());
        let ids: Vec<_> = ids.collect();
        for hold in [json!({"schedule_id": sale.schedule, "seat_numbers": asked}), json!({"seat_ids": ids})] {
            let refused = who.post("/reservations", hold).await.refused(409, "seat_taken");
            assert_eq!((&refused["seat_numbers"], &refused["own_seat_numbers"]), (&taken, &own), "{}", who.user);
        }
    }
    // Nobody else is blamed for one's own hold.
    let said = |answer: &Value| answer["detail"].as_str().unwrap().to_owned();
    let hold = |seats: [u32; 1]| ann.hold(&sale.schedule, &seats).header("Accept-Language", "ko");
    let (own, other) = (said(&hold([2]).await.json()), said(&hold([3]).await.json()));
    assert!(own.contains("본인") && !own.contains("다른") && !other.contains("본인"), "{own} {other}");
    // Seats that are not there are named, and what else is not is not mistaken for them.
    let missing = ann.hold(&sale.schedule, &[7, 2, 6, 9]).await.refused(404, "not_found");
    assert_eq!(missing["seat_numbers"], json!([7, 9]));
    let id = "01890000-0000-7000-8000-000000000000";
    let things = [
        (ann.hold(id, &[1]), "schedule"),
        (ann.post("/reservations", json!({"seat_ids": [id]})), "seat"),
        (ann.pay(id), "reservation"),
        (ann.get(&format!("/payments/{id}")), "payment"),
        (ann.get(&format!("/concerts/{id}/schedules")), "concert"),
        (shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": "ann", "queue": "nowhere"})), "queue"),
        (shop.api(Method::GET, "/nowhere"), "path"),
    ];
    for (request, thing) in things {
        let refused = request.await.refused(404, "not_found");
        assert!(said(&refused).contains(thing) && refused.get("seat_numbers").is_none(), "{thing}: {refused}");
    }
    shop.audit().await;
}
