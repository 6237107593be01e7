//! Opening at a time, and what those who wait are told of it and of what is left (R19).

use std::time::Duration;

use e2e::{Settings, Shop, Storage, Visitor, on_each_storage, until};
use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::servers::Servers;

on_each_storage![
    a_line_opens_by_the_databases_clock_and_nobodys_help_r19,
    a_pause_wins_over_an_opening_r19,
    who_waits_is_told_what_the_operator_says,
    who_waits_is_told_what_is_left,
    every_end_says_why,
];

/// So many seconds from now, as requests have it: not finer than a microsecond.
#[expect(clippy::disallowed_methods, reason = "an operator names a moment by their own clock")]
fn in_seconds(seconds: u64) -> String {
    let at = OffsetDateTime::now_utc() + Duration::from_secs(seconds);
    at.replace_microsecond(at.microsecond()).unwrap().format(&Rfc3339).unwrap()
}

/// The place of a token that is told this.
async fn is_told(visitor: &Visitor, what: &str, has: impl Fn(&Value) -> bool) -> Value {
    until(what, async || Some(visitor.place().await).filter(&has)).await
}

async fn join(shop: &Shop, queue: &str, count: usize) -> Vec<Visitor> {
    let mut line = Vec::new();
    for n in 0..count {
        line.push(shop.join_queue(&format!("user-{n}"), queue).await);
    }
    line
}

/// Joined before, people are in when the moment has come, in their order and at the queue's pace, and not a microsecond earlier.
async fn a_line_opens_by_the_databases_clock_and_nobodys_help_r19(storage: Storage) {
    let shop = Shop::open(storage).await;
    let queue = json!({"name": "tonight", "max_active": 100, "batch": 2, "interval_seconds": 1, "opens_at": in_seconds(86_400)});
    let made = shop.make_queue(queue).await;
    let sale = shop.concert_in("tonight", "2099-01-01T00:00:00Z", 9, 1).await;
    let line = join(&shop, "tonight", 5).await;
    assert_eq!(line[0].joined["status"], "WAITING", "nobody is ahead, and there is room");
    let told = line[4].place().await;
    assert_eq!(
        (&told["phase"], &told["position"], &told["opens_at"]),
        (&json!("BEFORE"), &json!(5), &made["opens_at"])
    );
    let wait = told["estimated_wait_seconds"].as_u64().unwrap();
    assert!(wait <= 86_400 + 3, "{told}");
    line[0].hold(&sale.schedule, &[1]).await.refused(403, "token_not_active");

    // Moved to soon: however long these requests take, nobody is in before.
    let soon = shop.policy("tonight", json!({"opens_at": in_seconds(2)})).await;
    assert_ne!(soon["opens_at"], made["opens_at"]);
    for visitor in &line {
        visitor.becomes("ACTIVE").await;
    }
    line[0].held(&sale.schedule, &[1]).await;
    let database = shop.database();
    let early = "tokens t JOIN queues q ON q.queue = t.queue
        JOIN policies p ON p.queue = q.queue AND p.seq = q.policy_seq WHERE t.activated_at < p.opens_at";
    assert_eq!(database.count(early), 0, "somebody was in before");
    assert_eq!(database.count("tokens WHERE activated_at IS NOT NULL"), 5);
    let overtaken =
        "tokens a JOIN tokens b ON a.queue = b.queue AND a.number < b.number AND a.activated_at > b.activated_at";
    assert_eq!(database.count(overtaken), 0);
    shop.audit().await;
}

/// Paused, a queue does not open; and one that is to open later stays shut when the pause ends.
async fn a_pause_wins_over_an_opening_r19(storage: Storage) {
    let shop = Shop::open(storage).await;
    shop.policy("main", json!({"paused": true, "opens_at": in_seconds(86_400)})).await;
    let ann = shop.join("ann").await;
    let told = is_told(&ann, "the opening", |told| told["opens_at"].is_string()).await;
    assert_eq!((&told["phase"], &told["estimated_wait_seconds"]), (&json!("BEFORE"), &Value::Null));
    shop.policy("main", json!({"opens_at": "2000-01-01T00:00:00Z"})).await;
    let told = is_told(&ann, "it is paused", |told| told["phase"] == "PAUSED").await;
    assert_eq!((&told["estimated_wait_seconds"], &told["wait_range"]), (&Value::Null, &Value::Null));
    shop.policy("main", json!({"paused": false, "opens_at": in_seconds(86_400)})).await;
    is_told(&ann, "it opens later", |told| told["phase"] == "BEFORE" && told["estimated_wait_seconds"].is_u64()).await;
    // Two ticks of the clockwork have gone by when others have been let in and out by them.
    let other = shop.make_queue(json!({"name": "other", "paused": true})).await;
    assert_eq!(other["paused"], true);
    let ben = shop.join_queue("ben", "other").await;
    shop.policy("other", json!({"paused": false})).await;
    ben.becomes("ACTIVE").await;
    assert_eq!(ann.status().await, "WAITING");
    shop.policy("main", json!({"opens_at": null})).await;
    ann.becomes("ACTIVE").await;
    shop.audit().await;
}

/// A word to those who wait, in both languages, by their next poll; and it can be taken back.
async fn who_waits_is_told_what_the_operator_says(storage: Storage) {
    let shop = Settings::line(storage, 0, 1, 1).open().await;
    let ann = shop.join("ann").await;
    assert_eq!(ann.place().await["message"], Value::Null);
    let message = json!({"ko": "15분 늦어집니다. \"기다려\" 주세요 🎫", "en": "15 minutes late. \\ sorry"});
    assert_eq!(shop.policy("main", json!({"message": message})).await["message"], message);
    is_told(&ann, "the message", |told| told["message"] == message).await;
    assert_eq!(shop.policy("main", json!({"max_active": 0})).await["message"], message, "what is not named stays");
    assert_eq!(shop.policy("main", json!({"message": null})).await["message"], Value::Null);
    is_told(&ann, "its end", |told| told["message"].is_null()).await;
    // Neither is a change of the policy.
    assert_eq!(shop.database().count("policies"), 2);
    let wrong = json!({"message": {"ko": "", "en": "a"}});
    shop.admin(Method::PATCH, "/queues/main").json(wrong).await.refused(400, "validation_failed");
    shop.audit().await;
}

/// From the first seat to the last, and what comes back in between.
async fn who_waits_is_told_what_is_left(storage: Storage) {
    let shop = Settings::line(storage, 2, 2, 1).open().await;
    let (ann, ben, waits) = (shop.join("ann").await, shop.join("ben").await, shop.join("waits").await);
    let left = |told: &Value| [&told["sold_out"], &told["all_held"], &told["cheapest_available"]].map(Clone::clone);
    let becomes = async |expected: [Value; 3]| {
        is_told(&waits, &format!("{expected:?}"), |told| left(told) == expected).await;
    };
    assert_eq!(left(&waits.place().await), [json!(false), json!(false), Value::Null], "no seat is for sale yet");
    let body = json!({"title": "Prices", "schedules": [{"starts_at": "2099-01-01T00:00:00Z",
        "seats": [{"number": 1, "price": 50}, {"number": 2, "price": "30.5"}]}]});
    let made = shop.admin(Method::POST, "/concerts").json(body).await.expect(201);
    let schedule = made["schedules"][0]["id"].as_str().unwrap();
    becomes([json!(false), json!(false), json!(30.5)]).await;
    let cheap = ann.held(schedule, &[2]).await;
    becomes([json!(false), json!(false), json!(50)]).await;
    let dear = ben.held(schedule, &[1]).await;
    becomes([json!(false), json!(true), Value::Null]).await;
    ann.cancel(&cheap).await.expect(204);
    becomes([json!(false), json!(false), json!(30.5)]).await;
    let cheap = ann.held(schedule, &[2]).await;
    ann.charge(50).await.expect(201);
    ben.charge(50).await.expect(201);
    ann.pay(&cheap).await.expect(201);
    ben.pay(&dear).await.expect(201);
    until("it is sold out", async || {
        let told = waits.place().await;
        (told["sold_out"] == true && told["all_held"] == false && told["cheapest_available"].is_null()).then_some(())
    })
    .await;
    shop.concert(1, 70).await;
    becomes([json!(false), json!(false), json!(70)]).await;
    shop.audit().await;
}

/// Whoever is out is told why, and while they are in there is no reason.
async fn every_end_says_why(storage: Storage) {
    let shop = Settings::line(storage, 3, 9, 1).open().await;
    let sale = shop.concert(1, 10).await;
    let line = join(&shop, "main", 4).await;
    let told = async |n: usize| {
        let told = line[n].place().await;
        (told["phase"].clone(), told["end_reason"].clone())
    };
    let active = (json!("ACTIVE"), Value::Null);
    assert_eq!((told(0).await, told(3).await), (active.clone(), (json!("WAITING"), Value::Null)));
    let ended = |reason| (json!("ENDED"), json!(reason));
    line[3].leave().await.expect(204);
    assert_eq!(told(3).await, ended("LEFT"));
    line[2].leave().await.expect(204);
    assert_eq!(told(2).await, ended("LEFT"));
    line[0].charge(10).await.expect(201);
    let held = line[0].held(&sale.schedule, &[1]).await;
    line[0].pay(&held).await.expect(201);
    assert_eq!(told(0).await, ended("PAID"));
    shop.database().time_is_up("true");
    is_told(&line[1], "its time is over", |told| told["end_reason"] == "DEADLINE").await;
    shop.audit().await;
}

/// At whichever server they ask: what one server's operator changes the other one tells.
#[tokio::test]
async fn all_servers_tell_the_same_r19() {
    let servers = Servers::open(Settings::line(Storage::Postgres, 9, 9, 1)).await;
    let queue = json!({"name": "tonight", "opens_at": in_seconds(86_400), "message": {"ko": "곧", "en": "Soon"}});
    servers.shop(0).make_queue(queue).await;
    // Who asks for a queue by its name is told of it at once; a token of one that a server has not heard of is none to it.
    servers.shop(1).queue("tonight").await;
    let line = join(servers.shop(0), "tonight", 3).await;
    let there = servers.at(1, &line[2]);
    let told = there.place().await;
    assert_eq!(
        (&told["phase"], &told["position"], &told["message"]["en"]),
        (&json!("BEFORE"), &json!(3), &json!("Soon"))
    );
    servers.shop(0).policy("tonight", json!({"message": null, "opens_at": in_seconds(1)})).await;
    is_told(&there, "it follows", |told| told["message"].is_null()).await;
    for visitor in &line {
        servers.at(1, visitor).becomes("ACTIVE").await;
    }
    servers.audit().await;
}
