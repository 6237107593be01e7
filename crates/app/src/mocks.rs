//! Mocks of the ports, and a small world to call the use cases in. What a test does not expect must not be called.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::concert::{Concert, CreatedConcert, NewConcert, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::line::{Line, Standing};
use domain::page::Listed;
use domain::payment::Receipt;
use domain::ports::{
    Admitted, Answer, ChargeCommand, Charged, Clock, ConcertRepository, Decided, HoldCommand, IdGenerator, Joined,
    Paid, PayCommand, PaymentRepository, Probe, QueueEntry, QueueReport, QueueRepository, ReservationRepository,
    StoreError, TokenKeyRepository, WalletRepository,
};
use domain::reservation::{Reservation, ReservationStatus};
use domain::seal::{SealedToken, ServerKey, ServerKeys, StoredKey};
use domain::token::EndReason;
use domain::wallet::{Entry, Wallet};
use domain::{
    ConcertId, LocalTime, Money, Page, PaymentId, PolicyChange, QueueEpoch, QueueName, QueueNumber, ReservationId,
    Rules, ScheduleId, Ticket, TicketNumber, Timestamp, Token, UserId,
};
use futures::executor::block_on;
use mockall::mock;
use uuid::Uuid;

use crate::{App, Ports, WalletGate};

mock! {
    pub(crate) Queues {}
    #[async_trait]
    impl QueueRepository for Queues {
        async fn directory(&self) -> Result<Vec<QueueEntry>, StoreError>;
        async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined>;
        async fn find(&self, ticket: Ticket) -> Result<Option<Standing>, StoreError>;
        async fn leave(&self, ticket: Ticket) -> Decided<()>;
        async fn admit(&self) -> Result<Vec<Admitted>, StoreError>;
        async fn report(&self, queue: QueueNumber) -> Decided<QueueReport>;
        async fn change_policy(&self, queue: QueueNumber, change: &PolicyChange) -> Decided<QueueReport>;
    }
}

mock! {
    pub(crate) Concerts {}
    #[async_trait]
    impl ConcertRepository for Concerts {
        async fn create(&self, concert: &NewConcert) -> Decided<CreatedConcert>;
        async fn list(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError>;
        async fn schedules(
            &self,
            queue: QueueNumber,
            filter: &ScheduleFilter,
            page: &Page<ScheduleKey>,
        ) -> Decided<Listed<Schedule, ScheduleKey>>;
        async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, StoreError>;
        async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap>;
    }
}

mock! {
    pub(crate) Reservations {}
    #[async_trait]
    impl ReservationRepository for Reservations {
        async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>>;
        async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Reservation>;
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
    pub(crate) Ids {}
    impl IdGenerator for Ids {
        fn next_id(&self) -> Uuid;
        fn random(&self) -> [u8; 16];
    }
}

/// A clock that a test moves; a mock could only foretell how often it is read.
#[derive(Default)]
pub(crate) struct Hands(AtomicI64);

impl Hands {
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// The second at which a world stands still, unless its clock is moved.
pub(crate) const NOW: i64 = 100;

/// The ports before they are given away. Two queues are known: `main` is 1, `other` is 2.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) queues: MockQueues,
    pub(crate) concerts: MockConcerts,
    pub(crate) reservations: MockReservations,
    pub(crate) wallets: MockWallets,
    pub(crate) payments: MockPayments,
    pub(crate) probe: MockStoreClock,
    pub(crate) clock: Arc<Hands>,
}

impl World {
    /// A world in which everybody's token stands like `standing`, and may be looked up.
    pub(crate) fn of(standing: Standing) -> Self {
        let mut world = Self::default();
        world.queues.expect_find().withf(|asked| *asked == ticket()).returning(move |_| Ok(Some(standing.clone())));
        world
    }

    /// The use cases over these ports, with the directory read once.
    pub(crate) fn app(mut self) -> App {
        self.queues.expect_directory().times(1).returning(|| Ok(vec![entry(1, "main"), entry(2, "other")]));
        let app = self.app_without_directory();
        block_on(app.refresh_directory()).unwrap();
        app
    }

    /// The use cases over these ports, before any directory was read.
    pub(crate) fn app_without_directory(self) -> App {
        self.gated(WalletGate::Active)
    }

    /// As [`World::app`], with the wallet open to a token in any state.
    pub(crate) fn app_with_open_wallet(mut self) -> App {
        self.queues.expect_directory().times(1).returning(|| Ok(vec![entry(1, "main")]));
        let app = self.gated(WalletGate::Any);
        block_on(app.refresh_directory()).unwrap();
        app
    }

    fn gated(self, gate: WalletGate) -> App {
        self.clock.set(at(NOW));
        let mut ids = MockIds::new();
        ids.expect_random().return_const([127; 16]);
        let ports = Ports {
            queues: Arc::new(self.queues),
            concerts: Arc::new(self.concerts),
            reservations: Arc::new(self.reservations),
            wallets: Arc::new(self.wallets),
            payments: Arc::new(self.payments),
            probe: Arc::new(self.probe),
            clock: self.clock,
            ids: Arc::new(ids),
        };
        App::new(ports, Rules::default(), gate, keys())
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

pub(crate) fn entry(number: u16, name: &str) -> QueueEntry {
    QueueEntry { number: QueueNumber(number), name: name_of(name), epoch: EPOCH }
}

pub(crate) fn name_of(queue: &str) -> QueueName {
    QueueName::parse(queue).unwrap()
}

pub(crate) fn user() -> UserId {
    UserId::parse("visitor").unwrap()
}

/// The place of the one visitor of these tests: number 7 of `main`.
pub(crate) fn ticket() -> Ticket {
    Ticket { queue: QueueNumber(1), number: TicketNumber::new(7).unwrap() }
}

const EPOCH: QueueEpoch = QueueEpoch([9; 16]);

pub(crate) fn keys() -> ServerKeys {
    ServerKeys::new(vec![ServerKey::from_bytes([5; 32])]).unwrap()
}

/// The sealed token of [`ticket`].
pub(crate) fn sealed() -> SealedToken {
    keys().for_queue(QueueNumber(1), EPOCH).seal(ticket().number)
}

/// Tokens that nobody was given: of a flipped bit, of another key, of another epoch, of a queue that is not there.
pub(crate) fn forged() -> [SealedToken; 4] {
    let flipped = Uuid::parse_str(&sealed().to_text()).unwrap().as_u128() ^ 1;
    let other_key = ServerKeys::new(vec![ServerKey::from_bytes([6; 32])]).unwrap();
    [
        SealedToken::parse(&Uuid::from_u128(flipped).to_string()).unwrap(),
        other_key.for_queue(QueueNumber(1), EPOCH).seal(ticket().number),
        keys().for_queue(QueueNumber(1), QueueEpoch([8; 16])).seal(ticket().number),
        keys().for_queue(QueueNumber(3), EPOCH).seal(ticket().number),
    ]
}

fn standing(token: Token, position: u64) -> Standing {
    let line = Line { issued: 10, admitted: 4, frontier: 4, ended_beyond: 0, version: 31 };
    Standing { token, position, line, paused: false }
}

/// Third in line.
pub(crate) fn waiting() -> Standing {
    standing(Token::issue(ticket(), user(), at(1)), 3)
}

/// ACTIVE until the second `deadline`, as stored.
pub(crate) fn active_until(deadline: i64) -> Standing {
    let mut token = waiting().token;
    token.admit(Duration::from_secs(deadline.unsigned_abs() - 2), at(2));
    standing(token, 0)
}

/// ACTIVE now, for a second yet.
pub(crate) fn active() -> Standing {
    active_until(NOW + 1)
}

/// EXPIRED, as stored.
pub(crate) fn ended() -> Standing {
    let mut token = active().token;
    token.end(EndReason::Left, at(3));
    standing(token, 0)
}

/// What the visitor holds.
pub(crate) fn reservation() -> Reservation {
    Reservation {
        id: ReservationId::new(Uuid::from_u128(1)),
        queue: QueueNumber(1),
        user: user(),
        concert: ConcertId::new(Uuid::from_u128(2)),
        schedule: ScheduleId::new(Uuid::from_u128(3)),
        title: "Winter".into(),
        starts_at: LocalTime::new(at(1_000), 0).unwrap(),
        seats: vec![],
        amount: Money::parse("30").unwrap(),
        status: ReservationStatus::Pending,
        reserved_at: at(NOW),
        expires_at: at(NOW + 300),
    }
}

/// A store that failed.
pub(crate) fn down() -> StoreError {
    StoreError::Unavailable("down".into())
}
