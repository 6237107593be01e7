//! A crowd in a line that admits nobody: some poll, some join, some leave, some try what only the admitted may, all the while.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use e2e::{Answer, LIMIT, Request, Sale, Shop, Visitor, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::time::{sleep, timeout};

/// How many wait when it begins.
const WAITING: usize = 200;
/// How many of each kind are busy at once.
const BUSY: usize = 8;
/// How many requests of each kind make sure that it was not one by chance.
const ENOUGH: u32 = 12;

/// What requests of one kind came to.
#[derive(Default)]
pub(crate) struct Tally {
    done: Cell<u32>,
    /// How many were answered 503.
    refused: Cell<u32>,
}

/// The crowd, and what it was told.
pub(crate) struct Crowd {
    shop: Shop,
    sale: Sale,
    /// In the order of their numbers; every second one leaves when it may.
    line: Vec<Visitor>,
    /// Who has asked to leave: they may be gone from then on.
    leaving: Vec<Cell<bool>>,
    /// How many may have asked to leave by now.
    leavers: Cell<usize>,
    late: RefCell<Vec<Visitor>>,
    over: Cell<bool>,
    pub(crate) joins: Tally,
    pub(crate) leaves: Tally,
    pub(crate) guarded: Tally,
    fresh: Cell<u32>,
    /// Of what moments stale polls told, and how many did.
    stale: RefCell<BTreeSet<String>>,
    stales: Cell<u32>,
}

fn count(of: &Cell<u32>) {
    of.set(of.get() + 1);
}

/// Nobody is left waiting for an answer.
async fn answer(request: Request) -> Answer {
    timeout(LIMIT, request.into_future()).await.expect("an answer comes in time")
}

impl Tally {
    /// Notes an answer, which is a 503 or one of `statuses`; whether it is one of these.
    fn note(&self, answer: &Answer, statuses: &[u16]) -> bool {
        let done = statuses.contains(&answer.status);
        if !done {
            assert!(["overloaded", "unavailable"].contains(&answer.code().as_str()), "{answer}");
            answer.expect(503);
        }
        count(if done { &self.done } else { &self.refused });
        done
    }

    /// Waits until some more were answered as they should be.
    pub(crate) async fn succeed(&self) {
        more("done", &self.done).await;
    }

    /// Waits until some more were answered 503.
    pub(crate) async fn fail(&self) {
        more("refused", &self.refused).await;
    }
}

async fn more(what: &str, of: &Cell<u32>) {
    let enough = of.get() + ENOUGH;
    until(what, async || (of.get() >= enough).then_some(())).await;
}

impl Crowd {
    /// A crowd at this server.
    pub(crate) async fn at(shop: &Shop) -> Self {
        shop.policy("main", json!({"paused": true})).await;
        let sale = shop.concert(1, 1).await;
        let mut line = Vec::new();
        for n in 0..WAITING {
            line.push(shop.join(&format!("user-{n}")).await);
        }
        Self {
            shop: shop.clone(),
            sale,
            leaving: line.iter().map(|_| Cell::default()).collect(),
            line,
            leavers: Cell::default(),
            late: RefCell::default(),
            over: Cell::default(),
            joins: Tally::default(),
            leaves: Tally::default(),
            guarded: Tally::default(),
            fresh: Cell::default(),
            stale: RefCell::default(),
            stales: Cell::default(),
        }
    }

    /// Lets the crowd do what it does while `fault` takes its course.
    pub(crate) async fn during(&self, fault: impl Future<Output = ()>) {
        let course = async {
            fault.await;
            self.over.set(true);
        };
        let busy = 0..BUSY;
        futures::join!(
            join_all(busy.clone().map(|n| self.polls(n))),
            join_all(busy.clone().map(|n| self.join(n))),
            join_all(busy.clone().map(|n| self.leave(n))),
            join_all(busy.map(|n| self.tries(n))),
            course
        );
    }

    /// Lets some more of them leave, some more than enough.
    pub(crate) fn more_leave(&self) {
        self.leavers.set(self.leavers.get() + BUSY * 2);
    }

    /// Waits until polls say that their positions are old, all of them as of the same moment.
    pub(crate) async fn is_stale(&self) {
        self.stale.take();
        more("stale polls", &self.stales).await;
        assert_eq!(self.stale.borrow().len(), 1, "their time stands still: {:?}", self.stale);
    }

    /// Waits until polls are as good as ever again.
    pub(crate) async fn is_fresh(&self) {
        more("fresh polls", &self.fresh).await;
    }

    /// When nobody does anything any more: everybody's position is what it should be, and the numbers have no gaps.
    pub(crate) async fn adds_up(&self) {
        let database = self.shop.database();
        let waiting = "SELECT string_agg(user_id, ' ' ORDER BY number) AS text FROM tokens WHERE status = 'WAITING'";
        let waiting = database.text(waiting);
        let waiting: Vec<&str> = waiting.split(' ').collect();
        let stays = self.line.iter().zip(&self.leaving).filter(|(_, leaving)| !leaving.get());
        let late = self.late.take();
        for visitor in stays.map(|(visitor, _)| visitor).chain(&late) {
            let position = waiting.iter().position(|user| *user == visitor.user).map(|ahead| ahead + 1);
            assert_eq!(visitor.place().await["position"], json!(position), "{}", visitor.user);
        }
        assert_eq!(database.text("SELECT (max(number) - count(*))::text AS text FROM tokens"), "0", "no gaps");
        self.shop.audit().await;
    }

    /// R4: whatever happens, who waits is told a place, which never rises and is never below the number of those ahead who
    /// have not even asked to leave.
    async fn polls(&self, n: usize) {
        let mut before = vec![usize::MAX; self.line.len()];
        while !self.over.get() {
            for k in (n..self.line.len()).step_by(BUSY).filter(|k| !self.leaving[*k].get()) {
                let place = answer(self.line[k].get("/queue/tokens/me")).await.expect(200);
                if self.leaving[k].get() {
                    continue;
                }
                assert_eq!(place["status"], "WAITING", "{place}");
                let position = usize::try_from(place["position"].as_u64().unwrap()).unwrap();
                let ahead = self.leaving[..k].iter().filter(|leaving| !leaving.get()).count();
                assert!(position > ahead && position <= before[k], "{ahead} ahead, before {}: {place}", before[k]);
                before[k] = position;
                if place["stale"] == true {
                    count(&self.stales);
                    self.stale.borrow_mut().insert(place["as_of"].to_string());
                } else {
                    count(&self.fresh);
                }
            }
        }
    }

    async fn join(&self, n: usize) {
        for turn in 0.. {
            let user = json!({"user_id": format!("late-{n}-{turn}")});
            let joined = answer(self.shop.api(Method::POST, "/queue/tokens").json(user)).await;
            if self.joins.note(&joined, &[201]) {
                self.late.borrow_mut().push(Visitor::new(&self.shop, &joined.json()));
            }
            if self.over.get() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Each insists until it is done.
    async fn leave(&self, n: usize) {
        for (turn, k) in (0..self.line.len()).step_by(2).enumerate().filter(|(turn, _)| turn % BUSY == n) {
            while self.leavers.get() <= turn {
                if self.over.get() {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
            self.leaving[k].set(true);
            while !self.leaves.note(&answer(self.line[k].leave()).await, &[204]) {
                sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// A waiting token is refused, or nobody can tell.
    async fn tries(&self, n: usize) {
        let waiter = &self.line[2 * n + 1];
        let seats = format!("/schedules/{}/seats", self.sale.schedule);
        while !self.over.get() {
            for request in [waiter.get(&seats), waiter.get("/wallet"), waiter.hold(&self.sale.schedule, &[1])] {
                let tried = answer(request).await;
                if self.guarded.note(&tried, &[403]) {
                    tried.refused(403, "token_not_active");
                }
            }
        }
    }
}
