//! Money by brute force: a balance is the sum of all that ever moved it.

use super::{Oracle, refused, user_name};
use crate::history::log::{Answer, BookingStatus, EntrySeen, PaymentSeen, Place};
use crate::history::stage;

impl Oracle {
    pub(super) fn entries_of<'a>(&'a self, user: &'a str) -> impl DoubleEndedIterator<Item = &'a EntrySeen> {
        self.entries.iter().filter(move |entry| entry.user == user)
    }

    pub(super) fn balance(&self, user: &str) -> i64 {
        self.entries_of(user).map(|entry| if entry.paid.is_some() { -entry.amount } else { entry.amount }).sum()
    }

    fn move_by(&mut self, user: &str, amount: i64, paid: Option<usize>) -> EntrySeen {
        let seq = u64::try_from(self.entries_of(user).count()).unwrap() + 1;
        let balance_after = self.balance(user) + if paid.is_some() { -amount } else { amount };
        let entry = EntrySeen { user: user.to_owned(), seq, paid, amount, balance_after, at: self.now };
        self.entries.push(entry.clone());
        entry
    }

    pub(super) fn charge(&mut self, user: usize, amount: i64, key: Option<u8>) -> Result<Answer, String> {
        if amount <= 0 || amount > stage::MAX_CHARGE {
            return refused("Invalid");
        }
        let (scope, request) = (("charge", user, None), amount.to_string());
        if let Some(answer) = self.recall(scope, key, &request)? {
            return Ok(answer);
        }
        let entry = self.move_by(&user_name(user), amount, None);
        let (balance, last_seq) = (entry.balance_after, entry.seq);
        let answer = Answer::Charged { entry, balance, last_seq, replayed: false };
        self.remember(scope, key, request, &answer);
        Ok(answer)
    }

    pub(super) fn pay(
        &mut self,
        place: Place,
        booking: usize,
        amount: Option<i64>,
        key: Option<u8>,
    ) -> Result<Answer, String> {
        let token = self.token_at(place)?;
        let scope = ("pay", self.tokens[token].user, Some(place.queue));
        let request = format!("{booking} {amount:?}");
        if let Some(answer) = self.recall(scope, key, &request)? {
            return Ok(answer);
        }
        self.check_pay(token, booking, amount)?;
        let user = user_name(scope.1);
        let paid = self.bookings[booking].amount;
        let balance = self.move_by(&user, paid, Some(booking)).balance_after;
        self.bookings[booking].status = BookingStatus::Confirmed;
        let now = self.now;
        let payer = &mut self.tokens[token];
        payer.paid.push(booking);
        if let Some(turn) = &mut payer.turn {
            turn.selection_ends_at = turn.selection_ends_at.min(now);
        }
        self.settle(token);
        let payment = PaymentSeen { index: self.payments.len(), user, booking, amount: paid, paid_at: self.now };
        self.payments.push(payment.clone());
        let answer = Answer::Paid { payment, booking: self.bookings[booking].clone(), balance, replayed: false };
        self.remember(scope, key, request, &answer);
        Ok(answer)
    }

    /// Whether a payment may be, asked in the order in which it has to be.
    fn check_pay(&self, token: usize, booking: usize, amount: Option<i64>) -> Result<(), String> {
        let payer = &self.tokens[token];
        if payer.paid.contains(&booking) {
            return refused("AlreadyPaid");
        }
        self.guard(token)?;
        let Some(booking) = self.bookings.get(booking).filter(|booking| booking.queue == payer.place.queue) else {
            return refused("NotFound(Reservation)");
        };
        match booking.status {
            BookingStatus::RanOut => return refused("ReservationExpired"),
            BookingStatus::ByUser | BookingStatus::ByLeaving => return refused("ReservationCancelled"),
            BookingStatus::Confirmed => return refused("AlreadyPaid"),
            BookingStatus::Pending => {}
        }
        if booking.user != user_name(payer.user) {
            return refused("UserMismatch");
        }
        if amount.is_some_and(|named| named != booking.amount) {
            return refused("AmountMismatch");
        }
        let balance = self.balance(&booking.user);
        if balance < booking.amount {
            let (balance, amount) = (decimal(balance), decimal(booking.amount));
            return refused(format!("InsufficientBalance {{ balance: {balance}, amount: {amount} }}"));
        }
        Ok(())
    }
}

/// Hundredths as people write them, without trailing zeros.
fn decimal(minor: i64) -> String {
    let text = format!("{}.{:02}", minor / 100, minor % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
