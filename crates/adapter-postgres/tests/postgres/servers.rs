//! The contract suite on two servers of one database, each call answered by the other one than the call before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adapter_postgres::{Migrations, Options, PostgresStore};
use async_trait::async_trait;
use domain::concert::{Concert, CreatedConcert, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::page::Listed;
use domain::payment::Receipt;
use domain::ports::{
    Admissions, Answer, Cancelled, ChargeCommand, Charged, Clock, ClockworkRepository, ConcertRepository, Decided,
    HoldCommand, IdGenerator, Joined, Left, LoadCommand, Paid, PayCommand, PaymentRepository, PresenceRepository,
    Probe, QueueChange, QueueReport, QueueRepository, ReservationRepository, StoreError, TokenKeyRepository,
    WalletRepository,
};
use domain::presence::Sighting;
use domain::reservation::Reservation;
use domain::seal::StoredKey;
use domain::stock::{Look, Looked};
use domain::wallet::{Entry, Wallet};
use domain::{
    ConcertId, NewQueue, Page, PaymentId, QueueEdit, QueueNumber, ReservationId, Rules, ScheduleId, Ticket,
    TicketNumber, Timestamp, Token, UserId,
};
use storage_contract::{SeededIds, Store, TestClock};
use uuid::Uuid;

use crate::cluster;
use crate::scene::PATIENCE;

struct Servers {
    servers: [PostgresStore; 2],
    calls: AtomicUsize,
}

impl Servers {
    fn next(&self) -> &PostgresStore {
        &self.servers[self.calls.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

async fn make(rules: Rules) -> Store {
    let url = cluster::migrated().await;
    let clock = Arc::new(TestClock::new(Timestamp::from_micros(1_795_132_800_000_000)));
    let ids: Arc<dyn IdGenerator> = Arc::new(SeededIds::new(1));
    let open = async || {
        let clock: Arc<dyn Clock> = clock.clone();
        let options = Options {
            migrations: Migrations::Refuse,
            clock: Some(clock),
            ids: ids.clone(),
            rules: rules.clone(),
            connections: 3,
            patience: PATIENCE,
        };
        PostgresStore::open(&url, options).await.unwrap()
    };
    let servers = Servers { servers: [open().await, open().await], calls: AtomicUsize::new(0) };
    Store::of(Arc::new(servers), clock)
}

#[async_trait]
impl QueueRepository for Servers {
    async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError> {
        self.next().changes(known).await
    }
    async fn make(&self, queue: &NewQueue) -> Decided<QueueReport> {
        self.next().make(queue).await
    }
    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        self.next().join(queue, user).await
    }
    async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError> {
        self.next().tokens(queue, numbers).await
    }
    async fn leave(&self, ticket: Ticket) -> Decided<Left> {
        self.next().leave(ticket).await
    }
    async fn admit(&self) -> Result<Admissions, StoreError> {
        self.next().admit().await
    }
    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        self.next().report(queue).await
    }
    async fn edit(&self, queue: QueueNumber, edit: &QueueEdit) -> Decided<QueueReport> {
        self.next().edit(queue, edit).await
    }
    async fn active(&self) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
        self.next().active().await
    }
    async fn renew_epochs(&self) -> Result<Option<u64>, StoreError> {
        self.next().renew_epochs().await
    }
}

#[async_trait]
impl PresenceRepository for Servers {
    async fn note(&self, server: Uuid, seen: &[Sighting]) -> Result<(), StoreError> {
        self.next().note(server, seen).await
    }
    async fn forget(&self, server: Uuid) -> Result<(), StoreError> {
        self.next().forget(server).await
    }
}

#[async_trait]
impl ConcertRepository for Servers {
    async fn create(&self, command: &LoadCommand) -> Decided<Answer<CreatedConcert>> {
        self.next().create(command).await
    }
    async fn list(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError> {
        ConcertRepository::list(self.next(), page).await
    }
    async fn schedules(
        &self,
        queue: QueueNumber,
        filter: &ScheduleFilter,
        page: &Page<ScheduleKey>,
    ) -> Decided<Listed<Schedule, ScheduleKey>> {
        self.next().schedules(queue, filter, page).await
    }
    async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, StoreError> {
        self.next().seats_available(queue, schedule).await
    }
    async fn look(&self, queue: QueueNumber, looks: &[Look], most: u32) -> Result<Vec<Looked>, StoreError> {
        self.next().look(queue, looks, most).await
    }
    async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap> {
        self.next().seat_map(queue, schedule).await
    }
}

#[async_trait]
impl ReservationRepository for Servers {
    async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>> {
        self.next().hold(command).await
    }
    async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Cancelled> {
        self.next().cancel(ticket, reservation).await
    }
    async fn find(
        &self,
        queue: QueueNumber,
        user: &UserId,
        reservation: ReservationId,
    ) -> Result<Option<Reservation>, StoreError> {
        ReservationRepository::find(self.next(), queue, user, reservation).await
    }
    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, StoreError> {
        ReservationRepository::list(self.next(), queue, user, page).await
    }
    async fn release_expired(&self) -> Result<u64, StoreError> {
        self.next().release_expired().await
    }
}

#[async_trait]
impl WalletRepository for Servers {
    async fn balance(&self, user: &UserId) -> Result<Wallet, StoreError> {
        self.next().balance(user).await
    }
    async fn charge(&self, command: &ChargeCommand) -> Decided<Answer<Charged>> {
        self.next().charge(command).await
    }
    async fn replay(&self, command: &ChargeCommand) -> Decided<Option<Charged>> {
        self.next().replay(command).await
    }
    async fn entries(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, StoreError> {
        self.next().entries(user, page).await
    }
}

#[async_trait]
impl PaymentRepository for Servers {
    async fn pay(&self, command: &PayCommand) -> Decided<Answer<Paid>> {
        self.next().pay(command).await
    }
    async fn find(&self, queue: QueueNumber, user: &UserId, payment: PaymentId) -> Result<Option<Receipt>, StoreError> {
        PaymentRepository::find(self.next(), queue, user, payment).await
    }
    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<PaymentId>,
    ) -> Result<Listed<Receipt, PaymentId>, StoreError> {
        PaymentRepository::list(self.next(), queue, user, page).await
    }
}

#[async_trait]
impl TokenKeyRepository for Servers {
    async fn stored_key(&self) -> Result<Option<StoredKey>, StoreError> {
        self.next().stored_key().await
    }
    async fn keep_key(&self, before: Option<&StoredKey>, key: &StoredKey) -> Result<bool, StoreError> {
        self.next().keep_key(before, key).await
    }
}

#[async_trait]
impl Probe for Servers {
    async fn store_time(&self) -> Result<Timestamp, StoreError> {
        self.next().store_time().await
    }
}

#[async_trait]
impl ClockworkRepository for Servers {
    async fn ticked(&self) -> Result<(), StoreError> {
        self.next().ticked().await
    }
    async fn last_tick(&self) -> Result<Option<Timestamp>, StoreError> {
        self.next().last_tick().await
    }
}

storage_contract::contract_suite!(make);
