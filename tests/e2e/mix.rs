//! W7, W8, P2: everything at once on few users and few seats. Nothing may fail for any reason but a rule's, and in the
//! end it all adds up.

use std::cell::RefCell;

use e2e::{Settings, Shop, Storage, Visitor, on_each_storage};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use e2e::Dice;

on_each_storage![everything_at_once_on_few_users_and_seats, children_and_their_parent_change_at_once,];

const USERS: u32 = 4;
const SEATS: u32 = 6;
const WORKERS: u64 = 16;
const STEPS: u32 = 60;

/// A mix of joins, charges, holds, payments, cancellations, departures and expiries; every answer is one that the rules
/// allow there, no deadlock or lost task surfaces, and the audit finds nothing.
async fn everything_at_once_on_few_users_and_seats(storage: Storage) {
    everything(&[Settings::on(storage).with("--hold-seconds", 2).open().await]).await;
}

/// The mix, at all the servers of one database.
pub(crate) async fn everything(shops: &[Shop]) {
    let shop = &shops[0];
    let sale = shop.concert(SEATS, 10).await;
    // What anybody held lately: so that strangers, too, try to pay and cancel it.
    let held = RefCell::new(vec!["01890000-0000-7000-8000-000000000000".to_owned()]);
    let crowd = join_all((0..WORKERS).map(|seed| work(shops, &sale.schedule, &held, seed)));
    // An audit sees one moment, so that it finds nothing in the midst of it either.
    let audits = async {
        for _ in 0..3 {
            shop.audit().await;
        }
    };
    futures::join!(crowd, audits);

    assert_ne!(shop.database().count("payments"), 0, "a mix that sells nothing proves little");
    shop.audit().await;
}

async fn work(shops: &[Shop], schedule: &str, held: &RefCell<Vec<String>>, seed: u64) {
    let mut dice = Dice::seeded(seed);
    // The next server each time, for joining and for what comes then.
    let mut turns = shops.iter().cycle();
    for _ in 0..STEPS {
        let shop = turns.next().unwrap();
        let visitor = shop.join(&format!("user-{}", dice.roll(USERS))).await.with_shop(turns.next().unwrap());
        match dice.roll(12) {
            0..3 => allow(&visitor.charge(dice.roll(20) + 1).await, &["", "token_not_active"]),
            3..7 => hold(&visitor, schedule, held, &mut dice).await,
            7..10 => {
                let answer = visitor.pay(&pick(held, &mut dice)).await;
                let refusals =
                    ["already_paid", "reservation_cancelled", "reservation_expired", "user_mismatch", "not_found"];
                let all = [&refusals[..], &["", "insufficient_balance", "token_not_active"]].concat();
                allow(&answer, &all);
            }
            10 => {
                let answer = visitor.cancel(&pick(held, &mut dice)).await;
                allow(&answer, &["", "already_paid", "not_found", "token_not_active"]);
            }
            _ => allow(&leave_sometimes(&visitor, &mut dice).await, &[""]),
        }
    }
}

async fn hold(visitor: &Visitor, schedule: &str, held: &RefCell<Vec<String>>, dice: &mut Dice) {
    let first = dice.roll(SEATS) + 1;
    let seats: Vec<u32> = (0..=dice.roll(2)).map(|n| (first + n) % SEATS + 1).collect();
    let answer = visitor.hold(schedule, &seats).await;
    allow(&answer, &["", "seat_taken", "seat_limit", "selection_closed", "token_not_active"]);
    if answer.status == 201 {
        held.borrow_mut().push(answer.json()["id"].as_str().unwrap().to_owned());
    }
}

/// One of the last few reservations.
fn pick(held: &RefCell<Vec<String>>, dice: &mut Dice) -> String {
    let held = held.borrow();
    let back = usize::try_from(dice.roll(6)).unwrap() + 1;
    held[held.len().saturating_sub(back)].clone()
}

async fn leave_sometimes(visitor: &Visitor, dice: &mut Dice) -> e2e::Answer {
    if dice.roll(2) == 0 { visitor.leave().await } else { visitor.get("/queue/tokens/me").await }
}

fn allow(answer: &e2e::Answer, codes: &[&str]) {
    assert!(codes.contains(&answer.code().as_str()), "{answer}");
}

/// W9: rows that hang on one parent, inserted while the parent changes: joins and holds beside changes of the policy.
async fn children_and_their_parent_change_at_once(storage: Storage) {
    children_and_their_parent(&[Settings::line(storage, 1_000, 50, 1).open().await]).await;
}

/// Joins, holds and payments at all the servers of one database, beside changes of the policy at the last of them.
pub(crate) async fn children_and_their_parent(shops: &[Shop]) {
    let shop = &shops[shops.len() - 1];
    let sale = shop.concert(100, 0).await;
    let changes = join_all((0..40).map(|n| shop.policy("main", json!({"batch": 1_000 + n}))));
    let people = join_all((0..80_u32).zip(shops.iter().cycle()).map(async |(n, shop)| {
        let visitor = shop.join(&format!("user-{n}")).await;
        visitor.becomes("ACTIVE").await;
        let id = visitor.held(&sale.schedule, &[n + 1]).await;
        visitor.pay(&id).await.expect(201);
    }));
    let looks = join_all((0..40).map(async |_| shop.admin(Method::GET, "/queues/main").await.expect(200)));
    futures::join!(changes, people, looks);
    assert_eq!(shop.queue("main").await["issued"], 80);
    shop.audit().await;
}
