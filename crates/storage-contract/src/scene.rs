//! The scene most tests play in, a store with one concert, and short words for what people do there.

use std::sync::Arc;
use std::time::Duration;

use domain::concert::{CreatedConcert, NewConcert, NewSchedule, SeatMap, SeatRun};
use domain::payment::Receipt;
use domain::ports::{
    Admissions, Admitted, Answer, Cancelled, ChargeCommand, Clock, Decided, HoldCommand, Joined, LoadCommand,
    MOST_TURNS, Paid, PayCommand, QueueReport,
};
use domain::reservation::{Reservation, ReservationStatus};
use domain::seat::{SeatChoice, SeatStatus};
use domain::token::{Active, EndReason};
use domain::wallet::{Charge, Entry};
use domain::{
    IdempotencyKey, LocalTime, Money, NewQueue, Page, Policy, PolicyChange, QueueName, QueueNumber, Rejection,
    ReservationId, Rules, ScheduleId, SeatId, Ticket, TicketNumber, Timestamp, Token, TokenStatus, UserId,
};
use tokio::sync::Barrier;

use crate::standing::{Standing, View};
use crate::{Make, Store};

/// The smallest step of time.
pub(crate) const MICRO: Duration = Duration::from_micros(1);

/// The contract's rules, with a line that admits everybody at once, for tests of what comes after it.
pub(crate) fn open_rules() -> Rules {
    let new_queue = Policy { max_active: 100_000, batch: 100_000, ..Policy::default() };
    Rules { new_queue, ..Rules::default() }
}

/// The contract's rules, with a line that admits at most `max_active`, `batch` in each 10 s.
pub(crate) fn narrow_rules(max_active: u32, batch: u32) -> Rules {
    Rules { new_queue: Policy { max_active, batch, ..Policy::default() }, ..Rules::default() }
}

#[expect(clippy::needless_pass_by_value, reason = "names come as numbers and as texts, whichever a test has")]
pub(crate) fn user(name: impl ToString) -> UserId {
    UserId::parse(&name.to_string()).unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

pub(crate) fn queue_name(text: &str) -> QueueName {
    QueueName::parse(text).unwrap()
}

pub(crate) fn ticket(queue: QueueNumber, number: u64) -> Ticket {
    Ticket { queue, number: TicketNumber::new(number).unwrap() }
}

/// The first page, as long as a page may be.
pub(crate) fn page<K>() -> Page<K> {
    Page::new(Page::<K>::MAX_LIMIT, None).unwrap()
}

/// A schedule with seats 1 to `seats`, 1000 points each.
pub(crate) fn schedule(starts_at: LocalTime, seats: u32) -> NewSchedule {
    let seats = vec![SeatRun { first: 1, count: seats, price: money("1000") }];
    NewSchedule { starts_at, max_per_user: None, seats }
}

/// A concert to load, of which everybody may have as many seats as there are.
pub(crate) fn concert(title: &str, queue: &str, schedules: Vec<NewSchedule>) -> NewConcert {
    NewConcert { title: Arc::from(title), queue: queue_name(queue), max_per_user: None, schedules }
}

/// Makes a queue that admits as `main` does; its number.
pub(crate) async fn make_queue(store: &Store, name: &str) -> QueueNumber {
    let known = store.queues.changes(&[]).await.unwrap();
    let main = known.iter().find(|queue| queue.name == QueueName::main()).unwrap().number;
    let policy = store.queues.report(main).await.unwrap().unwrap().policy;
    let made = store.queues.make(&NewQueue { name: queue_name(name), policy, message: None }).await.unwrap().unwrap();
    let known = store.queues.changes(&[]).await.unwrap();
    known.into_iter().find(|queue| queue.name == made.name).unwrap().number
}

/// Loads a concert into a queue that is there.
pub(crate) async fn load(store: &Store, concert: NewConcert) -> CreatedConcert {
    let loaded = store.concerts.create(&LoadCommand { concert, key: None }).await.unwrap().unwrap();
    assert!(!loaded.replayed);
    loaded.value
}

/// Runs `task` so many times at once, each as a task of its own that waits for all others to be there.
pub(crate) async fn at_once<T, F>(times: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(times));
    let tasks = (0..times).map(|index| {
        let (barrier, task) = (Arc::clone(&barrier), task(index));
        tokio::spawn(async move {
            barrier.wait().await;
            task.await
        })
    });
    let tasks: Vec<_> = tasks.collect();
    futures::future::join_all(tasks).await.into_iter().map(|joined| joined.expect("a task that ends")).collect()
}

/// A store with one concert in `main`.
pub(crate) struct Scene {
    pub(crate) store: Store,
    /// The number of `main`.
    pub(crate) main: QueueNumber,
    /// The concert.
    pub(crate) concert: CreatedConcert,
    /// Its schedule, 50 seats at 1000 points, in 30 days.
    pub(crate) schedule: ScheduleId,
    /// The ids of its seats, that of seat 1 first.
    pub(crate) seats: Vec<SeatId>,
    /// When it starts.
    pub(crate) starts_at: LocalTime,
}

impl Scene {
    /// A scene in which everybody is admitted at once.
    pub(crate) async fn open(make: &Make) -> Arc<Self> {
        Self::with(make, open_rules()).await
    }

    /// A scene with these rules.
    pub(crate) async fn with(make: &Make, rules: Rules) -> Arc<Self> {
        let store = make.store(rules).await;
        let starts_at = LocalTime::new(store.clock.now().plus(Duration::from_secs(30 * 86_400)), 540).unwrap();
        let concert = load(&store, concert("겨울 콘서트", "main", vec![schedule(starts_at, 50)])).await;
        let (main, schedule) = (concert.queue, concert.schedules[0]);
        let map = store.concerts.seat_map(main, schedule).await.unwrap().unwrap();
        let seats = map.seats.iter().map(|(seat, _)| seat.id).collect();
        Arc::new(Self { store, main, concert, schedule, seats, starts_at })
    }

    /// A second queue with a concert of its own: its number and its schedule of 10 seats.
    pub(crate) async fn other_queue(&self) -> (QueueNumber, ScheduleId) {
        make_queue(&self.store, "other").await;
        let created = self.load(concert("Other", "other", vec![schedule(self.starts_at, 10)])).await;
        (created.queue, created.schedules[0])
    }

    pub(crate) async fn load(&self, concert: NewConcert) -> CreatedConcert {
        load(&self.store, concert).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.store.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.store.clock.advance(by);
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.store.clock.set(now);
    }

    pub(crate) async fn join(&self, name: impl ToString) -> Joined {
        self.store.queues.join(self.main, &user(name)).await.unwrap().unwrap()
    }

    /// Joins `main` and is ACTIVE at once.
    pub(crate) async fn enter(&self, name: impl ToString) -> Ticket {
        self.enter_queue(self.main, name).await
    }

    pub(crate) async fn enter_queue(&self, queue: QueueNumber, name: impl ToString) -> Ticket {
        let joined = self.store.queues.join(queue, &user(name)).await.unwrap().unwrap();
        assert_eq!(joined.token.status_at(self.now()), TokenStatus::Active);
        joined.token.ticket
    }

    /// Joins `main` and is ACTIVE at once, with so many points in the wallet.
    pub(crate) async fn enter_with(&self, name: impl ToString, points: &str) -> Ticket {
        let name = name.to_string();
        self.charge(&name, points).await.unwrap();
        self.enter(name).await
    }

    pub(crate) async fn leave(&self, ticket: Ticket) {
        self.store.queues.leave(ticket).await.unwrap().unwrap();
    }

    pub(crate) async fn standing(&self, ticket: Ticket) -> Standing {
        let view = self.view_of(ticket.queue).await;
        let found = self.store.queues.tokens(ticket.queue, &[ticket.number]).await.unwrap();
        view.standing(found.into_iter().next().unwrap())
    }

    /// `main` as a server sees it that has just started.
    pub(crate) async fn view(&self) -> View {
        self.view_of(self.main).await
    }

    pub(crate) async fn view_of(&self, queue: QueueNumber) -> View {
        View::read(&*self.store.queues, queue).await.unwrap()
    }

    /// All tokens of `main`, in the order of their numbers.
    pub(crate) async fn tokens(&self) -> Vec<Token> {
        let issued = self.report().await.line.issued;
        let numbers: Vec<_> = (1..=issued).map(|number| TicketNumber::new(number).unwrap()).collect();
        let mut tokens = self.store.queues.tokens(self.main, &numbers).await.unwrap();
        tokens.sort_by_key(|token| token.ticket.number);
        tokens
    }

    pub(crate) async fn report(&self) -> QueueReport {
        self.store.queues.report(self.main).await.unwrap().unwrap()
    }

    pub(crate) async fn status(&self, ticket: Ticket) -> TokenStatus {
        self.standing(ticket).await.token.status_at(self.now())
    }

    /// The turn of a token that was admitted.
    pub(crate) async fn turn(&self, ticket: Ticket) -> Active {
        self.standing(ticket).await.token.active.unwrap()
    }

    /// Why a token ended, by what is stored.
    pub(crate) async fn end(&self, ticket: Ticket) -> Option<EndReason> {
        self.standing(ticket).await.token.end.map(|end| end.reason)
    }

    pub(crate) async fn policy(&self, change: PolicyChange) {
        self.store.queues.change_policy(self.main, &change).await.unwrap().unwrap();
    }

    pub(crate) fn numbers(&self, numbers: &[u32]) -> SeatChoice {
        SeatChoice::numbers(self.schedule, numbers).unwrap()
    }

    pub(crate) async fn hold(&self, ticket: Ticket, numbers: &[u32]) -> Result<Reservation, Rejection> {
        self.hold_of(ticket, self.numbers(numbers)).await
    }

    pub(crate) async fn hold_of(&self, ticket: Ticket, choice: SeatChoice) -> Result<Reservation, Rejection> {
        let answer = self.store.reservations.hold(&HoldCommand { ticket, choice, key: None }).await.unwrap()?;
        assert!(!answer.replayed);
        Ok(answer.value)
    }

    /// The refusal of a hold of the scene's seats of which these are taken, and those the caller's own.
    pub(crate) fn taken(&self, numbers: &[u32], own: &[u32]) -> Rejection {
        Rejection::SeatTaken { schedule: self.schedule, numbers: numbers.to_vec(), own: own.to_vec() }
    }

    pub(crate) async fn hold_keyed(&self, ticket: Ticket, numbers: &[u32], text: &str) -> Keyed<Reservation> {
        let command = HoldCommand { ticket, choice: self.numbers(numbers), key: Some(key(text)) };
        keyed(self.store.reservations.hold(&command).await)
    }

    pub(crate) async fn cancelling(&self, ticket: Ticket, reservation: ReservationId) -> Result<Cancelled, Rejection> {
        self.store.reservations.cancel(ticket, reservation).await.unwrap()
    }

    pub(crate) async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Result<Reservation, Rejection> {
        self.cancelling(ticket, reservation).await.map(|cancelled| cancelled.reservation)
    }

    /// One tick of the clockwork, which fails nowhere; what it did by queue.
    pub(crate) async fn tick(&self) -> Vec<Admitted> {
        let Admissions { done, failed } = self.store.queues.admit().await.unwrap();
        assert_eq!(failed, []);
        done
    }

    /// Ticks until nothing is left to be done at once; what all of them admitted, passed over and wrote EXPIRED in `main`.
    pub(crate) async fn ticks(&self) -> (u64, u64, u64) {
        let (mut admitted, mut absent, mut expired) = (0, 0, 0);
        loop {
            let done = self.tick().await.into_iter().find(|tick| tick.queue == self.main);
            let Some(tick) = done else { return (admitted, absent, expired) };
            assert!(tick.admitted + tick.absent <= u64::from(MOST_TURNS) && tick.expired <= u64::from(MOST_TURNS));
            (admitted, absent, expired) = (admitted + tick.admitted, absent + tick.absent, expired + tick.expired);
            if !tick.more {
                return (admitted, absent, expired);
            }
        }
    }

    pub(crate) async fn sweep(&self) -> u64 {
        self.store.reservations.release_expired().await.unwrap()
    }

    /// The reservation as its user sees it.
    pub(crate) async fn reservation(&self, of: &Reservation) -> Reservation {
        self.store.reservations.find(of.queue, &of.user, of.id).await.unwrap().unwrap()
    }

    pub(crate) async fn reservation_status(&self, of: &Reservation) -> ReservationStatus {
        self.reservation(of).await.status
    }

    pub(crate) async fn pay(&self, ticket: Ticket, reservation: ReservationId) -> Result<Paid, Rejection> {
        self.pay_amount(ticket, reservation, None).await
    }

    pub(crate) async fn pay_amount(
        &self,
        ticket: Ticket,
        reservation: ReservationId,
        amount: Option<&str>,
    ) -> Result<Paid, Rejection> {
        let command = PayCommand { ticket, reservation, amount: amount.map(money), key: None };
        let answer = self.store.payments.pay(&command).await.unwrap()?;
        assert!(!answer.replayed);
        Ok(answer.value)
    }

    pub(crate) async fn pay_keyed(&self, ticket: Ticket, reservation: ReservationId, text: &str) -> Keyed<Paid> {
        let command = PayCommand { ticket, reservation, amount: None, key: Some(key(text)) };
        keyed(self.store.payments.pay(&command).await)
    }

    pub(crate) async fn receipts(&self, name: impl ToString) -> Vec<Receipt> {
        self.store.payments.list(self.main, &user(name), &page()).await.unwrap().items
    }

    pub(crate) async fn charge(&self, name: impl ToString, points: &str) -> Result<Charge, Rejection> {
        let command = ChargeCommand { user: user(name), amount: money(points), key: None };
        let answer = self.store.wallets.charge(&command).await.unwrap()?;
        assert!(!answer.replayed);
        Ok(answer.value)
    }

    pub(crate) async fn charge_keyed(&self, name: impl ToString, points: &str, text: &str) -> Keyed<Charge> {
        let command = ChargeCommand { user: user(name), amount: money(points), key: Some(key(text)) };
        keyed(self.store.wallets.charge(&command).await)
    }

    pub(crate) async fn balance(&self, name: impl ToString) -> Money {
        self.store.wallets.balance(&user(name)).await.unwrap().balance
    }

    /// All entries of a user, oldest first.
    pub(crate) async fn entries(&self, name: impl ToString) -> Vec<Entry> {
        let (owner, mut after, mut all) = (user(name), None, Vec::new());
        loop {
            let page = Page::new(100, after).unwrap();
            let listed = self.store.wallets.entries(&owner, &page).await.unwrap();
            all.extend(listed.items);
            match listed.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        all.reverse();
        all
    }

    pub(crate) async fn map(&self) -> SeatMap {
        self.store.concerts.seat_map(self.main, self.schedule).await.unwrap().unwrap()
    }

    /// What people are told of a seat. That list and count agree is checked on the way (trap S11).
    pub(crate) async fn seat(&self, number: usize) -> SeatStatus {
        let map = self.map().await;
        let count = self.store.concerts.seats_available(self.main, self.schedule).await.unwrap();
        assert_eq!(map.available(), usize::try_from(count).unwrap(), "list and count of free seats");
        map.seats[number - 1].1
    }
}

/// An answer to a request under a key, and whether it was replayed.
pub(crate) type Keyed<T> = Result<(T, bool), Rejection>;

fn keyed<T>(decided: Decided<Answer<T>>) -> Keyed<T> {
    decided.unwrap().map(|answer| (answer.value, answer.replayed))
}
