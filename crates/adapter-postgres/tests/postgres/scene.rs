//! A store on a database of its own, and short words for what the tests do with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter_postgres::{Migrations, Options, PostgresStore};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use domain::concert::{Draft, NewConcert, ScheduleDraft, SeatGroup};
use domain::ports::{
    ChargeCommand, ConcertRepository, HoldCommand, LoadCommand, QueueRepository, ReservationRepository, StoreError,
};
use domain::reservation::Reservation;
use domain::seat::SeatChoice;
use domain::{
    IdempotencyKey, LocalTime, Money, Policy, QueueName, QueueNumber, Rejection, Rules, ScheduleId, Ticket, UserId,
};
use storage_contract::{SeededIds, TestClock};

use crate::cluster;

pub(crate) const MAIN: QueueNumber = QueueNumber(1);

pub(crate) struct Scene {
    pub(crate) store: PostgresStore,
    pub(crate) url: String,
    /// The store's clock, unless it goes by the database's.
    pub(crate) clock: Option<Arc<TestClock>>,
}

/// How long a store waits, where that is not what is tested: so long that nobody is refused on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// A line that admits everybody at once.
pub(crate) fn open_rules() -> Rules {
    let new_queue = Policy { max_active: 100_000, batch: 100_000, ..Policy::default() };
    Rules { new_queue, ..Rules::default() }
}

pub(crate) fn options(clock: Option<Arc<TestClock>>, connections: usize) -> Options {
    Options {
        migrations: Migrations::Refuse,
        clock: clock.map(|clock| -> Arc<dyn domain::ports::Clock> { clock }),
        ids: Arc::new(SeededIds::new(1)),
        rules: open_rules(),
        connections,
        patience: PATIENCE,
    }
}

impl Scene {
    /// On the database's own clock.
    pub(crate) async fn new(connections: usize) -> Self {
        Self::on(cluster::migrated().await, None, connections).await
    }

    /// On the clock of a database whose server is the tests' own, to do with as they like.
    pub(crate) async fn throw_away(connections: usize) -> Self {
        Self::on(cluster::migrated_throw_away().await, None, connections).await
    }

    /// On a test's clock.
    pub(crate) async fn clocked(connections: usize) -> Self {
        let clock = Arc::new(TestClock::new(domain::Timestamp::from_micros(1_795_132_800_000_000)));
        Self::on(cluster::migrated().await, Some(clock), connections).await
    }

    pub(crate) async fn on(url: String, clock: Option<Arc<TestClock>>, connections: usize) -> Self {
        let store = PostgresStore::open(&url, options(clock.clone(), connections)).await.unwrap();
        Self { store, url, clock }
    }

    /// Another store on the same database, of this patience.
    pub(crate) async fn impatient(&self, patience: Duration) -> PostgresStore {
        let options = Options { patience, ..options(self.clock.clone(), 4) };
        PostgresStore::open(&self.url, options).await.unwrap()
    }

    /// A connection beside the store's, as another program would have, that has executed `sql`.
    pub(crate) async fn beside(&self, sql: &str) -> AsyncPgConnection {
        let mut connection = cluster::connect(&self.url).await;
        connection.batch_execute(sql).await.unwrap();
        connection
    }

    pub(crate) async fn ticket(&self, name: &str) -> Ticket {
        self.store.join(MAIN, &user(name)).await.unwrap().unwrap().token.ticket
    }

    pub(crate) async fn schedule(&self, seats: u32) -> ScheduleId {
        self.store.create(&concert("main", seats)).await.unwrap().unwrap().value.schedules[0]
    }

    pub(crate) async fn hold(
        &self,
        ticket: Ticket,
        schedule: ScheduleId,
        seats: &[u32],
    ) -> Result<Result<Reservation, Rejection>, StoreError> {
        let choice = SeatChoice::numbers(schedule, seats).unwrap();
        let command =
            HoldCommand { ticket, choice, key: IdempotencyKey::parse(&format!("{seats:?}").replace(' ', "")) };
        Ok(self.store.hold(&command).await?.map(|answer| answer.value))
    }
}

/// A concert with so many seats, to be loaded into this queue.
pub(crate) fn concert(queue: &str, seats: u32) -> LoadCommand {
    let starts_at = LocalTime::parse("2027-12-24T19:30:00+09:00").unwrap();
    let seats = vec![SeatGroup::Count(seats, Money::parse("10").unwrap())];
    let draft = Draft::of("Winter", QueueName::parse(queue).unwrap(), vec![ScheduleDraft::of(starts_at, seats)]);
    LoadCommand { concert: NewConcert::plan(&draft).unwrap(), key: None }
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

pub(crate) fn charge(name: &str, amount: &str) -> ChargeCommand {
    ChargeCommand { user: user(name), amount: Money::parse(amount).unwrap(), key: None }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The number `n` that `sql` selects.
pub(crate) async fn number(connection: &mut AsyncPgConnection, sql: &str) -> i64 {
    diesel::sql_query(sql).get_result::<Number>(connection).await.unwrap().n
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The texts `line` that `sql` selects.
pub(crate) async fn lines(connection: &mut AsyncPgConnection, sql: &str) -> Vec<String> {
    let rows = diesel::sql_query(sql).load::<Line>(connection).await.unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// Looks until the number that `sql` selects is `wanted`; nothing tells a test when a session of the server has come to a
/// certain point.
pub(crate) async fn until(connection: &mut AsyncPgConnection, sql: &str, wanted: i64) {
    let begun = Instant::now();
    while number(connection, sql).await != wanted {
        assert!(begun.elapsed() < PATIENCE, "never {wanted}: {sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
