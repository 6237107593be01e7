//! Loading concerts: once under a key, and only what can be sold.

use e2e::{Answer, Shop, Storage, on_each_storage};
use serde_json::{Value, json};

on_each_storage![
    a_repeated_loading_is_the_first_one_for_ever,
    a_key_names_one_loading,
    a_refused_loading_is_decided_anew,
    what_has_started_is_not_loaded,
    what_would_not_be_kept_as_it_is_is_not_loaded,
    no_two_performances_start_at_once,
    only_into_a_queue_that_is_there,
];

const EVENING: &str = "2099-12-24T19:30:00+09:00";

fn concert(starts: &[&str]) -> Value {
    let schedule = |starts_at: &&str| json!({"starts_at": starts_at, "seats": [{"count": 2, "price": 10}]});
    json!({"title": "Gala", "schedules": starts.iter().map(schedule).collect::<Vec<_>>()})
}

/// The places of the values that are out of bounds.
fn wrong(answer: &Answer) -> Vec<String> {
    let errors = answer.refused(400, "validation_failed")["errors"].clone();
    errors.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

/// R15: the first answer again, of a server that has started anew, and however long ago it was.
async fn a_repeated_loading_is_the_first_one_for_ever(storage: Storage) {
    let shop = Shop::open(storage).await;
    // The second one starts first.
    let plan = concert(&["2099-12-25T19:30:00+09:00", EVENING]);
    let first = shop.loading(plan.clone()).key("spring").await;
    let again = shop.loading(plan.clone()).key("spring").await;
    assert_eq!((first.expect(201), first.replayed()), (again.expect(201), false));
    assert!(again.replayed(), "{again}");
    let mut spelled = plan.clone();
    spelled["queue"] = json!("main");
    spelled["schedules"][0]["seats"] = json!([{"number": 2, "price": "10.00"}, {"number": 1, "price": 10}]);
    assert!(shop.loading(spelled).key("spring").await.replayed(), "the same concert in other words");
    shop.crash().await;
    shop.database().execute(&format!("UPDATE loadings SET loaded_at = {}", shop.database().long_ago()));
    shop.database().begin(first.json()["schedules"][1]["id"].as_str().unwrap());
    shop.restart().await;
    let late = shop.loading(plan).key("spring").await;
    assert_eq!((late.expect(201), late.replayed()), (first.json(), true));
    assert_eq!((shop.database().count("concerts"), shop.database().count("seats")), (1, 4));
}

/// Another concert under the same key is a 422 and nothing is loaded; the keys of users are others.
async fn a_key_names_one_loading(storage: Storage) {
    let shop = Shop::open(storage).await;
    let made = shop.loading(concert(&[EVENING])).key("k").await.expect(201);
    let mut limited = concert(&[EVENING]);
    limited["max_per_user"] = json!(4);
    let mut elsewhere = concert(&[EVENING]);
    elsewhere["queue"] = json!("elsewhere");
    let before = shop.database().dump();
    for other in [limited, elsewhere, concert(&["2099-12-25T19:30:00+09:00"]), concert(&["2020-01-01T00:00:00Z"])] {
        shop.loading(other).key("k").await.refused(422, "idempotency_key_reused");
    }
    assert_eq!(shop.database().dump(), before);
    let ann = shop.join("ann").await;
    let schedule = made["schedules"][0]["id"].as_str().unwrap();
    let hold = ann.hold(schedule, &[1]).key("k").await;
    hold.expect(201);
    assert!(!hold.replayed(), "{hold}");
    shop.loading(concert(&[EVENING])).key("another").await.expect(201);
    shop.loading(concert(&[EVENING])).await.expect(201);
    assert_eq!(shop.database().count("concerts"), 3);
    shop.audit().await;
}

/// Only successes are recorded.
async fn a_refused_loading_is_decided_anew(storage: Storage) {
    let shop = Shop::open(storage).await;
    shop.loading(concert(&["2020-01-01T00:00:00Z"])).key("k").await.refused(400, "validation_failed");
    let loaded = shop.loading(concert(&[EVENING])).key("k").await;
    loaded.expect(201);
    assert!(!loaded.replayed(), "{loaded}");
    for key in ["", "two words", "ключ", &"k".repeat(129)] {
        let answer = shop.loading(concert(&[EVENING])).header("Idempotency-Key", key).await;
        assert_eq!(answer.status, 400, "{key}: {answer}");
    }
    assert_eq!(shop.database().count("concerts"), 1);
}

/// R11: by the store's clock, whichever of the performances it is.
async fn what_has_started_is_not_loaded(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    let just_now = ann.joined["issued_at"].as_str().unwrap();
    let before = shop.database().dump();
    for started in ["2000-01-01T00:00:00Z", "2020-01-01T00:00:00+09:00", just_now] {
        assert_eq!(wrong(&shop.loading(concert(&[started])).await), ["schedules[0].starts_at"]);
        assert_eq!(wrong(&shop.loading(concert(&[EVENING, started])).await), ["schedules[1].starts_at"]);
    }
    let both = concert(&["2020-01-01T00:00:00Z", EVENING, "2021-01-01T00:00:00Z"]);
    assert_eq!(wrong(&shop.loading(both).await), ["schedules[0].starts_at", "schedules[2].starts_at"]);
    assert_eq!(shop.database().dump(), before, "not even a queue was made");
}

/// A date is shown as it was sent, to the microsecond and in its own offset, or it is refused, on either storage alike.
async fn what_would_not_be_kept_as_it_is_is_not_loaded(storage: Storage) {
    let shop = Shop::open(storage).await;
    let before = shop.database().dump();
    for never in [
        "1999-12-31T23:59:59.999999Z",
        "2200-01-01T00:00:00Z",
        "2200-01-01T08:59:59+09:00",
        "9999-12-31T23:59:59+09:00",
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+09:00",
        "10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "2099-06-30T23:59:60Z",
        "2099-12-24T19:30:00.0000001Z",
        "2100-02-29T19:30:00Z",
        "2099-12-24T24:00:00Z",
        "2099-12-24T19:30:00+24:00",
        "2099-12-24T19:30:00",
        "2099-12-24",
        "tomorrow",
        "",
    ] {
        assert_eq!(wrong(&shop.loading(concert(&[never])).await), ["schedules[0].starts_at"], "{never}");
    }
    for never in [json!(null), json!(4_101_000_000_u64), json!(["2099-12-24T19:30:00Z"]), json!({}), json!(true)] {
        let mut plan = concert(&[EVENING]);
        plan["schedules"][0]["starts_at"] = never;
        assert_eq!(wrong(&shop.loading(plan).await), ["schedules[0].starts_at"]);
    }
    assert_eq!(shop.database().dump(), before);
    let kept = ["2199-12-31T23:59:59.999999-23:59", "2099-12-24T19:30:00.5+09:00", "2099-12-24T00:00:00.000001+13:45"];
    let made = shop.loading(concert(&kept)).await.expect(201);
    let told: Vec<_> = made["schedules"].as_array().unwrap().iter().map(|schedule| &schedule["starts_at"]).collect();
    assert_eq!(told, kept);
    let ann = shop.join("ann").await;
    let listed = ann.list("/schedules").await;
    let shown: Vec<_> = listed.iter().map(|schedule| schedule["starts_at"].as_str().unwrap()).collect();
    assert_eq!(shown, [kept[2], kept[1], kept[0]]);
    assert_eq!(listed[2]["date"], "2199-12-31");
    shop.audit().await;
}

/// The same instant in whichever offset; the later one is named. Another concert may start at it.
async fn no_two_performances_start_at_once(storage: Storage) {
    let shop = Shop::open(storage).await;
    shop.load(concert(&[EVENING])).await;
    let before = shop.database().dump();
    for twice in [EVENING, "2099-12-24T10:30:00Z", "2099-12-24T00:30:00.000000-10:00"] {
        let plan = concert(&["2099-12-25T19:30:00+09:00", EVENING, "2099-12-26T19:30:00+09:00", twice]);
        assert_eq!(wrong(&shop.loading(plan).await), ["schedules[3].starts_at"], "{twice}");
    }
    assert_eq!(shop.database().dump(), before);
    shop.load(concert(&[EVENING, "2099-12-24T19:30:00.000001+09:00"])).await;
}

/// R1: a name that was mistyped is no new queue.
async fn only_into_a_queue_that_is_there(storage: Storage) {
    let shop = Shop::open(storage).await;
    shop.make_queue(json!({"name": "tonight"})).await;
    let mut plan = concert(&[EVENING]);
    plan["queue"] = json!("tonihgt");
    let before = shop.database().dump();
    let refused = shop.loading(plan.clone()).key("k").await.refused(404, "not_found");
    assert!(refused["detail"].as_str().unwrap().contains("queue"), "{refused}");
    // What is wrong in itself is told first.
    let mut late = plan.clone();
    late["schedules"][0]["starts_at"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(wrong(&shop.loading(late).await), ["schedules[0].starts_at"]);
    assert_eq!(shop.database().dump(), before);
    plan["queue"] = json!("tonight");
    assert_eq!(shop.loading(plan).key("k").await.expect(201)["queue"], "tonight");
    shop.audit().await;
}
