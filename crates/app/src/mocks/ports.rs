//! Mocks of the ports, one for each.

use async_trait::async_trait;
use domain::concert::{Concert, CreatedConcert, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::page::Listed;
use domain::payment::Receipt;
use domain::ports::{
    Admissions, Answer, Cancelled, ChargeCommand, Charged, ClockworkRepository, ConcertRepository, Decided,
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
    ConcertId, NewQueue, Page, PaymentId, QueueEdit, QueueNumber, ReservationId, ScheduleId, Ticket, TicketNumber,
    Timestamp, Token, UserId,
};
use mockall::mock;
use uuid::Uuid;

mock! {
    pub(crate) Queues {}
    #[async_trait]
    impl QueueRepository for Queues {
        async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError>;
        async fn make(&self, queue: &NewQueue) -> Decided<QueueReport>;
        async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined>;
        async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError>;
        async fn leave(&self, ticket: Ticket) -> Decided<Left>;
        async fn admit(&self) -> Result<Admissions, StoreError>;
        async fn report(&self, queue: QueueNumber) -> Decided<QueueReport>;
        async fn edit(&self, queue: QueueNumber, edit: &QueueEdit) -> Decided<QueueReport>;
        async fn active(&self) -> Result<Vec<(QueueNumber, u64)>, StoreError>;
        async fn renew_epochs(&self) -> Result<Option<u64>, StoreError>;
    }
}

mock! {
    pub(crate) Presence {}
    #[async_trait]
    impl PresenceRepository for Presence {
        async fn note(&self, server: Uuid, seen: &[Sighting]) -> Result<(), StoreError>;
        async fn forget(&self, server: Uuid) -> Result<(), StoreError>;
    }
}

mock! {
    pub(crate) Concerts {}
    #[async_trait]
    impl ConcertRepository for Concerts {
        async fn create(&self, command: &LoadCommand) -> Decided<Answer<CreatedConcert>>;
        async fn list(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError>;
        async fn schedules(
            &self,
            queue: QueueNumber,
            filter: &ScheduleFilter,
            page: &Page<ScheduleKey>,
        ) -> Decided<Listed<Schedule, ScheduleKey>>;
        async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, StoreError>;
        async fn look(&self, queue: QueueNumber, looks: &[Look], most: u32) -> Result<Vec<Looked>, StoreError>;
        async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap>;
    }
}

mock! {
    pub(crate) Reservations {}
    #[async_trait]
    impl ReservationRepository for Reservations {
        async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>>;
        async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Cancelled>;
        async fn find(
            &self,
            queue: QueueNumber,
            user: &UserId,
            reservation: ReservationId,
        ) -> Result<Option<Reservation>, StoreError>;
        async fn list(
            &self,
            queue: QueueNumber,
            user: &UserId,
            page: &Page<ReservationId>,
        ) -> Result<Listed<Reservation, ReservationId>, StoreError>;
        async fn release_expired(&self) -> Result<u64, StoreError>;
    }
}

mock! {
    pub(crate) Wallets {}
    #[async_trait]
    impl WalletRepository for Wallets {
        async fn balance(&self, user: &UserId) -> Result<Wallet, StoreError>;
        async fn charge(&self, command: &ChargeCommand) -> Decided<Answer<Charged>>;
        async fn replay(&self, command: &ChargeCommand) -> Decided<Option<Charged>>;
        async fn entries(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, StoreError>;
    }
}

mock! {
    pub(crate) Payments {}
    #[async_trait]
    impl PaymentRepository for Payments {
        async fn pay(&self, command: &PayCommand) -> Decided<Answer<Paid>>;
        async fn find(
            &self,
            queue: QueueNumber,
            user: &UserId,
            payment: PaymentId,
        ) -> Result<Option<Receipt>, StoreError>;
        async fn list(
            &self,
            queue: QueueNumber,
            user: &UserId,
            page: &Page<PaymentId>,
        ) -> Result<Listed<Receipt, PaymentId>, StoreError>;
    }
}

mock! {
    pub(crate) Keys {
        pub(crate) fn stored(&self) -> Result<Option<StoredKey>, StoreError>;
        pub(crate) fn keep(&self, before: Option<StoredKey>, key: StoredKey) -> Result<bool, StoreError>;
    }
}

/// By hand, as an `Option` of a reference is more than the macro understands in an async method.
#[async_trait]
impl TokenKeyRepository for MockKeys {
    async fn stored_key(&self) -> Result<Option<StoredKey>, StoreError> {
        self.stored()
    }

    async fn keep_key(&self, before: Option<&StoredKey>, key: &StoredKey) -> Result<bool, StoreError> {
        self.keep(before.cloned(), key.clone())
    }
}

mock! {
    pub(crate) StoreClock {}
    #[async_trait]
    impl Probe for StoreClock {
        async fn store_time(&self) -> Result<Timestamp, StoreError>;
    }
}

mock! {
    pub(crate) Clockwork {}
    #[async_trait]
    impl ClockworkRepository for Clockwork {
        async fn ticked(&self) -> Result<(), StoreError>;
        async fn last_tick(&self) -> Result<Option<Timestamp>, StoreError>;
    }
}

mock! {
    pub(crate) Ids {}
    impl IdGenerator for Ids {
        fn next_id(&self) -> Uuid;
        fn random(&self) -> [u8; 16];
    }
}
