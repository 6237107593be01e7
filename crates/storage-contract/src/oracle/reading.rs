//! What a store shows, against what the log says it must show.

use super::{Oracle, Verdict, user_name};
use crate::history::log::{Booking, BookingStatus, Reading, Sales, SeatSeen};
use crate::history::stage;

impl Oracle {
    /// Checks everything that can be read at `now`.
    pub(crate) fn check_reading(&mut self, reading: &Reading, now: i64) -> Verdict {
        self.pass(now);
        for (queue, (report, tokens)) in reading.queues.iter().enumerate() {
            self.check_line(queue, &report.line)?;
            equal("report", &self.report(queue, report.line), report)?;
            let expected: Vec<_> = self.of_queue(queue).map(|token| (self.seen(token), report.line)).collect();
            equal("tokens", &expected, tokens)?;
        }
        let schedules: Vec<_> = (0..stage::SCHEDULES.len()).map(|schedule| self.seats(schedule)).collect();
        equal("seats", &schedules, &reading.schedules)?;
        for user in 0..stage::USERS {
            let name = user_name(user);
            let sales: Vec<_> = (0..stage::QUEUES.len()).map(|queue| self.sales_of(&name, queue)).collect();
            equal("reservations and payments", &sales, &reading.sales[user])?;
            let entries: Vec<_> = self.entries_of(&name).rev().cloned().collect();
            let wallet = (self.balance(&name), u64::try_from(entries.len()).unwrap(), entries);
            equal("wallet", &wallet, &reading.wallets[user])?;
        }
        Ok(())
    }

    fn seats(&self, schedule: usize) -> (Vec<(u32, SeatSeen)>, u32) {
        let seen = |seat| match self.owner(schedule, seat).map(|booking| booking.status) {
            None => SeatSeen::Available,
            Some(BookingStatus::Confirmed) => SeatSeen::Sold,
            Some(_) => SeatSeen::Held,
        };
        let seats: Vec<_> = (1..=stage::SEATS).map(|seat| (seat, seen(seat))).collect();
        let free = seats.iter().filter(|(_, status)| *status == SeatSeen::Available).count();
        (seats, u32::try_from(free).unwrap())
    }

    fn sales_of(&self, user: &str, queue: usize) -> Sales {
        let own = |booking: &&Booking| booking.user == user && booking.queue == queue;
        let bookings = self.bookings.iter().rev().filter(own).cloned().collect();
        let paid = self.payments.iter().rev().map(|payment| (payment, &self.bookings[payment.booking]));
        let payments = paid.filter(|(_, booking)| own(booking));
        (bookings, payments.map(|(payment, booking)| (payment.clone(), booking.clone())).collect())
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, given: &T) -> Verdict {
    if expected == given { Ok(()) } else { Err(format!("{what}: expected {expected:?}, was shown {given:?}")) }
}
