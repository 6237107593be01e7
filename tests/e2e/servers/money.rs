//! Wallets, payments and idempotency keys, when two servers move the same money.

use e2e::{Answer, Settings, Storage};
use futures::future::join_all;
use serde_json::json;

use super::Servers;
use crate::mix;

/// W1, W10, R12: a hundred parallel charges at two servers all succeed and all count; the entries chain without a hole.
#[tokio::test]
async fn a_hundred_charges_at_two_servers_all_count_w1() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let ann = servers.shop(0).join("ann").await;
    for answer in join_all((0..100).map(async |turn| servers.at(turn, &ann).charge(7).await)).await {
        answer.expect(201);
    }
    for turn in 0..2 {
        let entries = servers.at(turn, &ann).entries().await;
        for (n, entry) in entries.iter().rev().enumerate() {
            assert_eq!((&entry["seq"], &entry["balance_after"]), (&json!(n + 1), &json!((n + 1) * 7)), "{entry}");
        }
        assert_eq!(entries.len(), 100);
    }
    servers.audit().await;
}

/// W6: fifty parallel payments of one reservation at two servers: one payment, one deduction, one entry.
#[tokio::test]
async fn fifty_payments_at_two_servers_pay_once_w6() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let sale = servers.shop(0).concert(1, 30).await;
    let ann = servers.shop(0).join("ann").await;
    ann.charge(100).await.expect(201);
    let id = ann.held(&sale.schedule, &[1]).await;
    let answers = join_all((0..50).map(async |turn| servers.at(turn, &ann).pay(&id).await)).await;
    let (paid, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(paid.len(), 1);
    for answer in refused {
        answer.refused(409, "already_paid");
    }
    let again = servers.shop(1).join("ann").await;
    assert_eq!((again.balance().await, again.entries().await.len()), (json!(70), 2));
    servers.audit().await;
}

/// R15, W12: one key at both servers at once has one effect, and all get the same answer; another request is a 422 at either.
#[tokio::test]
async fn one_key_at_two_servers_is_done_once_r15() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let sale = servers.shop(0).concert(2, 30).await;
    let ann = servers.shop(0).join("ann").await;
    let charges = join_all((0..30).map(async |turn| servers.at(turn, &ann).charge(30).key("c").await)).await;
    same(&charges);
    let hold = async |turn| servers.at(turn, &ann).hold(&sale.schedule, &[1]).key("h").await;
    let holds: Vec<Answer> = join_all((0..30).map(hold)).await;
    same(&holds);
    let id = holds[0].expect(201)["id"].as_str().unwrap().to_owned();
    for turn in 0..2 {
        let ann = servers.at(turn, &ann);
        ann.charge(31).key("c").await.refused(422, "idempotency_key_reused");
        ann.hold(&sale.schedule, &[2]).key("h").await.refused(422, "idempotency_key_reused");
    }
    let pays = join_all((0..30).map(async |turn| servers.at(turn, &ann).pay(&id).key("p").await)).await;
    same(&pays);
    assert_eq!(servers.shop(1).join("ann").await.entries().await.len(), 2);
    servers.audit().await;
}

/// All are the same success, and one of them was the first.
fn same(answers: &[Answer]) {
    for answer in answers {
        assert_eq!(answer.lasting(), answers[0].lasting());
    }
    assert_eq!(answers.iter().filter(|answer| !answer.replayed()).count(), 1);
}

/// R15: what one server has answered the other answers again, also with a token that ended by it.
#[tokio::test]
async fn the_other_server_repeats_the_first_answer_r15() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let sale = servers.shop(0).concert(2, 30).await;
    let (here, there) = {
        let ann = servers.shop(0).join("ann").await;
        (servers.at(0, &ann), servers.at(1, &ann))
    };
    let charge = here.charge(100).key("c").await;
    let hold = there.hold(&sale.schedule, &[2, 1]).key("h").await;
    let id = hold.expect(201)["id"].as_str().unwrap().to_owned();
    let pay = here.pay(&id).key("p").await;
    for (first, again) in [
        (&charge, there.charge("100.00").key("c").await),
        (&hold, here.hold(&sale.schedule, &[1, 2]).key("h").await),
        (&pay, there.pay(&id).key("p").await),
    ] {
        assert_eq!((first.lasting(), first.replayed()), (again.lasting(), false));
        assert!(again.replayed(), "{again}");
    }
    assert_eq!(there.status().await, "EXPIRED");
    servers.audit().await;
}

/// Two requests race for one key at two servers: one of them is done, and the other is told so.
#[tokio::test]
async fn two_requests_under_one_key_at_two_servers_r15() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    let sale = servers.shop(0).concert(40, 10).await;
    let ann = servers.shop(0).join("ann").await;
    for round in 0..10 {
        let key = format!("k-{round}");
        let charge = async |turn: usize| servers.at(turn, &ann).charge(turn + 1).key(&key).await;
        let ben = servers.shop(round).join(&format!("ben-{round}")).await;
        let seat = u32::try_from(round).unwrap() * 2 + 1;
        let hold = async |turn: usize, seat: u32| servers.at(turn, &ben).hold(&sale.schedule, &[seat]).key(&key).await;
        let (one, other) = futures::join!(charge(0), charge(1));
        one_of(&one, &other);
        let (one, other) = futures::join!(hold(0, seat), hold(1, seat + 1));
        one_of(&one, &other);
    }
    assert_eq!(ann.entries().await.len(), 10);
    servers.audit().await;
}

fn one_of(one: &Answer, other: &Answer) {
    let (done, refused) = if one.status == 201 { (one, other) } else { (other, one) };
    done.expect(201);
    refused.refused(422, "idempotency_key_reused");
}

/// W7, W10: a mix of everything at two servers, beside two schedulers and audits: no deadlock surfaces, and it adds up.
#[tokio::test]
async fn everything_at_once_at_two_servers_w7() {
    let servers = Servers::open(Settings::on(Storage::Postgres).with("--hold-seconds", 2)).await;
    mix::everything(&servers.shops).await;
}

/// W9: rows that hang on one parent, inserted at both servers while the parent changes.
#[tokio::test]
async fn children_and_their_parent_change_at_two_servers_w9() {
    let servers = Servers::open(Settings::line(Storage::Postgres, 1_000, 50, 1)).await;
    mix::children_and_their_parent(&servers.shops).await;
}
