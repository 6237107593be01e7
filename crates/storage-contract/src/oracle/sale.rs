//! Seats by brute force: whose a seat is follows from all reservations there ever were.

use super::{Oracle, refused, user_name};
use crate::history::log::{Answer, Booking, BookingStatus, Place};
use crate::history::stage;

impl Oracle {
    /// The reservation that has a seat, if there is one.
    pub(super) fn owner(&self, schedule: usize, seat: u32) -> Option<&Booking> {
        let mut owners = self.bookings.iter().filter(|booking| {
            let lives = matches!(booking.status, BookingStatus::Pending | BookingStatus::Confirmed);
            lives && booking.schedule == schedule && booking.seats.iter().any(|(number, _)| *number == seat)
        });
        let owner = owners.next();
        assert!(owners.next().is_none(), "seat {seat} of schedule {schedule} has two owners");
        owner
    }

    pub(super) fn hold(
        &mut self,
        place: Place,
        schedule: usize,
        seats: &[u32],
        by_ids: bool,
        key: Option<u8>,
    ) -> Result<Answer, String> {
        let token = self.token_at(place)?;
        let scope = ("hold", self.tokens[token].user, Some(place.queue));
        let request = format!("{schedule} {seats:?} {by_ids}");
        if let Some(answer) = self.recall(scope, key, &request)? {
            return Ok(answer);
        }
        self.guard(token)?;
        if let Some(turn) = self.tokens[token].turn
            && turn.selection_ends_at <= self.now
        {
            return refused(format!("SelectionClosed({})", turn.selection_ends_at));
        }
        self.check_seats(place.queue, schedule, seats, by_ids)?;
        self.check_free(&user_name(scope.1), place.queue, schedule, seats)?;
        let expires_at = self.now + stage::HOLD;
        let booking = Booking {
            index: self.bookings.len(),
            queue: place.queue,
            user: user_name(scope.1),
            schedule,
            seats: seats.iter().map(|seat| (*seat, stage::price(*seat))).collect(),
            amount: seats.iter().map(|seat| stage::price(*seat)).sum(),
            status: BookingStatus::Pending,
            reserved_at: self.now,
            expires_at,
        };
        self.bookings.push(booking.clone());
        self.settle(token);
        let answer = Answer::Held { booking, replayed: false };
        self.remember(scope, key, request, &answer);
        Ok(answer)
    }

    /// Whether the seats are there and still for sale.
    fn check_seats(&self, queue: usize, schedule: usize, seats: &[u32], by_ids: bool) -> Result<(), String> {
        let (sold_in, starts_after) = stage::SCHEDULES[schedule];
        if sold_in != queue {
            return refused(if by_ids { "NotFound(Seat)" } else { "WrongQueue" });
        }
        let missing: Vec<u32> = seats.iter().copied().filter(|seat| *seat > stage::SEATS).collect();
        if !missing.is_empty() {
            return if by_ids { refused("NotFound(Seat)") } else { refused(format!("NotFound(Seats({missing:?}))")) };
        }
        if self.now >= self.began + starts_after {
            return refused("SaleClosed");
        }
        Ok(())
    }

    /// Whether the user may have so many more, and nobody has these.
    fn check_free(&self, user: &str, queue: usize, schedule: usize, seats: &[u32]) -> Result<(), String> {
        let own = || self.bookings.iter().filter(|booking| booking.user == user && booking.queue == queue);
        let sum = |has: &dyn Fn(&Booking) -> bool| -> usize {
            own().filter(|booking| has(booking)).map(|booking| booking.seats.len()).sum()
        };
        if sum(&|booking| booking.status == BookingStatus::Pending) + seats.len() > stage::MAX_SEATS {
            return refused(format!("SeatLimit({})", stage::MAX_SEATS));
        }
        let lives = |booking: &Booking| matches!(booking.status, BookingStatus::Pending | BookingStatus::Confirmed);
        let of_schedule = sum(&|booking| lives(booking) && booking.schedule == schedule);
        // There is one concert in a queue.
        let of_concert = sum(&lives);
        for (max, owned) in
            [(stage::OF_SCHEDULES[schedule], of_schedule), (Some(stage::OF_CONCERTS[queue]), of_concert)]
        {
            if let Some(max) = max.filter(|max| owned + seats.len() > *max) {
                return refused(format!("PurchaseLimit {{ max_per_user: {max}, owned: {owned} }}"));
            }
        }
        let taken: Vec<u32> = seats.iter().copied().filter(|seat| self.owner(schedule, *seat).is_some()).collect();
        let is_own = |seat: &u32| self.owner(schedule, *seat).is_some_and(|owner| owner.user == user);
        let own: Vec<u32> = taken.iter().copied().filter(is_own).collect();
        if taken.is_empty() { Ok(()) } else { refused(format!("SeatTaken({taken:?}, own {own:?})")) }
    }

    pub(super) fn cancel(&mut self, place: Place, booking: usize) -> Result<Answer, String> {
        let token = self.token_at(place)?;
        if self.tokens[token].end.is_some() {
            return refused("TokenNotActive(Expired)");
        }
        let user = user_name(self.tokens[token].user);
        let own = |booking: &&mut Booking| booking.user == user && booking.queue == place.queue;
        let Some(booking) = self.bookings.get_mut(booking).filter(own) else {
            return refused("NotFound(Reservation)");
        };
        match booking.status {
            BookingStatus::Confirmed => return refused("AlreadyPaid"),
            BookingStatus::Pending => booking.status = BookingStatus::ByUser,
            BookingStatus::RanOut | BookingStatus::ByUser | BookingStatus::ByLeaving => {}
        }
        let cancelled = booking.clone();
        self.settle(token);
        Ok(Answer::Cancelled(cancelled))
    }
}
