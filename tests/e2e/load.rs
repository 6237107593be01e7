//! A crowd that buys until the server goes away, and what must be true when it is back.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use e2e::{Answer, Shop, Visitor};
use futures::future::join_all;
use serde_json::{Value, json};

use e2e::Dice;

pub(crate) const BUYERS: u32 = 12;
/// More than are ever sold, so that most holds succeed; few enough that some collide.
pub(crate) const SEATS: u32 = 900;
pub(crate) const CHARGE: u32 = 20;
/// What a seat costs.
pub(crate) const PRICE: u32 = 15;

/// A request that was sent under an idempotency key, and what came back, if anything did.
struct Sent {
    by: Visitor,
    path: &'static str,
    body: Value,
    key: String,
    answer: Option<Answer>,
}

/// All that was sent, over every round.
#[derive(Default)]
pub(crate) struct Log {
    sent: RefCell<Vec<Sent>>,
    answered: Cell<u32>,
}

impl Log {
    /// How many requests were answered so far.
    pub(crate) fn answered(&self) -> u32 {
        self.answered.get()
    }

    /// How many requests were sent and never answered.
    pub(crate) fn unanswered(&self) -> usize {
        self.sent.borrow().iter().filter(|sent| sent.answer.is_none()).count()
    }

    /// Sends a request under a fresh key and notes what came back; `None` when the server is gone.
    async fn send(&self, by: &Visitor, path: &'static str, body: Value) -> Option<Answer> {
        let key = self.note(by, path, &body);
        let answer = by.post(path, body).key(&key).answer().await?;
        assert!(answer.status < 500, "{answer}");
        self.settle(&key, &answer);
        Some(answer)
    }

    /// Notes a request that is about to be sent, and returns a fresh key for it.
    pub(crate) fn note(&self, by: &Visitor, path: &'static str, body: &Value) -> String {
        let mut sent = self.sent.borrow_mut();
        let key = format!("key-{}", sent.len());
        sent.push(Sent { by: by.clone(), path, body: body.clone(), key: key.clone(), answer: None });
        key
    }

    /// Notes what came back.
    pub(crate) fn settle(&self, key: &str, answer: &Answer) {
        self.answered.set(self.answered.get() + 1);
        let mut sent = self.sent.borrow_mut();
        let entry = sent.iter_mut().find(|sent| sent.key == key).expect("it was noted");
        entry.answer = Some(answer.clone());
    }
}

/// A crowd buys until the server no longer answers.
pub(crate) async fn buy_until_it_ends(shop: &Shop, schedule: &str, log: &Log, round: u32) {
    join_all((0..BUYERS).map(|n| buyer(shop, schedule, log, round * BUYERS + n))).await;
}

async fn buyer(shop: &Shop, schedule: &str, log: &Log, seed: u32) -> Option<()> {
    let mut dice = Dice::seeded(seed.into());
    let user = json!({"user_id": format!("buyer-{}", seed % BUYERS)});
    loop {
        let joined = shop.api(reqwest::Method::POST, "/queue/tokens").json(user.clone()).answer().await?;
        let visitor = Visitor::new(shop, &joined.json());
        log.send(&visitor, "/wallet/charges", json!({"amount": CHARGE})).await?;
        let seats = json!({"schedule_id": schedule, "seat_numbers": [dice.roll(SEATS) + 1]});
        let hold = log.send(&visitor, "/reservations", seats).await?;
        if hold.status == 201 {
            let id = hold.json()["id"].clone();
            if dice.roll(5) == 0 {
                visitor.cancel(id.as_str().expect("ids are texts")).answer().await?;
            } else {
                log.send(&visitor, "/payments", json!({"reservation_id": id})).await?;
            }
        } else if hold.code() == "selection_closed" {
            // What is left of an earlier round is not waited for.
            visitor.leave().answer().await?;
        }
    }
}

/// Everything that was answered with success is there, and told again under the same key; what was not answered can be repeated;
/// and every wallet holds exactly what was charged less what was paid.
pub(crate) async fn nothing_is_lost(shop: &Shop, log: &Log) {
    let sent = log.sent.take();
    let mut wallets: HashMap<String, (u32, u32)> = HashMap::new();
    for Sent { by, path, body, key, answer } in &sent {
        let again = by.post(path, body.clone()).key(key).await;
        match answer {
            Some(first) if first.status == 201 => {
                assert_eq!((first.lasting(), true), (again.lasting(), again.replayed()), "{again}");
            }
            Some(first) => assert!(first.status < 500, "{first}"),
            None => assert!(again.status < 500, "{again}"),
        }
        if again.status == 201 {
            made_something(by, path, &again.json()).await;
            let wallet = wallets.entry(by.user.clone()).or_default();
            match *path {
                "/wallet/charges" => wallet.0 += CHARGE,
                "/payments" => wallet.1 += PRICE,
                _ => {}
            }
        }
    }
    for (user, (charged, paid)) in wallets {
        let balance = shop.join(&user).await.balance().await;
        assert_eq!(balance, charged - paid, "{user}: {charged} charged, {paid} paid");
    }
    log.sent.replace(sent);
}

/// What an answer said it had made can be read back.
async fn made_something(by: &Visitor, path: &str, made: &Value) {
    let id = made["id"].as_str().unwrap_or_default();
    match path {
        "/reservations" => assert_eq!(by.reservation(id).await.expect(200)["seats"], made["seats"]),
        "/payments" => {
            let payment = by.get(&format!("/payments/{id}")).await.expect(200);
            assert_eq!(payment["reservation"]["status"], "CONFIRMED");
        }
        _ => {}
    }
}
