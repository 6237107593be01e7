//! Several processes on one PostgreSQL database: two servers without a clockwork, two schedulers, and a crowd that asks now
//! the one server, now the other.

mod line;
mod loading;
mod money;
mod sale;
mod start;

use e2e::{Database, Process, Settings, Shop, Visitor, room, until};
use futures::future::{join, join_all};
use tokio::sync::SemaphorePermit;

/// Two servers and two schedulers.
pub(crate) struct Servers {
    shops: [Shop; 2],
    schedulers: Vec<Process>,
    _room: SemaphorePermit<'static>,
}

impl Servers {
    /// Starts them, all at once.
    pub(crate) async fn open(settings: Settings) -> Self {
        let room = room().await;
        let settings = settings.with("--scheduler", "off");
        let schedulers = vec![settings.spawn_scheduler(), settings.spawn_scheduler()];
        let (one, other) = join(settings.clone().open(), settings.open()).await;
        until("the schedulers", async || schedulers.iter().all(ticks).then_some(())).await;
        Self { shops: [one, other], schedulers, _room: room }
    }

    /// The server whose turn it is: the one for even numbers, the other for odd ones.
    pub(crate) fn shop(&self, turn: usize) -> &Shop {
        &self.shops[turn % 2]
    }

    /// The same person at the server whose turn it is.
    pub(crate) fn at(&self, turn: usize, visitor: &Visitor) -> Visitor {
        visitor.with_shop(self.shop(turn))
    }

    /// Gives all of them a place in `main`, at once, every second one by the other server.
    pub(crate) async fn join_all(&self, count: usize) -> Vec<Visitor> {
        join_all((0..count).map(async |n| self.shop(n).join(&format!("user-{n}")).await)).await
    }

    /// What all of them work on.
    pub(crate) fn database(&self) -> &Database {
        self.shops[0].database()
    }

    /// `kill -9` to one of the schedulers.
    pub(crate) async fn kill_a_scheduler(&mut self) {
        self.schedulers.pop().expect("one is left").kill().await;
    }

    /// `usher audit` must find nothing.
    pub(crate) async fn audit(&self) {
        self.shops[0].audit().await;
    }
}

/// Whether a scheduler has said that it is at work.
fn ticks(scheduler: &Process) -> bool {
    scheduler.output().contains(" ticks on ")
}
