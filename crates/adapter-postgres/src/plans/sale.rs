//! A sale that sends every statement there is, through one connection, which tells afterwards what it was sent.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::RunQueryDsl;
use domain::concert::{Draft, NewConcert, ScheduleDraft, ScheduleFilter, SeatGroup};
use domain::ports::{
    ChargeCommand, ClockworkRepository, ConcertRepository, HoldCommand, LoadCommand, PayCommand, PaymentRepository,
    PresenceRepository, Probe, QueueRepository, ReservationRepository, TokenKeyRepository, WalletRepository,
};
use domain::presence::{Sighting, Watch};
use domain::seal::{ServerKey, StoredKey};
use domain::seat::SeatChoice;
use domain::stock::Look;
use domain::{
    ConcertId, Edit, IdempotencyKey, LocalTime, Message, Money, NewQueue, Page, Policy, PolicyChange, QueueEdit,
    QueueName, QueueNumber, ReservationId, Rules, ScheduleId, Ticket, Timestamp, UserId,
};
use storage_contract::{SeededIds, TestClock};
use test_postgres::empty;
use uuid::Uuid;

use super::Prepared;
use super::crowd::PATIENCE;
use crate::{Migrations, Options, PostgresStore};

const MAIN: QueueNumber = QueueNumber(1);
const SERVER: Uuid = Uuid::max();
const SENT: &str = "SELECT statement, array_to_string(parameter_types::text[], ',') AS types
    FROM pg_prepared_statements WHERE NOT from_sql AND statement NOT LIKE '%pg_prepared_statements%'";

struct Sale {
    store: PostgresStore,
    clock: Arc<TestClock>,
    schedule: ScheduleId,
    concert: ConcertId,
}

/// The statements that a sale has sent.
pub(super) async fn play() -> Vec<Prepared> {
    let sale = Sale::open().await;
    let (first, other) = (sale.join("first").await, sale.join("other").await);
    sale.charge("first").await;
    sale.charge("first").await;
    let paid_for = sale.hold(first, "a", 1).await;
    sale.hold(first, "a", 1).await;
    sale.pay(first, paid_for, "a").await;
    sale.pay(first, paid_for, "a").await;
    sale.hold(other, "b", 2).await;
    let unknown = SeatChoice::numbers(ScheduleId::new(Uuid::max()), &[1]).unwrap();
    let nowhere = HoldCommand { ticket: other, choice: unknown, key: None };
    sale.store.hold(&nowhere).await.unwrap().unwrap_err();
    sale.day_after(other).await;
    sale.queue().await;
    sale.line().await;
    sale.reads(paid_for).await;
    sale.keys().await;
    sale.restored().await;
    let connection = sale.store.0.connections.get().await.unwrap();
    diesel::sql_query(SENT).load(&mut &*connection).await.unwrap()
}

impl Sale {
    async fn open() -> Self {
        let clock = Arc::new(TestClock::new(Timestamp::from_micros(1_795_132_800_000_000)));
        let options = Options {
            migrations: Migrations::Apply,
            clock: Some(clock.clone()),
            ids: Arc::new(SeededIds::new(1)),
            rules: Rules::default(),
            connections: 1,
            patience: PATIENCE,
        };
        let store = PostgresStore::open(&empty().await, options).await.unwrap();
        let starts_at = LocalTime::parse("2027-12-24T19:30:00+09:00").unwrap();
        let seats = vec![SeatGroup::Count(10, money())];
        let schedules = vec![ScheduleDraft::of(starts_at, seats)];
        let draft = Draft { max_per_user: Some(9), ..Draft::of("Winter", QueueName::main(), schedules) };
        let command = LoadCommand { concert: NewConcert::plan(&draft).unwrap(), key: key("l") };
        let created = store.create(&command).await.unwrap().unwrap().value;
        assert!(store.create(&command).await.unwrap().unwrap().replayed);
        Self { store, clock, schedule: created.schedules[0], concert: created.id }
    }

    async fn join(&self, name: &str) -> Ticket {
        self.store.join(MAIN, &user(name)).await.unwrap().unwrap().token.ticket
    }

    async fn hold(&self, ticket: Ticket, name: &str, seat: u32) -> ReservationId {
        let choice = SeatChoice::numbers(self.schedule, &[seat]).unwrap();
        self.store.hold(&HoldCommand { ticket, choice, key: key(name) }).await.unwrap().unwrap().value.id
    }

    async fn pay(&self, ticket: Ticket, reservation: ReservationId, name: &str) {
        let command = PayCommand { ticket, reservation, amount: None, key: key(name) };
        self.store.pay(&command).await.unwrap().unwrap();
    }

    async fn charge(&self, name: &str) {
        let command = ChargeCommand { user: user(name), amount: money(), key: key("c") };
        self.store.replay(&command).await.unwrap().unwrap();
        self.store.charge(&command).await.unwrap().unwrap();
    }

    /// Keys are forgotten, holds are dead, and the same is done again.
    async fn day_after(&self, held: Ticket) {
        self.clock.advance(Duration::from_secs(100_000));
        self.store.leave(held).await.unwrap().unwrap();
        let again = self.join("first").await;
        self.charge("first").await;
        let taken_over = self.hold(again, "a", 2).await;
        self.pay(again, taken_over, "a").await;
        let third = self.join("third").await;
        self.hold(third, "c", 3).await;
        self.clock.advance(Duration::from_secs(400));
        self.store.release_expired().await.unwrap();
    }

    async fn queue(&self) {
        let message = Message::new("곧", "Soon").ok();
        let name = QueueName::parse("tonight").unwrap();
        let tonight = NewQueue { name, policy: Policy::default(), message };
        self.store.make(&tonight).await.unwrap().unwrap();
        let silent = QueueEdit { message: Edit::Clear, ..QueueEdit::default() };
        self.store.edit(MAIN, &silent).await.unwrap().unwrap();
    }

    async fn line(&self) {
        let none = PolicyChange { max_active: Some(0), ..PolicyChange::default() };
        self.store.change_policy(MAIN, &none).await.unwrap().unwrap();
        let (waits, leaves) = (self.join("waits").await, self.join("leaves").await);
        self.join("waits").await;
        self.store.leave(leaves).await.unwrap().unwrap();
        self.store.changes(&[(MAIN, 1)]).await.unwrap();
        self.store.tokens(MAIN, &[waits.number]).await.unwrap();
        self.store.report(MAIN).await.unwrap().unwrap();
        self.store.active().await.unwrap();
        // Nobody saw who waits, for long enough.
        for _ in 0..31 {
            self.note().await;
            self.clock.advance(Watch::GAP);
        }
        self.note().await;
        let some = PolicyChange { max_active: Some(5), ..PolicyChange::default() };
        self.store.change_policy(MAIN, &some).await.unwrap().unwrap();
        self.store.admit().await.unwrap();
    }

    async fn note(&self) {
        let seen = Sighting { queue: MAIN, chunk: 1, seen: vec![0; Sighting::BYTES] };
        self.store.note(SERVER, &[seen]).await.unwrap();
    }

    /// All that is sold is kept, all who wait are to come again.
    async fn restored(&self) {
        self.store.forget(SERVER).await.unwrap();
        self.store.renew_epochs().await.unwrap().unwrap();
    }

    async fn reads(&self, reservation: ReservationId) {
        let (store, first) = (&self.store, user("first"));
        ReservationRepository::find(store, MAIN, &first, reservation).await.unwrap();
        ReservationRepository::list(store, MAIN, &first, &Page::new(10, None).unwrap()).await.unwrap();
        let paid = PaymentRepository::list(store, MAIN, &first, &Page::new(10, None).unwrap()).await.unwrap();
        PaymentRepository::find(store, MAIN, &first, paid.items[0].payment.id).await.unwrap();
        store.balance(&first).await.unwrap();
        store.entries(&first, &Page::new(10, None).unwrap()).await.unwrap();
        ConcertRepository::list(store, &Page::new(10, None).unwrap()).await.unwrap();
        for concert in [None, Some(self.concert)] {
            let filter = ScheduleFilter { concert, ..ScheduleFilter::default() };
            store.schedules(MAIN, &filter, &Page::new(10, None).unwrap()).await.unwrap().unwrap();
        }
        store.seats_available(MAIN, self.schedule).await.unwrap();
        let look = Look { schedule: self.schedule, again: vec![1], after: None };
        store.look(MAIN, &[look], 10).await.unwrap();
        store.seat_map(MAIN, self.schedule).await.unwrap().unwrap();
    }

    async fn keys(&self) {
        let store = &self.store;
        let stored = |byte| StoredKey { fingerprint: ServerKey::from_bytes([byte; 32]).fingerprint(), generated: None };
        assert_eq!(store.stored_key().await.unwrap(), None);
        assert!(store.keep_key(None, &stored(1)).await.unwrap());
        assert!(store.keep_key(Some(&stored(1)), &stored(2)).await.unwrap());
        store.store_time().await.unwrap();
        store.ticked().await.unwrap();
        store.last_tick().await.unwrap();
        store.0.connections.fate("3").await;
    }
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn money() -> Money {
    Money::parse("10").unwrap()
}

fn key(name: &str) -> Option<IdempotencyKey> {
    IdempotencyKey::parse(name)
}
