//! Seat maps: shared, fresh after own commits, exact in time, sent compressed or not at all.

use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::shop::{Concert, Reply, Shop, request};

async fn seat(shop: &Shop, concert: &Concert, token: &str, number: usize) -> String {
    let seats = shop.get(&concert.path(), token).await.expect(200).json();
    let count = shop.get("/api/v1/schedules", token).await.expect(200).json();
    // S11: list, flag and both counts agree.
    let free = seats["items"].as_array().unwrap().iter().filter(|seat| seat["occupied"] == false).count();
    assert_eq!(seats["schedule"]["seats_available"], free);
    assert_eq!(count["items"][0]["seats_available"], free);
    let only = shop.get(&format!("{}?available=true", concert.path()), token).await.expect(200).json();
    assert_eq!(only["items"].as_array().unwrap().len(), free);
    assert_eq!(only["schedule"], seats["schedule"]);
    seats["items"][number - 1]["status"].as_str().unwrap().to_owned()
}

/// S11: the clock stands still, so that nothing here is fresh because of its age.
#[actix_web::test]
async fn whoever_changed_a_seat_sees_it_changed() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    assert_eq!(seat(&shop, &concert, &token, 1).await, "AVAILABLE");
    let held = shop.held(&token, &concert, &[1]).await;
    assert_eq!(seat(&shop, &concert, &token, 1).await, "HELD");
    shop.call("DELETE", &format!("/api/v1/reservations/{held}"), &token).await.expect(204);
    assert_eq!(seat(&shop, &concert, &token, 1).await, "AVAILABLE");
    shop.charge(&token, 1000).await.expect(201);
    let held = shop.held(&token, &concert, &[1]).await;
    assert_eq!(seat(&shop, &concert, &token, 1).await, "HELD");
    shop.pay(&token, &held).await.expect(201);
    let next = shop.join("alice").await;
    assert_eq!(seat(&shop, &concert, &next, 1).await, "SOLD");
    shop.held(&next, &concert, &[2]).await;
    assert_eq!(seat(&shop, &concert, &next, 2).await, "HELD");
    shop.call("DELETE", "/api/v1/queue/tokens/me", &next).await.expect(204);
    let other = shop.join("bob").await;
    assert_eq!(seat(&shop, &concert, &other, 2).await, "AVAILABLE");
}

/// Holds a seat behind the API's back, as another server would.
async fn hold_elsewhere(shop: &Shop, concert: &Concert, token: &str, number: u32) {
    let token = shop.app.authenticate(domain::seal::SealedToken::parse(token).unwrap()).unwrap();
    let schedule = domain::ScheduleId::new(concert.schedule.parse().unwrap());
    let choice = domain::seat::SeatChoice::numbers(schedule, &[number]).unwrap();
    shop.app.hold(token, choice, None).await.unwrap();
}

/// R17: a token that has ended changes nothing by leaving, not even what is kept of the seats; one that lives changes what is kept
/// of the schedules in which it held some. The clock stands still, so that what changes elsewhere does not show by itself.
/// A list is made anew for what has changed, not for a request that changes nothing.
#[actix_web::test]
async fn cancelling_again_outdates_nothing() {
    let (shop, concert) = Shop::open().await;
    let (watcher, holder, buyer) = (shop.join("w").await, shop.join("h").await, shop.join("b").await);
    let held = shop.post("/api/v1/reservations", &holder, &concert.seats(&[1])).await.expect(201).json();
    let path = format!("/api/v1/reservations/{}", held["id"].as_str().unwrap());
    let free = async || shop.get(&concert.path(), &watcher).await.json()["schedule"]["seats_available"].clone();
    assert_eq!(free().await, 49);
    shop.call("DELETE", &path, &holder).await.expect(204);
    assert_eq!(free().await, 50);
    hold_elsewhere(&shop, &concert, &buyer, 2).await;
    shop.call("DELETE", &path, &holder).await.expect(204);
    assert_eq!(free().await, 50, "as it was read");
}

#[actix_web::test]
async fn who_leaves_outdates_what_they_held_and_nothing_else() {
    let (shop, concert) = Shop::open().await;
    let other = shop.concert("main", 3).await;
    let (watcher, ended, holder) = (shop.join("w").await, shop.join("e").await, shop.join("h").await);
    let buyer = shop.join("b").await;
    let leave = async |token: &str| shop.call("DELETE", "/api/v1/queue/tokens/me", token).await.expect(204);
    let free = async || {
        let of = async |concert: &Concert| {
            shop.get(&concert.path(), &watcher).await.json()["schedule"]["seats_available"].as_u64()
        };
        (of(&concert).await.unwrap(), of(&other).await.unwrap())
    };
    leave(&ended).await;
    hold_elsewhere(&shop, &concert, &holder, 1).await;
    assert_eq!(free().await, (49, 3));
    hold_elsewhere(&shop, &concert, &buyer, 2).await;
    hold_elsewhere(&shop, &other, &buyer, 1).await;
    leave(&ended).await;
    assert_eq!(free().await, (49, 3), "as they were read");
    leave(&holder).await;
    assert_eq!(free().await, (49, 3), "seat 1 is given up, and seat 2 is seen; the other schedule is as it was read");
    assert_eq!(shop.get(&concert.path(), &watcher).await.json()["items"][1]["status"], "HELD");
    leave(&buyer).await;
    assert_eq!(free().await, (50, 3));
}

/// R7, at a microsecond before the deadline, at it, and after it: a shared answer does not outlive a hold it shows.
#[actix_web::test]
async fn a_seat_is_free_from_its_deadline_on() {
    let (shop, concert) = Shop::open().await;
    let (token, other) = (shop.join("alice").await, shop.join("bob").await);
    shop.held(&token, &concert, &[1]).await;
    shop.clock.advance(Duration::from_millis(1));
    // One that lasts longer must not keep the other alive.
    shop.held(&other, &concert, &[2]).await;
    shop.clock.advance(Duration::from_micros(299_998_999));
    let path = concert.path();
    let shown = async || shop.get(&path, &other).await.json()["items"][0]["status"].as_str().unwrap().to_owned();
    assert_eq!(shown().await, "HELD");
    shop.clock.advance(Duration::from_micros(1));
    assert_eq!(shown().await, "AVAILABLE");
    shop.clock.advance(Duration::from_micros(1));
    assert_eq!(shown().await, "AVAILABLE");
}

/// What changed elsewhere, here behind the API's back, shows when the shared answer is as old as it may be.
#[actix_web::test]
async fn shared_answers_are_at_most_so_old() {
    let (shop, concert) = Shop::open().await;
    let (token, other) = (shop.join("alice").await, shop.join("bob").await);
    let path = concert.path();
    shop.get(&path, &other).await.expect(200);
    shop.get("/api/v1/schedules", &other).await.expect(200);
    hold_elsewhere(&shop, &concert, &token, 1).await;
    let listed = async || shop.get(&path, &other).await.json()["schedule"]["seats_available"].as_u64().unwrap();
    let counted = async || shop.get("/api/v1/schedules", &other).await.json()["items"][0]["seats_available"].clone();
    shop.clock.advance(Duration::from_millis(250) - Duration::from_micros(1));
    assert_eq!(listed().await, 50);
    shop.clock.advance(Duration::from_micros(1));
    assert_eq!((listed().await, counted().await), (49, Value::from(50)));
    shop.clock.advance(Duration::from_millis(750) - Duration::from_micros(1));
    assert_eq!(counted().await, 50);
    shop.clock.advance(Duration::from_micros(1));
    assert_eq!(counted().await, 49);
}

/// Whoever has just been told that a seat is taken does not see it free: the clock stands still, so that nothing here is read
/// anew because of its age. Somebody holds it elsewhere, here behind the API's back.
#[actix_web::test]
async fn what_was_refused_as_taken_is_shown_as_taken() {
    let (shop, concert) = Shop::open().await;
    let (winner, loser) = (shop.join("alice").await, shop.join("bob").await);
    let elsewhere = async |number: u32| {
        let token = shop.app.authenticate(domain::seal::SealedToken::parse(&winner).unwrap()).unwrap();
        let schedule = domain::ScheduleId::new(concert.schedule.parse().unwrap());
        let choice = domain::seat::SeatChoice::numbers(schedule, &[number]).unwrap();
        shop.app.hold(token, choice, None).await.unwrap();
    };
    assert_eq!(seat(&shop, &concert, &loser, 1).await, "AVAILABLE");
    let seats = shop.get(&concert.path(), &loser).await;
    let (etag, seats) = (seats.header("etag").unwrap().to_owned(), seats.json());
    elsewhere(1).await;
    assert_eq!(shop.hold(&loser, &concert, &[2, 1]).await.code(), "seat_taken");
    asked(&shop, &concert, &loser, &[("if-none-match", &etag)]).await.expect(200);
    assert_eq!(seat(&shop, &concert, &loser, 1).await, "HELD", "and the counts say so, too");
    elsewhere(3).await;
    let third = json!({"seat_ids": [seats["items"][2]["id"]]});
    assert_eq!(shop.post("/api/v1/reservations", &loser, &third).await.code(), "seat_taken");
    assert_eq!(seat(&shop, &concert, &loser, 3).await, "HELD", "named by its id");
    // What the list says already is no reason to read it again.
    elsewhere(4).await;
    assert_eq!(shop.hold(&loser, &concert, &[1]).await.code(), "seat_taken");
    let shown = shop.get(&concert.path(), &loser).await.json();
    assert_eq!(shown["items"][3]["status"], "AVAILABLE");
}

async fn asked(shop: &Shop, concert: &Concert, token: &str, headers: &[(&'static str, &str)]) -> Reply {
    let request = request("GET", &concert.path(), token);
    shop.send(headers.iter().fold(request, |request, header| request.insert_header(*header))).await
}

#[actix_web::test]
async fn a_list_that_is_still_so_is_not_sent_again() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let first = asked(&shop, &concert, &token, &[]).await.expect(200);
    let etag = first.header("etag").unwrap();
    let weak = format!("W/{etag}");
    let among = format!("\"x\", {etag}");
    for known in [etag, &weak, &among, "*"] {
        let same = asked(&shop, &concert, &token, &[("if-none-match", known)]).await.expect(304);
        assert_eq!((same.body.len(), same.header("etag")), (0, Some(etag)), "{known}");
    }
    for unknown in ["\"x\"", "x", "", etag.trim_matches('"')] {
        asked(&shop, &concert, &token, &[("if-none-match", unknown)]).await.expect(200);
    }
    // The same content has the same tag, whoever read it and when.
    shop.clock.advance(Duration::from_secs(1));
    asked(&shop, &concert, &token, &[("if-none-match", etag)]).await.expect(304);
    shop.held(&token, &concert, &[1]).await;
    let changed = asked(&shop, &concert, &token, &[("if-none-match", etag)]).await.expect(200);
    assert_ne!(changed.header("etag"), Some(etag));
    let only = shop.get(&format!("{}?available=true", concert.path()), &token).await.expect(200);
    assert_ne!(only.header("etag"), changed.header("etag"));
}

#[actix_web::test]
async fn a_list_is_compressed_for_those_who_take_it() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let plain = asked(&shop, &concert, &token, &[]).await.expect(200);
    let packed = asked(&shop, &concert, &token, &[("accept-encoding", "br, gzip")]).await.expect(200);
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), (None, Some("gzip")));
    assert_eq!(packed.header("content-type"), Some("application/json"));
    assert!(packed.body.len() < plain.body.len() / 2);
    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed.body).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    for reply in [&plain, &packed] {
        assert!(reply.headers.get_all("vary").any(|vary| vary == "Accept-Encoding"));
    }
    // A strong tag names bytes, so that each coding has its own; either tells that the content is known.
    let etag = packed.header("etag").unwrap();
    assert_ne!(Some(etag), plain.header("etag"));
    for accept in ["gzip", "identity"] {
        asked(&shop, &concert, &token, &[("accept-encoding", accept), ("if-none-match", etag)]).await.expect(304);
    }
    let refused = asked(&shop, &concert, &token, &[("accept-encoding", "gzip;q=0")]).await.expect(200);
    assert_eq!(refused.header("content-encoding"), None);
}
