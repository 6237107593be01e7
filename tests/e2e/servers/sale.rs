//! Seats, when two servers sell the same ones and two schedulers free them.

use std::collections::BTreeSet;

use e2e::{Answer, Settings, Storage};
use futures::future::{join, join_all};
use serde_json::json;

use super::Servers;
use crate::payments::about_the_end;

/// S1, R7: of three hundred parallel holds on one seat at two servers one has it, and all others are told so.
#[tokio::test]
async fn of_three_hundred_holds_at_two_servers_one_has_the_seat_s1() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let sale = servers.shop(0).concert(2, 10).await;
    let visitors = servers.join_all(300).await;
    // Each holds at the server that did not give them their place.
    let holds =
        visitors.iter().enumerate().map(async |(n, ann)| servers.at(n + 1, ann).hold(&sale.schedule, &[1]).await);
    let answers = join_all(holds).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), 1);
    for answer in lost {
        assert_eq!(answer.refused(409, "seat_taken")["seat_numbers"], json!([1]));
    }
    // S11: both servers show it.
    for turn in 0..2 {
        servers.at(turn, &visitors[0]).seat_becomes(&sale.schedule, 1, "HELD").await;
    }
    servers.audit().await;
}

/// S9, R8: overlapping sets at two servers are all or nothing, in whatever order their seats are named.
#[tokio::test]
async fn overlapping_sets_at_two_servers_are_all_or_nothing_s9() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let visitors = servers.join_all(60).await;
    for _ in 0..5 {
        let sale = servers.shop(0).concert(3, 10).await;
        let sets: [[u32; 2]; 6] = [[1, 2], [2, 3], [3, 1], [2, 1], [3, 2], [1, 3]];
        // The sets come round every six, so that each is asked for at both servers.
        let holds = visitors.iter().enumerate().map(async |(n, visitor)| {
            let set = sets[n % sets.len()];
            (set, servers.at(n / sets.len(), visitor).hold(&sale.schedule, &set).await)
        });
        let answers = join_all(holds).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer.status == 201);
        assert_eq!(won.len(), 1, "any two of the sets overlap, and the first finds both seats free");
        let taken: BTreeSet<u32> = won[0].0.into();
        for (set, answer) in lost {
            let named = answer.refused(409, "seat_taken")["seat_numbers"].clone();
            let both: Vec<u32> = taken.intersection(&(*set).into()).copied().collect();
            assert_eq!(named, json!(both), "exactly the taken ones are named");
        }
        let held = "seats JOIN schedules ON schedules.id = seats.schedule_id WHERE reservation_id IS NOT NULL";
        assert_eq!(servers.database().count(&format!("{held} AND schedules.id = '{}'", sale.schedule)), 2);
        let id = won[0].1.json()["id"].as_str().unwrap().to_owned();
        join_all(visitors.iter().enumerate().map(async |(n, visitor)| servers.at(n, visitor).cancel(&id).await)).await;
    }
    servers.audit().await;
}

/// R8: one user's parallel holds at two servers never exceed `max_seats`.
#[tokio::test]
async fn the_limit_of_seats_holds_across_servers_r8() {
    let servers = Servers::open(Settings::on(Storage::Postgres).with("--max-seats", 3)).await;
    let sale = servers.shop(0).concert(40, 10).await;
    let ann = servers.shop(0).join("ann").await;
    let holds = (1..=40).zip(0..).map(async |(seat, turn)| servers.at(turn, &ann).hold(&sale.schedule, &[seat]).await);
    let answers = join_all(holds).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 3);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "seat_limit");
    }
    servers.audit().await;
}

/// R8: parallel holds at two servers of a user who has bought at one of them never come to more than `max_per_user`.
#[tokio::test]
async fn what_a_user_may_have_is_counted_across_servers_r8() {
    let servers = Servers::open(Settings::on(Storage::Postgres).with("--max-seats", 100)).await;
    let sale = servers.shop(0).limited_concert(40, 0, 5).await;
    let ann = servers.shop(0).join("ann").await;
    let held = ann.held(&sale.schedule, &[39, 40]).await;
    servers.at(1, &ann).pay(&held).await.expect(201);
    let ann = servers.shop(1).join("ann").await;
    let holds = (1..=30).zip(0..).map(async |(seat, turn)| servers.at(turn, &ann).hold(&sale.schedule, &[seat]).await);
    let answers = join_all(holds).await;
    let (won, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), 3);
    for answer in refused {
        let refused = answer.refused(409, "purchase_limit");
        assert_eq!((&refused["max_per_user"], &refused["owned"]), (&json!(5), &json!(5)));
    }
    servers.audit().await;
}

/// R8: whoever was refused a seat that the other server has sold is not shown it as free by the server that refused it: neither
/// anew, nor by the list that they have.
#[tokio::test]
async fn a_server_does_not_offer_the_seat_that_it_has_refused_r8() {
    let servers = Servers::open(Settings::on(Storage::Postgres).with("--max-seats", 100)).await;
    let sale = servers.shop(0).concert(20, 10).await;
    let (ann, ben) = (servers.shop(0).join("ann").await, servers.shop(1).join("ben").await);
    let path = format!("/schedules/{}/seats", sale.schedule);
    for (seat, place) in (1..=20).zip(0..) {
        // A list that is as fresh as can be, and would be good for a while.
        let list = ben.get(&path).await;
        list.expect(200);
        ann.held(&sale.schedule, &[seat]).await;
        let refused = ben.hold(&sale.schedule, &[seat]).await.refused(409, "seat_taken");
        assert_eq!((&refused["seat_numbers"], &refused["own_seat_numbers"]), (&json!([seat]), &json!([])));
        let again = ben.get(&path).header("If-None-Match", list.header("ETag")).await;
        assert_eq!(again.expect(200)["items"][place]["status"], "HELD", "seat {seat}");
    }
    servers.audit().await;
}

/// S2, S3, S4: payments at one server race the end of holds that the other has made and that two schedulers sweep: each is
/// paid or ran out, and the seat is never both.
#[tokio::test]
async fn of_payment_and_expiry_at_two_servers_exactly_one_wins_s3() {
    let servers = Servers::open(Settings::on(Storage::Postgres).with("--hold-seconds", 1)).await;
    let sale = servers.shop(0).concert(60, 30).await;
    let races = (1..=60).zip(0..).map(async |(seat, turn)| {
        let here = servers.shop(turn).join(&format!("user-{seat}")).await;
        let there = servers.at(turn + 1, &here);
        here.charge(30).await.expect(201);
        let id = here.held(&sale.schedule, &[seat]).await;
        // The crowd pays over a span around the deadline; whoever comes when, the outcome is one of two.
        about_the_end(&here, &id, i64::from(seat) - 30).await;
        let paid = there.pay(&id).await;
        let status = here.reservation(&id).await.expect(200)["status"].clone();
        if paid.status == 201 {
            assert_eq!(status, "CONFIRMED");
        } else {
            paid.refused(410, "reservation_expired");
            assert_eq!((status, here.balance().await), (json!("CANCELLED"), json!(30)));
        }
    });
    join_all(races).await;
    servers.audit().await;
}

/// W11: cancel and pay race at two servers; exactly one wins, and everything agrees on which.
#[tokio::test]
async fn of_cancel_and_pay_at_two_servers_exactly_one_wins_w11() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let sale = servers.shop(0).concert(40, 30).await;
    let races = (1..=40).zip(0..).map(async |(seat, turn)| {
        let here = servers.shop(turn).join(&format!("user-{seat}")).await;
        let there = servers.at(turn + 1, &here);
        here.charge(30).await.expect(201);
        let id = here.held(&sale.schedule, &[seat]).await;
        let (paid, cancelled) = join(here.pay(&id).into_future(), there.cancel(&id).into_future()).await;
        assert_ne!(paid.status == 201, cancelled.status == 204, "exactly one of both: {paid} {cancelled}");
        let status = there.reservation(&id).await.expect(200)["status"].clone();
        if paid.status == 201 {
            // R17: the payment ended the token.
            cancelled.refused(403, "token_not_active");
            assert_eq!(status, "CONFIRMED");
        } else {
            paid.refused(409, "reservation_cancelled");
            assert_eq!((status, here.balance().await), (json!("CANCELLED"), json!(30)));
        }
    });
    join_all(races).await;
    servers.audit().await;
}

/// W11, R17: cancelled at both servers at once it is freed once, both say yes, and a later holder is not touched.
#[tokio::test]
async fn cancelling_at_two_servers_frees_once_w11() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let sale = servers.shop(0).concert(1, 30).await;
    let (ann, ben) = (servers.shop(0).join("ann").await, servers.shop(1).join("ben").await);
    let id = ann.held(&sale.schedule, &[1]).await;
    let cancel = async |turn| -> Answer { servers.at(turn, &ann).cancel(&id).await };
    let cancelled = join_all((0..10).map(cancel)).await;
    let other = ben.held(&sale.schedule, &[1]).await;
    for answer in cancelled.iter().chain(&join_all((0..2).map(cancel)).await) {
        answer.expect(204);
    }
    assert_eq!(ben.reservation(&other).await.expect(200)["status"], "PENDING");
    servers.at(1, &ann).pay(&id).await.refused(409, "reservation_cancelled");
    servers.audit().await;
}
