//! A crowd that buys on while the database fails: whoever hears 503, or nothing, asks again with the same key.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use e2e::{Answer, Request, Shop, Visitor, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::load::{BUYERS, CHARGE, Log, PRICE, SEATS, nothing_is_lost};
use e2e::Dice;

/// A sale at one or more servers of one database, and what its crowd has seen.
pub(crate) struct Rush {
    shops: Vec<Shop>,
    schedule: String,
    log: Log,
    over: Cell<bool>,
    /// How many 503s there were, and requests that nobody answered.
    failed: Cell<u32>,
    /// All that a 503 ever said.
    told: RefCell<BTreeSet<String>>,
}

impl Rush {
    /// A sale at these servers.
    pub(crate) async fn at(shops: Vec<Shop>) -> Self {
        let schedule = shops[0].concert(SEATS, PRICE).await.schedule;
        let (log, over, failed, told) = (Log::default(), Cell::default(), Cell::default(), RefCell::default());
        Self { shops, schedule, log, over, failed, told }
    }

    /// The crowd buys while `fault` takes its course, and then it all adds up: nothing that was answered with success is lost,
    /// nothing is sold twice, no 503 told anybody anything but that it is one, and the audit finds nothing.
    pub(crate) async fn during(&self, fault: impl Future<Output = ()>) {
        self.over.set(false);
        let course = async {
            self.sells().await;
            fault.await;
            self.sells().await;
            self.over.set(true);
        };
        futures::join!(join_all((0..BUYERS).map(|n| self.buyer(n))), course);
        nothing_is_lost(&self.shops[0], &self.log).await;
        self.shops[0].audit().await;
        assert!(self.told.borrow().len() <= 2, "one text for each of the two codes: {:?}", self.told);
    }

    /// Waits until the crowd was answered some more.
    pub(crate) async fn sells(&self) {
        let enough = self.log.answered() + 40;
        until("the crowd buys", async || (self.log.answered() >= enough).then_some(())).await;
    }

    /// Waits until some more of the crowd's requests failed.
    pub(crate) async fn fails(&self) {
        let enough = self.failed.get() + BUYERS;
        until("the crowd is told to come back", async || (self.failed.get() >= enough).then_some(())).await;
    }

    async fn buyer(&self, n: u32) {
        let mut dice = Dice::seeded(u64::from(n + self.log.answered()));
        while !self.over.get() {
            self.buy(n, &mut dice).await;
        }
    }

    /// Joins, charges, holds and pays; or as much of it as there is time for.
    async fn buy(&self, n: u32, dice: &mut Dice) -> Option<()> {
        let user = json!({"user_id": format!("buyer-{n}")});
        let join = |shop: &Shop| shop.api(Method::POST, "/queue/tokens").json(user.clone());
        let joined = self.insist(n, join).await?;
        let visitor = Visitor::new(&self.shops[0], &joined.json());
        self.send(n, &visitor, "/wallet/charges", json!({"amount": CHARGE})).await?;
        let seats = json!({"schedule_id": self.schedule, "seat_numbers": [dice.roll(SEATS) + 1]});
        let hold = self.send(n, &visitor, "/reservations", seats).await?;
        if hold.status == 201 {
            self.insist(n, |shop| visitor.with_shop(shop).get("/reservations")).await?.expect(200);
            self.send(n, &visitor, "/payments", json!({"reservation_id": hold.json()["id"]})).await?;
        } else if hold.code() == "selection_closed" {
            // What is left of an earlier course is not waited for.
            self.insist(n, |shop| visitor.with_shop(shop).leave()).await?;
        }
        Some(())
    }

    async fn send(&self, n: u32, by: &Visitor, path: &'static str, body: Value) -> Option<Answer> {
        let key = self.log.note(by, path, &body);
        let answer = self.insist(n, |shop| by.with_shop(shop).post(path, body.clone()).key(&key)).await?;
        self.log.settle(&key, &answer);
        Some(answer)
    }

    /// Asks, every time at the next server, until an answer says what happened; `None` when the sale is over before that.
    async fn insist(&self, n: u32, ask: impl Fn(&Shop) -> Request) -> Option<Answer> {
        let mut shops = self.shops.iter().cycle().skip(usize::try_from(n).expect("a small number"));
        while !self.over.get() {
            match ask(shops.next()?).answer().await {
                Some(answer) if answer.status < 500 => return Some(answer),
                Some(answer) => self.refused(&answer),
                None => {}
            }
            self.failed.set(self.failed.get() + 1);
            // Some way of what `Retry-After` asks for, as clients in a hurry do.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        None
    }

    /// A failure is a 503 of one of the two codes; that it carries `Retry-After` is checked with every answer.
    fn refused(&self, answer: &Answer) {
        assert!(["overloaded", "unavailable"].contains(&answer.code().as_str()), "{answer}");
        let problem = answer.expect(503);
        self.told.borrow_mut().insert(format!("{}: {}", problem["title"], problem["detail"]));
    }
}
