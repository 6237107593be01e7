//! How many commands a second the store takes: `cargo run --release -p adapter-postgres --example holds -- <url>`.
//!
//! Each caller waits for its answer before it asks again. The URL is that of an empty database, which is filled; what a
//! sync costs on the server's disk decides the figures of few callers. A round has a queue of its own.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that measures: it prints, and a failure ends it"
)]

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use adapter_postgres::{Migrations, Options, PostgresStore};
use domain::concert::{NewConcert, SeatGroup};
use domain::ports::{
    ChargeCommand, ConcertRepository, HoldCommand, PayCommand, PaymentRepository, QueueRepository,
    ReservationRepository, WalletRepository,
};
use domain::seat::SeatChoice;
use domain::{
    IdempotencyKey, LocalTime, Money, Policy, PolicyChange, QueueName, QueueNumber, ReservationId, Rules, ScheduleId,
    Ticket, UserId,
};
use storage_contract::SeededIds;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    println!("callers   joins/s charges/s   holds/s    pays/s");
    for (callers, people) in [(1, 1_000), (64, 20_000), (256, 40_000)] {
        round(&url, callers, people).await;
    }
}

async fn round(url: &str, callers: usize, people: usize) {
    let options = Options {
        migrations: Migrations::Apply,
        clock: None,
        ids: Arc::new(SeededIds::new(u64::try_from(callers).unwrap())),
        rules: Rules::default(),
        connections: 8,
    };
    let store = PostgresStore::open(url, options).await.unwrap();
    let (queue, schedule) = load(&store, callers, people).await;
    let user = move |n| user(callers, n);

    let (s, tickets) = (store.clone(), Slots::<Ticket>::new(people));
    let joined = tickets.clone();
    let joins = rate(callers, people, move |n| {
        let (s, joined) = (s.clone(), joined.clone());
        async move { joined.set(n, s.join(queue, &user(n)).await.unwrap().unwrap().standing.token.ticket) }
    })
    .await;

    // The crowd waits; now all of it is let in.
    let open = PolicyChange {
        max_active: Some(Policy::MAX_ACTIVE),
        batch: Some(Policy::MAX_BATCH),
        ..PolicyChange::default()
    };
    store.change_policy(queue, &open).await.unwrap().unwrap();
    store.admit().await.unwrap();

    let s = store.clone();
    let charges = rate(callers, people, move |n| {
        let s = s.clone();
        let command = ChargeCommand { user: user(n), amount: Money::parse("100").unwrap(), key: key("c", n) };
        async move { drop(s.charge(&command).await.unwrap().unwrap()) }
    })
    .await;

    let (s, reservations) = (store.clone(), Slots::<ReservationId>::new(people));
    let (held, holders) = (reservations.clone(), tickets.clone());
    let holds = rate(callers, people, move |n| {
        let (s, held) = (s.clone(), held.clone());
        let choice = SeatChoice::numbers(schedule, &[u32::try_from(n + 1).unwrap()]).unwrap();
        let command = HoldCommand { ticket: holders.get(n), choice, key: key("h", n) };
        async move { held.set(n, s.hold(&command).await.unwrap().unwrap().value.id) }
    })
    .await;

    let s = store.clone();
    let pays = rate(callers, people, move |n| {
        let s = s.clone();
        let command =
            PayCommand { ticket: tickets.get(n), reservation: reservations.get(n), amount: None, key: key("p", n) };
        async move { drop(s.pay(&command).await.unwrap().unwrap()) }
    })
    .await;
    println!("{callers:>7} {joins:>9.0} {charges:>9.0} {holds:>9.0} {pays:>9.0}");
    store.shutdown().await;
}

/// How often a second `callers` at once get `ask` answered, `times` in all.
async fn rate<F: Future<Output = ()> + Send + 'static>(
    callers: usize,
    times: usize,
    ask: impl Fn(usize) -> F + Send + Sync + Clone + 'static,
) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let (next, ask) = (Arc::clone(&next), ask.clone());
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= times {
                        break;
                    }
                    ask(n).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    f64::from(u32::try_from(times).unwrap()) / started.elapsed().as_secs_f64()
}

/// What the people have, by their number.
#[derive(Clone)]
struct Slots<T>(Arc<Vec<std::sync::OnceLock<T>>>);

impl<T: Copy> Slots<T> {
    fn new(many: usize) -> Self {
        Self(Arc::new((0..many).map(|_| std::sync::OnceLock::new()).collect()))
    }

    fn set(&self, n: usize, value: T) {
        self.0.get(n).unwrap().get_or_init(|| value);
    }

    fn get(&self, n: usize) -> T {
        *self.0.get(n).unwrap().get().unwrap()
    }
}

/// One schedule with a seat for everyone, in a queue of its own.
async fn load(store: &PostgresStore, round: usize, people: usize) -> (QueueNumber, ScheduleId) {
    let starts_at = LocalTime::parse("2027-12-24T19:30:00+09:00").unwrap();
    let seats = SeatGroup::Count(u32::try_from(people).unwrap(), Money::parse("50").unwrap());
    let queue = QueueName::parse(&format!("round-{round}")).unwrap();
    let concert = NewConcert::plan("Bench", queue, &[(starts_at, vec![seats])]).unwrap();
    let created = store.create(&concert).await.unwrap().unwrap();
    (created.queue, *created.schedules.first().unwrap())
}

fn user(round: usize, n: usize) -> UserId {
    UserId::parse(&format!("user-{round}-{n}")).unwrap()
}

fn key(operation: &str, n: usize) -> Option<IdempotencyKey> {
    IdempotencyKey::parse(&format!("{operation}-{n}"))
}
