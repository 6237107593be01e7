//! Mocks of the ports, and a small world to call the use cases in. What a test does not expect must not be called.

use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::concert::{Concert, CreatedConcert, NewConcert, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::line::Line;
use domain::page::Listed;
use domain::payment::Receipt;
use domain::ports::{
    Admitted, Answer, ChargeCommand, Charged, Clock, ConcertRepository, Decided, HoldCommand, IdGenerator, Joined,
    Paid, PayCommand, PaymentRepository, PresenceRepository, Probe, QueueChange, QueueReport, QueueRepository,
    ReservationRepository, StoreError, TokenKeyRepository, WalletRepository,
};
use domain::presence::Sighting;
use domain::reservation::{Reservation, ReservationStatus};
use domain::seal::{SealedToken, ServerKey, ServerKeys, StoredKey};
use domain::token::EndReason;
use domain::wallet::{Entry, Wallet};
use domain::{
    ConcertId, LocalTime, Money, Page, PaymentId, Policy, PolicyChange, QueueEpoch, QueueName, QueueNumber,
    ReservationId, Rules, ScheduleId, Ticket, TicketNumber, Timestamp, Token, UserId,
};
use futures::executor::block_on;
use futures::future::{Either, select};
use mockall::mock;
use uuid::Uuid;

use crate::{App, Holder, Ports, WalletGate};

mock! {
    pub(crate) Queues {}
    #[async_trait]
    impl QueueRepository for Queues {
        async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError>;
        async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined>;
        async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError>;
        async fn leave(&self, ticket: Ticket) -> Decided<()>;
        async fn admit(&self) -> Result<Vec<Admitted>, StoreError>;
        async fn report(&self, queue: QueueNumber) -> Decided<QueueReport>;
        async fn change_policy(&self, queue: QueueNumber, change: &PolicyChange) -> Decided<QueueReport>;
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
pub(crate) struct World {
    pub(crate) queues: MockQueues,
    pub(crate) concerts: MockConcerts,
    pub(crate) reservations: MockReservations,
    pub(crate) wallets: MockWallets,
    pub(crate) payments: MockPayments,
    pub(crate) presence: MockPresence,
    pub(crate) probe: MockStoreClock,
    pub(crate) clock: Arc<Hands>,
    /// What the store shows of its queues.
    pub(crate) lines: Arc<Mutex<Vec<QueueChange>>>,
    pub(crate) gate: WalletGate,
}

impl Default for World {
    fn default() -> Self {
        Self {
            queues: MockQueues::default(),
            concerts: MockConcerts::default(),
            reservations: MockReservations::default(),
            wallets: MockWallets::default(),
            payments: MockPayments::default(),
            presence: MockPresence::default(),
            probe: MockStoreClock::default(),
            clock: Arc::default(),
            lines: Arc::new(Mutex::new(vec![change(1, "main"), change(2, "other")])),
            gate: WalletGate::Active,
        }
    }
}

impl World {
    /// A world in which the visitor's token is this one, and may be looked up.
    pub(crate) fn of(token: Token) -> Self {
        let mut world = Self::default();
        if token.out_version.is_some() {
            world.lines.lock().unwrap()[0].line.frontier = ticket().number.get();
        }
        let asked =
            |queue: &QueueNumber, numbers: &[TicketNumber]| *queue == ticket().queue && numbers == [ticket().number];
        world.queues.expect_tokens().withf(asked).returning(move |_, _| Ok(vec![token.clone()]));
        world
    }

    /// The use cases over these ports, with the lines read once.
    pub(crate) fn app(mut self) -> App {
        let lines = Arc::clone(&self.lines);
        self.queues.expect_changes().returning(move |known| {
            let lines = lines.lock().unwrap().clone();
            let version = |number| known.iter().find(|(queue, _)| *queue == number).map(|(_, version)| *version);
            Ok(lines
                .into_iter()
                .filter(|line| version(line.number).is_none_or(|known| known < line.line.version))
                .collect())
        });
        let app = self.app_without_lines();
        block_on(app.refresh()).unwrap();
        app
    }

    /// The use cases over these ports, before any line was read.
    pub(crate) fn app_without_lines(self) -> App {
        self.clock.set(at(NOW));
        let mut ids = MockIds::new();
        ids.expect_random().return_const([127; 16]);
        ids.expect_next_id().return_const(SERVER);
        let ports = Ports {
            queues: Arc::new(self.queues),
            concerts: Arc::new(self.concerts),
            reservations: Arc::new(self.reservations),
            wallets: Arc::new(self.wallets),
            payments: Arc::new(self.payments),
            presence: Arc::new(self.presence),
            probe: Arc::new(self.probe),
            clock: self.clock,
            ids: Arc::new(ids),
        };
        App::new(ports, Rules::default(), self.gate, keys())
    }
}

/// Runs a use case while somebody follows the store, as a server does.
pub(crate) fn run<T>(app: &App, case: impl Future<Output = T>) -> T {
    let follow = async {
        loop {
            app.refresh_wanted().await;
            drop(app.refresh().await);
        }
    };
    match block_on(select(pin!(case), pin!(follow))) {
        Either::Left((answer, _)) => answer,
        Either::Right((never, _)) => never,
    }
}

/// What the server of a world calls itself.
pub(crate) const SERVER: Uuid = Uuid::from_u128(77);

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// A queue as the store shows it: ten came, four are in, six wait.
pub(crate) fn change(number: u16, name: &str) -> QueueChange {
    QueueChange {
        number: QueueNumber(number),
        name: name_of(name),
        epoch: EPOCH,
        policy: Policy::default(),
        line: Line { issued: 10, admitted: 4, frontier: 4, ended_beyond: 0, version: 31 },
        left: vec![],
    }
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

/// The holder of [`sealed`].
pub(crate) fn holder() -> Holder {
    Holder { token: sealed(), ticket: ticket() }
}

/// Third in line.
pub(crate) fn waiting() -> Token {
    Token::issue(ticket(), user(), at(1))
}

/// ACTIVE until the second `deadline`, as stored.
pub(crate) fn active_until(deadline: i64) -> Token {
    let mut token = waiting();
    token.admit(Duration::from_secs(deadline.unsigned_abs() - 2), at(2), 30);
    token
}

/// ACTIVE now, for a second yet.
pub(crate) fn active() -> Token {
    active_until(NOW + 1)
}

/// EXPIRED, as stored.
pub(crate) fn ended() -> Token {
    let mut token = active();
    token.end(EndReason::Left, at(3));
    token
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
