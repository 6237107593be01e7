//! How many commands a second a storage takes through its ports: a sale played by callers who each wait for an answer
//! before they ask again. For the adapters' examples; no test.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use domain::concert::{Draft, NewConcert, ScheduleDraft, SeatGroup};
use domain::ports::{
    ChargeCommand, ConcertRepository, HoldCommand, LoadCommand, PayCommand, PaymentRepository, QueueRepository,
    ReservationRepository, WalletRepository,
};
use domain::seat::SeatChoice;
use domain::{
    IdempotencyKey, LocalTime, Money, NewQueue, Policy, PolicyChange, QueueName, QueueNumber, ReservationId,
    ScheduleId, Ticket, UserId,
};

/// Commands a second.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Joins of a line that admits nobody yet.
    pub joins: f64,
    /// Charges, each of a wallet that is new.
    pub charges: f64,
    /// Holds of one free seat.
    pub holds: f64,
    /// Payments of what was held.
    pub pays: f64,
}

/// Plays a sale with `callers` at once, a seat for everyone, in a queue of its own named `name`: of 2,000 people for one
/// caller, and of enough for some seconds for many. Charges, holds and payments have an idempotency key each if they are
/// `keyed`.
///
/// # Panics
/// When the store refuses anything.
pub async fn rates<S>(store: S, name: &str, callers: usize, keyed: bool) -> Rates
where
    S: QueueRepository
        + ConcertRepository
        + ReservationRepository
        + WalletRepository
        + PaymentRepository
        + Clone
        + 'static,
{
    let key = move |operation: &str, n: usize| keyed.then(|| key(operation, n));
    let people = match callers {
        1 => 2_000,
        2..=64 => 20_000,
        _ => 40_000,
    };
    let (queue, schedule) = concert(&store, name, people).await;
    let user: Arc<dyn Fn(usize) -> UserId + Send + Sync> = {
        let name = name.to_owned();
        Arc::new(move |n| UserId::parse(&format!("{name}-{n}")).unwrap())
    };

    let (s, users, tickets) = (store.clone(), Arc::clone(&user), Slots::<Ticket>::new(people));
    let joined = tickets.clone();
    let joins = rate(callers, people, move |n| {
        let (s, joined, user) = (s.clone(), joined.clone(), users(n));
        async move { joined.set(n, s.join(queue, &user).await.unwrap().unwrap().token.ticket) }
    })
    .await;

    // The crowd waits; now all of it is let in.
    let open = PolicyChange {
        max_active: Some(Policy::MAX_ACTIVE),
        batch: Some(Policy::MAX_BATCH),
        ..PolicyChange::default()
    };
    store.change_policy(queue, &open).await.unwrap().unwrap();
    while store.admit().await.unwrap().done.iter().any(|line| line.more) {}

    let (s, users) = (store.clone(), user);
    let charges = rate(callers, people, move |n| {
        let s = s.clone();
        let command = ChargeCommand { user: users(n), amount: Money::parse("100").unwrap(), key: key("c", n) };
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

    let pays = rate(callers, people, move |n| {
        let s = store.clone();
        let command =
            PayCommand { ticket: tickets.get(n), reservation: reservations.get(n), amount: None, key: key("p", n) };
        async move { drop(s.pay(&command).await.unwrap().unwrap()) }
    })
    .await;
    Rates { joins, charges, holds, pays }
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
struct Slots<T>(Arc<Vec<OnceLock<T>>>);

impl<T: Copy> Slots<T> {
    fn new(many: usize) -> Self {
        Self(Arc::new((0..many).map(|_| OnceLock::new()).collect()))
    }

    fn set(&self, n: usize, value: T) {
        self.0[n].get_or_init(|| value);
    }

    fn get(&self, n: usize) -> T {
        *self.0[n].get().unwrap()
    }
}

/// One schedule with a seat for everyone, in a new queue.
async fn concert<S>(store: &S, name: &str, people: usize) -> (QueueNumber, ScheduleId)
where
    S: ConcertRepository + QueueRepository,
{
    let starts_at = LocalTime::parse("2027-12-24T19:30:00+09:00").unwrap();
    let seats = SeatGroup::Count(u32::try_from(people).unwrap(), Money::parse("50").unwrap());
    let queue = QueueName::parse(name).unwrap();
    store.make(&NewQueue { name: queue.clone(), policy: Policy::default(), message: None }).await.unwrap().unwrap();
    let draft = Draft::of("Bench", queue, vec![ScheduleDraft::of(starts_at, vec![seats])]);
    let command = LoadCommand { concert: NewConcert::plan(&draft).unwrap(), key: None };
    let created = store.create(&command).await.unwrap().unwrap().value;
    (created.queue, *created.schedules.first().unwrap())
}

fn key(operation: &str, n: usize) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("{operation}-{n}")).unwrap()
}
