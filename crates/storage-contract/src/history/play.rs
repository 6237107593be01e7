//! Plays a history's commands on a store and writes its answers down in plain words.

use std::sync::Mutex;

use domain::concert::CreatedConcert;
use domain::ports::{Admissions, Answer as Given, ChargeCommand, Clock, HoldCommand, Joined, PayCommand, StoreError};
use domain::seat::SeatChoice;
use domain::{
    Edit, Money, PaymentId, PolicyChange, QueueNumber, Rejection, ReservationId, ScheduleId, SeatId, Ticket, Timestamp,
    TokenStatus, UserId,
};
use uuid::Uuid;

use super::log::{Answer, Command, LineSeen, Opens, Place, ReportSeen};
use super::stage;
use crate::Store;
use crate::scene::{key, ticket, user};
use crate::standing::View;

/// A store, and which of its ids are which thing of the history.
pub(crate) struct Player {
    pub(crate) store: Store,
    pub(crate) users: Vec<UserId>,
    pub(crate) queues: Vec<QueueNumber>,
    pub(crate) schedules: Vec<ScheduleId>,
    seats: Vec<Vec<SeatId>>,
    drawn: Mutex<Drawn>,
}

/// Ids that the store drew in answers so far, in the order in which they were answered.
#[derive(Default)]
struct Drawn {
    reservations: Vec<ReservationId>,
    payments: Vec<PaymentId>,
}

/// A command that was decided, or why not.
type Played<T> = Result<Result<T, Rejection>, StoreError>;

impl Player {
    pub(crate) async fn new(store: Store) -> Self {
        let created = stage::set(&store, store.clock.now().micros()).await;
        let (mut schedules, mut seats) = (Vec::new(), Vec::new());
        for (index, (queue, _)) in stage::SCHEDULES.iter().enumerate() {
            let before = stage::SCHEDULES[..index].iter().filter(|(other, _)| other == queue).count();
            let CreatedConcert { queue, schedules: own, .. } = &created[*queue];
            let map = store.concerts.seat_map(*queue, own[before]).await.unwrap().unwrap();
            seats.push(map.seats.iter().map(|(seat, _)| seat.id).collect());
            schedules.push(own[before]);
        }
        Self {
            users: (0..stage::USERS).map(|index| user(format!("user-{index}"))).collect(),
            queues: created.iter().map(|concert| concert.queue).collect(),
            schedules,
            seats,
            drawn: Mutex::default(),
            store,
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.store.clock.now().micros()
    }

    pub(crate) fn ticket(&self, place: Place) -> Ticket {
        ticket(self.queues[place.queue], place.number)
    }

    pub(crate) fn queue_index(&self, queue: QueueNumber) -> usize {
        self.queues.iter().position(|known| *known == queue).expect("a queue of the history")
    }

    pub(crate) fn schedule_index(&self, schedule: ScheduleId) -> usize {
        self.schedules.iter().position(|known| *known == schedule).expect("a schedule of the history")
    }

    /// Which reservation of the history an id is: the next one when it has not been answered before.
    pub(crate) fn booking_index(&self, id: ReservationId) -> usize {
        index(&mut self.drawn.lock().unwrap().reservations, id)
    }

    pub(crate) fn payment_index(&self, id: PaymentId) -> usize {
        index(&mut self.drawn.lock().unwrap().payments, id)
    }

    /// Does what `command` says. An error says how the store failed.
    pub(crate) async fn play(&self, command: &Command) -> Result<Answer, StoreError> {
        let decided = match command {
            Command::Join { queue, user } => self.join(*queue, *user).await?,
            Command::Leave { place } => self.store.queues.leave(self.ticket(*place)).await?.map(|_| Answer::Left),
            Command::Admit => Ok(self.admit().await?),
            Command::Hold { place, schedule, seats, by_ids, key: text } => {
                let choice = self.choice(*schedule, seats, *by_ids);
                let command = HoldCommand { ticket: self.ticket(*place), choice, key: Self::keyed(*text) };
                let held = self.store.reservations.hold(&command).await?;
                held.map(|Given { value, replayed }| Answer::Held { booking: self.booking(&value), replayed })
            }
            Command::Cancel { place, booking } => {
                let cancelled = self.store.reservations.cancel(self.ticket(*place), self.reservation(*booking)).await?;
                cancelled.map(|cancelled| Answer::Cancelled(self.booking(&cancelled.reservation)))
            }
            Command::Pay { place, booking, amount, key } => self.pay(*place, *booking, *amount, *key).await?,
            Command::Charge { user, amount, key } => self.charge(*user, *amount, *key).await?,
            Command::Policy { queue, change } => {
                let change = PolicyChange {
                    max_active: change.max_active,
                    batch: change.batch,
                    interval_seconds: change.interval,
                    paused: change.paused,
                    opens_at: match change.opens {
                        Opens::AsBefore => Edit::Keep,
                        Opens::AtOnce => Edit::Clear,
                        Opens::At(micros) => Edit::Set(Timestamp::from_micros(micros)),
                    },
                };
                let changed = self.store.queues.change_policy(self.queues[*queue], &change).await?;
                changed.map(|report| Answer::Changed(ReportSeen::of(&report)))
            }
            Command::Sweep => Ok(Answer::Swept(self.store.reservations.release_expired().await?)),
            Command::Clock { to } => {
                self.store.clock.advance_to(Timestamp::from_micros(*to));
                Ok(Answer::Moved)
            }
        };
        Ok(decided.unwrap_or_else(|rejection| Answer::Refused(in_words(&rejection))))
    }

    async fn join(&self, queue: usize, user: usize) -> Played<Answer> {
        let joined = self.store.queues.join(self.queues[queue], &self.users[user]).await?;
        let Ok(Joined { token, created, line }) = joined else { return Ok(joined.map(|_| Answer::Left)) };
        let view = View::read(&*self.store.queues, self.queues[queue]).await?;
        let mut standing = view.standing(token);
        if created && standing.token.status() == TokenStatus::Waiting {
            standing.position = line.position_at_tail(standing.token.ticket.number);
        }
        Ok(Ok(Answer::Joined { created, token: self.token(&standing), line: LineSeen::of(&line) }))
    }

    async fn admit(&self) -> Result<Answer, StoreError> {
        let Admissions { done, failed } = self.store.queues.admit().await?;
        if let Some((_queue, failure)) = failed.into_iter().next() {
            return Err(failure);
        }
        let ticks = done.into_iter().filter(|tick| tick.admitted > 0);
        let mut seen: Vec<_> = ticks
            .map(|tick| (self.queue_index(tick.queue), tick.admitted, tick.active, LineSeen::of(&tick.line)))
            .collect();
        seen.sort_by_key(|(queue, ..)| *queue);
        Ok(Answer::Admitted(seen))
    }

    async fn pay(&self, place: Place, booking: usize, amount: Option<i64>, text: Option<u8>) -> Played<Answer> {
        let command = PayCommand {
            ticket: self.ticket(place),
            reservation: self.reservation(booking),
            amount: amount.map(|minor| Money::from_minor(minor).unwrap()),
            key: Self::keyed(text),
        };
        let paid = self.store.payments.pay(&command).await?;
        Ok(paid.map(|Given { value, replayed }| Answer::Paid {
            payment: self.payment(&value.receipt.payment),
            booking: self.booking(&value.receipt.reservation),
            balance: value.balance.minor(),
            replayed,
        }))
    }

    async fn charge(&self, user: usize, amount: i64, text: Option<u8>) -> Played<Answer> {
        let command = ChargeCommand {
            user: self.users[user].clone(),
            amount: Money::from_minor(amount).unwrap(),
            key: Self::keyed(text),
        };
        let charged = self.store.wallets.charge(&command).await?;
        Ok(charged.map(|Given { value, replayed }| Answer::Charged {
            entry: self.entry(&value.entry),
            balance: value.wallet.balance.minor(),
            last_seq: value.wallet.last_seq,
            replayed,
        }))
    }

    fn choice(&self, schedule: usize, seats: &[u32], by_ids: bool) -> SeatChoice {
        if !by_ids {
            return SeatChoice::numbers(self.schedules[schedule], seats).unwrap();
        }
        let id = |number: &u32| {
            let known = self.seats[schedule].get(usize::try_from(*number).unwrap() - 1);
            known.copied().unwrap_or(SeatId::new(Uuid::from_u128(u128::from(*number))))
        };
        SeatChoice::ids(&seats.iter().map(id).collect::<Vec<_>>()).unwrap()
    }

    /// The id of a reservation of the history; one that nobody has when there is none of this index.
    fn reservation(&self, index: usize) -> ReservationId {
        let drawn = self.drawn.lock().unwrap();
        drawn.reservations.get(index).copied().unwrap_or(ReservationId::new(Uuid::from_u128(1)))
    }

    fn keyed(text: Option<u8>) -> Option<domain::IdempotencyKey> {
        text.map(|number| key(&format!("key-{number}")))
    }
}

fn index<T: PartialEq>(known: &mut Vec<T>, id: T) -> usize {
    known.iter().position(|other| *other == id).unwrap_or_else(|| {
        known.push(id);
        known.len() - 1
    })
}

/// A rejection by its name and values; neither texts of out-of-bounds values nor ids are part of it.
fn in_words(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Invalid(_) => "Invalid".to_owned(),
        Rejection::SelectionClosed(at) => format!("SelectionClosed({})", at.micros()),
        Rejection::SeatTaken { numbers, own, .. } => format!("SeatTaken({numbers:?}, own {own:?})"),
        other => format!("{other:?}"),
    }
}
