//! Stores that do wrong on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::concert::{Concert, CreatedConcert, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::page::Listed;
use domain::ports::{
    Admissions, Answer, Cancelled, ChargeCommand, Charged, Clock, ConcertRepository, Decided, HoldCommand, Joined,
    Left, LoadCommand, QueueChange, QueueReport, QueueRepository, ReservationRepository, StoreError, WalletRepository,
};
use domain::reservation::Reservation;
use domain::stock::{Look, Looked};
use domain::token::Active;
use domain::wallet::{Entry, Wallet};
use domain::{
    ConcertId, NewQueue, Page, QueueEdit, QueueNumber, Rejection, ReservationId, Rules, ScheduleId, Ticket,
    TicketNumber, Token, TokenStatus, UserId,
};

use crate::history::{run, run_at_once};
use crate::scene::user;
use crate::{Make, Store, TestClock, reference};

/// Tells newcomers that they are in, though others wait.
struct Overtakes(Arc<dyn QueueRepository>, Arc<TestClock>);

#[async_trait]
impl QueueRepository for Overtakes {
    async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError> {
        self.0.changes(known).await
    }

    async fn make(&self, queue: &NewQueue) -> Decided<QueueReport> {
        self.0.make(queue).await
    }

    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        let mut joined = self.0.join(queue, user).await?;
        if let Ok(joined) = &mut joined
            && joined.token.status() == TokenStatus::Waiting
        {
            let (since, over) = (self.1.now(), self.1.now().plus(Duration::from_secs(600)));
            joined.token.active = Some(Active { since, selection_ends_at: over, deadline: over, last_paid: None });
        }
        Ok(joined)
    }

    async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError> {
        self.0.tokens(queue, numbers).await
    }

    async fn leave(&self, ticket: Ticket) -> Decided<Left> {
        self.0.leave(ticket).await
    }

    async fn admit(&self) -> Result<Admissions, StoreError> {
        self.0.admit().await
    }

    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        self.0.report(queue).await
    }

    async fn edit(&self, queue: QueueNumber, edit: &QueueEdit) -> Decided<QueueReport> {
        self.0.edit(queue, edit).await
    }

    async fn active(&self) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
        self.0.active().await
    }

    async fn renew_epochs(&self) -> Result<Option<u64>, StoreError> {
        self.0.renew_epochs().await
    }
}

/// Sells seats that are under a live hold: it decides them again by a clock that is five minutes ahead.
struct DoubleSells(Arc<dyn ReservationRepository>, Arc<TestClock>);

#[async_trait]
impl ReservationRepository for DoubleSells {
    async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>> {
        let held = self.0.hold(command).await?;
        if !matches!(held, Err(Rejection::SeatTaken { .. })) {
            return Ok(held);
        }
        let (now, ahead) = (self.1.now(), Duration::from_secs(300));
        self.1.advance(ahead);
        let mut again = self.0.hold(command).await?;
        self.1.set(now);
        if let Ok(answer) = &mut again {
            (answer.value.reserved_at, answer.value.expires_at) = (now, now.plus(ahead));
            return Ok(again);
        }
        Ok(held)
    }

    async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Cancelled> {
        self.0.cancel(ticket, reservation).await
    }

    async fn find(
        &self,
        queue: QueueNumber,
        user: &UserId,
        reservation: ReservationId,
    ) -> Result<Option<Reservation>, StoreError> {
        self.0.find(queue, user, reservation).await
    }

    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, StoreError> {
        self.0.list(queue, user, page).await
    }

    async fn release_expired(&self) -> Result<u64, StoreError> {
        self.0.release_expired().await
    }
}

/// Lets people hold seats for as long as they stay: it decides what comes too late again, by a clock that stood still when they
/// still might.
struct HoldsForEver(Arc<dyn ReservationRepository>, Arc<TestClock>);

#[async_trait]
impl ReservationRepository for HoldsForEver {
    async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>> {
        let held = self.0.hold(command).await?;
        let Err(Rejection::SelectionClosed(end)) = held else { return Ok(held) };
        let now = self.1.now();
        self.1.set(end.minus(Duration::from_micros(1)));
        let mut again = self.0.hold(command).await?;
        self.1.set(now);
        if let Ok(answer) = &mut again {
            let lasts = Duration::from_secs(300);
            (answer.value.reserved_at, answer.value.expires_at) = (now, now.plus(lasts));
        }
        Ok(again)
    }

    async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Cancelled> {
        self.0.cancel(ticket, reservation).await
    }

    async fn find(
        &self,
        queue: QueueNumber,
        user: &UserId,
        reservation: ReservationId,
    ) -> Result<Option<Reservation>, StoreError> {
        self.0.find(queue, user, reservation).await
    }

    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, StoreError> {
        self.0.list(queue, user, page).await
    }

    async fn release_expired(&self) -> Result<u64, StoreError> {
        self.0.release_expired().await
    }
}

/// Forgets how many seats one user may have.
struct ForgetsLimits(Arc<dyn ConcertRepository>);

#[async_trait]
impl ConcertRepository for ForgetsLimits {
    async fn create(&self, command: &LoadCommand) -> Decided<Answer<CreatedConcert>> {
        let mut forgetful = command.clone();
        forgetful.concert.max_per_user = None;
        for schedule in &mut forgetful.concert.schedules {
            schedule.max_per_user = None;
        }
        self.0.create(&forgetful).await
    }

    async fn list(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError> {
        self.0.list(page).await
    }

    async fn schedules(
        &self,
        queue: QueueNumber,
        filter: &ScheduleFilter,
        page: &Page<ScheduleKey>,
    ) -> Decided<Listed<Schedule, ScheduleKey>> {
        self.0.schedules(queue, filter, page).await
    }

    async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, StoreError> {
        self.0.seats_available(queue, schedule).await
    }

    async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap> {
        self.0.seat_map(queue, schedule).await
    }

    async fn look(&self, queue: QueueNumber, looks: &[Look], most: u32) -> Result<Vec<Looked>, StoreError> {
        self.0.look(queue, looks, most).await
    }
}

/// Credits every charge of so many to nobody, and answers as if it had counted.
struct LosesCharges {
    store: Arc<dyn WalletRepository>,
    every: usize,
    charges: AtomicUsize,
}

#[async_trait]
impl WalletRepository for LosesCharges {
    async fn balance(&self, user: &UserId) -> Result<Wallet, StoreError> {
        self.store.balance(user).await
    }

    async fn charge(&self, command: &ChargeCommand) -> Decided<Answer<Charged>> {
        if !(self.charges.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(self.every) {
            return self.store.charge(command).await;
        }
        let before = self.store.balance(&command.user).await?;
        let lost = ChargeCommand { user: user("nobody"), key: None, ..command.clone() };
        let mut charged = self.store.charge(&lost).await?;
        if let Ok(answer) = &mut charged {
            let balance = before.balance.checked_add(&command.amount).unwrap();
            let (wallet, entry) = (&mut answer.value.wallet, &mut answer.value.entry);
            (entry.user, entry.seq, entry.balance_after) = (before.user.clone(), before.last_seq + 1, balance.clone());
            (wallet.user, wallet.last_seq, wallet.balance) = (before.user, entry.seq, balance);
        }
        Ok(charged)
    }

    async fn replay(&self, command: &ChargeCommand) -> Decided<Option<Charged>> {
        self.store.replay(command).await
    }

    async fn entries(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, StoreError> {
        self.store.entries(user, page).await
    }
}

/// Runs twelve histories, as the suite does, on a store that `breaking` broke: most must find it, and each objection
/// names what is wrong in one of these words.
async fn histories_find(breaking: fn(Store) -> Store, words: &[&str]) {
    let make = Make::new(move |rules: Rules| async move { breaking(reference(rules)) });
    let mut times = 0;
    for seed in 1..=12 {
        if let Err(found) = run(&make, seed).await {
            assert!(found.starts_with("the oracle objects"), "{found}");
            assert!(words.iter().any(|word| found.contains(word)), "{found}");
            times += 1;
        }
    }
    assert!(times > 6, "found by {times} of 12 histories");
}

fn losing_charges(store: Store, every: usize) -> Store {
    let wallets = LosesCharges { store: store.wallets, every, charges: AtomicUsize::new(0) };
    Store { wallets: Arc::new(wallets), ..store }
}

#[tokio::test]
async fn a_store_that_lets_people_overtake_is_found() {
    let breaking = |store: Store| {
        let clock = Arc::clone(&store.clock);
        Store { queues: Arc::new(Overtakes(store.queues, clock)), ..store }
    };
    histories_find(breaking, &["Waiting { position"]).await;
}

#[tokio::test]
async fn a_store_that_sells_twice_is_found() {
    let breaking = |store: Store| {
        let clock = Arc::clone(&store.clock);
        Store { reservations: Arc::new(DoubleSells(store.reservations, clock)), ..store }
    };
    histories_find(breaking, &["expected Refused(\"SeatTaken"]).await;
}

#[tokio::test]
async fn a_store_that_lets_people_hold_for_ever_is_found() {
    let breaking = |store: Store| {
        let clock = Arc::clone(&store.clock);
        Store { reservations: Arc::new(HoldsForEver(store.reservations, clock)), ..store }
    };
    histories_find(breaking, &["expected Refused(\"SelectionClosed"]).await;
}

#[tokio::test]
async fn a_store_that_forgets_what_one_user_may_have_is_found() {
    let breaking = |store: Store| Store { concerts: Arc::new(ForgetsLimits(store.concerts)), ..store };
    histories_find(breaking, &["expected Refused(\"PurchaseLimit"]).await;
}

/// Also when commands ran at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_user_may_have_is_counted_when_many_were_at_once() {
    let breaking = |store: Store| Store { concerts: Arc::new(ForgetsLimits(store.concerts)), ..store };
    let make = Make::new(move |rules: Rules| async move { breaking(reference(rules)) });
    let mut found = 0;
    for seed in 1..=30 {
        found += usize::from(run_at_once(&make, seed).await.is_err_and(|why| why.contains("seats of")));
    }
    assert!(found > 0, "in none of 30 histories");
}

#[tokio::test]
async fn a_store_that_loses_a_charge_is_found() {
    histories_find(|store| losing_charges(store, 5), &["Charge", "wallet", "balance", "InsufficientBalance"]).await;
}

/// Also when commands ran at once and only sums can be checked.
#[tokio::test(flavor = "multi_thread")]
async fn a_charge_lost_among_many_at_once_is_found() {
    let make = Make::new(|rules: Rules| async move { losing_charges(reference(rules), 1) });
    let found = run_at_once(&make, 1).await.expect_err("a broken store");
    assert!(found.contains("the answers say"), "{found}");
}
