//! Reads a store and writes what it shows down in plain words: stored fields and the time, no rule of the domain.

use domain::page::Listed;
use domain::payment::Payment;
use domain::ports::StoreError;
use domain::reservation::{CancelReason, Reservation, ReservationStatus};
use domain::seat::SeatStatus;
use domain::token::EndReason;
use domain::wallet::{Entry, EntryKind};
use domain::{Page, UserId};

use super::log::{
    Booking, BookingStatus, EntrySeen, LineSeen, PaymentSeen, Place, Reading, ReportSeen, Sales, SeatSeen, TokenSeen,
    TokenState, TurnSeen,
};
use super::play::Player;
use crate::standing::{Standing, View};

impl Player {
    pub(crate) fn token(&self, standing: &Standing) -> TokenSeen {
        let token = &standing.token;
        let turn = token.active.map(|active| TurnSeen {
            since: active.since.micros(),
            selection_ends_at: active.selection_ends_at.micros(),
            expires_at: active.deadline.micros(),
        });
        let paid = |id, written: i64| {
            let at = turn.map_or(written, |turn| turn.expires_at.min(written));
            TokenState::Paid { at, booking: self.booking_index(id) }
        };
        let state = match (token.end, turn) {
            (Some(end), _) => match end.reason {
                EndReason::Left => TokenState::Left { at: end.at.micros() },
                EndReason::Paid(id) => paid(id, end.at.micros()),
                EndReason::Deadline => TokenState::Over,
                EndReason::Absent | EndReason::NewEpoch => panic!("{token:?}: not in a history"),
            },
            (None, Some(turn)) if turn.expires_at <= self.now() => {
                let last_paid = token.active.and_then(|active| active.last_paid);
                last_paid.map_or(TokenState::Over, |id| paid(id, self.now()))
            }
            (None, Some(_)) => TokenState::Active,
            (None, None) => TokenState::Waiting { position: standing.position },
        };
        let place = Place { queue: self.queue_index(token.ticket.queue), number: token.ticket.number.get() };
        let user = token.user.as_str().to_owned();
        TokenSeen { place, user, issued_at: token.issued_at.micros(), turn, state }
    }

    pub(crate) fn booking(&self, reservation: &Reservation) -> Booking {
        Booking {
            index: self.booking_index(reservation.id),
            queue: self.queue_index(reservation.queue),
            user: reservation.user.as_str().to_owned(),
            schedule: self.schedule_index(reservation.schedule),
            seats: reservation.seats.iter().map(|seat| (seat.number, seat.price.minor())).collect(),
            amount: reservation.amount.minor(),
            status: match reservation.status {
                ReservationStatus::Pending => BookingStatus::Pending,
                ReservationStatus::Confirmed => BookingStatus::Confirmed,
                ReservationStatus::Cancelled(CancelReason::Expired) => BookingStatus::RanOut,
                ReservationStatus::Cancelled(CancelReason::User) => BookingStatus::ByUser,
                ReservationStatus::Cancelled(CancelReason::Left) => BookingStatus::ByLeaving,
            },
            reserved_at: reservation.reserved_at.micros(),
            expires_at: reservation.expires_at.micros(),
        }
    }

    pub(crate) fn payment(&self, payment: &Payment) -> PaymentSeen {
        PaymentSeen {
            index: self.payment_index(payment.id),
            user: payment.user.as_str().to_owned(),
            booking: self.booking_index(payment.reservation),
            amount: payment.amount.minor(),
            paid_at: payment.paid_at.micros(),
        }
    }

    pub(crate) fn entry(&self, entry: &Entry) -> EntrySeen {
        EntrySeen {
            user: entry.user.as_str().to_owned(),
            seq: entry.seq,
            paid: match entry.kind {
                EntryKind::Charge => None,
                EntryKind::Payment(id) => Some(self.booking_index(id)),
            },
            amount: entry.amount.minor(),
            balance_after: entry.balance_after.minor(),
            at: entry.at.micros(),
        }
    }

    /// Reads everything.
    pub(crate) async fn read(&self) -> Result<Reading, StoreError> {
        let (mut queues, mut schedules, mut sales, mut wallets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for queue in 0..self.queues.len() {
            queues.push(self.read_queue(queue).await?);
        }
        for (index, schedule) in self.schedules.iter().enumerate() {
            let queue = self.queues[super::stage::SCHEDULES[index].0];
            let map = self.store.concerts.seat_map(queue, *schedule).await?.expect("a schedule of this queue");
            let seats = map.seats.iter().map(|(seat, status)| (seat.number, seat_seen(*status))).collect();
            schedules.push((seats, self.store.concerts.seats_available(queue, *schedule).await?));
        }
        for user in &self.users {
            let mut of_user = Vec::new();
            for queue in 0..self.queues.len() {
                of_user.push(self.read_sale(user, queue).await?);
            }
            sales.push(of_user);
            let wallet = self.store.wallets.balance(user).await?;
            let entries = all(async |page| self.store.wallets.entries(user, &page).await).await?;
            let entries = entries.iter().map(|entry| self.entry(entry)).collect();
            wallets.push((wallet.balance.minor(), wallet.last_seq, entries));
        }
        Ok(Reading { queues, schedules, sales, wallets })
    }

    async fn read_queue(&self, queue: usize) -> Result<(ReportSeen, Vec<(TokenSeen, LineSeen)>), StoreError> {
        let report = self.store.queues.report(self.queues[queue]).await?.expect("a queue of the history");
        let view = View::read(&*self.store.queues, self.queues[queue]).await?;
        let numbers: Vec<_> =
            (1..=report.line.issued).map(|number| self.ticket(Place { queue, number }).number).collect();
        let mut tokens = self.store.queues.tokens(self.queues[queue], &numbers).await?;
        assert_eq!(tokens.len(), numbers.len(), "R2: numbers are dense");
        tokens.sort_by_key(|token| token.ticket.number);
        let standings = tokens.into_iter().map(|token| view.standing(token));
        let seen = standings.map(|standing| (self.token(&standing), LineSeen::of(&standing.line)));
        Ok((ReportSeen::of(&report), seen.collect()))
    }

    async fn read_sale(&self, user: &UserId, queue: usize) -> Result<Sales, StoreError> {
        let number = self.queues[queue];
        let reservations = all(async |page| self.store.reservations.list(number, user, &page).await).await?;
        let receipts = all(async |page| self.store.payments.list(number, user, &page).await).await?;
        let reservations = reservations.iter().map(|reservation| self.booking(reservation)).collect();
        let paid =
            |receipt: &domain::payment::Receipt| (self.payment(&receipt.payment), self.booking(&receipt.reservation));
        Ok((reservations, receipts.iter().map(paid).collect()))
    }
}

fn seat_seen(status: SeatStatus) -> SeatSeen {
    match status {
        SeatStatus::Available => SeatSeen::Available,
        SeatStatus::Held => SeatSeen::Held,
        SeatStatus::Sold => SeatSeen::Sold,
    }
}

/// A whole list, page by page; short pages, so that there are several.
async fn all<T, K>(list: impl AsyncFn(Page<K>) -> Result<Listed<T, K>, StoreError>) -> Result<Vec<T>, StoreError> {
    let (mut after, mut items) = (None, Vec::new());
    loop {
        let listed = list(Page::new(7, after).unwrap()).await?;
        items.extend(listed.items);
        match listed.next {
            Some(next) => after = Some(next),
            None => return Ok(items),
        }
    }
}
