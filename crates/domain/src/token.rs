//! A token: one user's place in one queue, `WAITING` -> `ACTIVE` -> `EXPIRED`.

use std::time::Duration;

use crate::{Rejection, ReservationId, Ticket, Timestamp, TokenStatus, UserId};

impl TokenStatus {
    /// The word that is stored for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
        }
    }
}

/// Why a token ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It paid (R14): this reservation last.
    Paid(ReservationId),
    /// Its user left the queue.
    Left,
    /// ACTIVE was over (R5).
    Deadline,
    /// Its turn came, and nobody had been there for it for too long (R22).
    Absent,
    /// A new epoch ended all tokens of its queue.
    NewEpoch,
}

impl EndReason {
    /// The word that is stored for it, and the reservation that is stored beside it.
    pub const fn words(self) -> (&'static str, Option<ReservationId>) {
        match self {
            Self::Paid(reservation) => ("PAID", Some(reservation)),
            Self::Left => ("LEFT", None),
            Self::Deadline => ("DEADLINE", None),
            Self::Absent => ("ABSENT", None),
            Self::NewEpoch => ("NEW_EPOCH", None),
        }
    }

    /// The reason that these words are stored for; `None` when there is none.
    pub fn of_words(reason: &str, paid: Option<ReservationId>) -> Option<Self> {
        match (reason, paid) {
            ("PAID", Some(reservation)) => Some(Self::Paid(reservation)),
            ("LEFT", None) => Some(Self::Left),
            ("DEADLINE", None) => Some(Self::Deadline),
            ("ABSENT", None) => Some(Self::Absent),
            ("NEW_EPOCH", None) => Some(Self::NewEpoch),
            _ => None,
        }
    }
}

/// When and why a token ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenEnd {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// A token as stored. What the store says is final only together with `now`: see [`Token::status_at`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Queue and number.
    pub ticket: Ticket,
    /// Whose place it is.
    pub user: UserId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Its turn (R5); `None` while it waits and when it ended waiting.
    pub active: Option<Active>,
    /// When and why it ended; `None` while it lives.
    pub end: Option<TokenEnd>,
    /// The version of the line at which it ceased to wait: was admitted, left or was passed over; `None` while it waits.
    /// So a position can be proved for any version: ahead were those before it that had not ceased to wait by then (R4).
    pub out_version: Option<u64>,
}

/// A token's turn: the ACTIVE part of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// When it was admitted.
    pub since: Timestamp,
    /// From when on no hold begins (R5): `active_seconds` after the admission, or the moment of a payment before that (R14).
    pub selection_ends_at: Timestamp,
    /// When it is over, if nothing ends it earlier (R5): the later of `selection_ends_at` and the end of the last live hold.
    pub deadline: Timestamp,
    /// The reservation that it paid last (R14); `None` while it has paid none.
    pub last_paid: Option<ReservationId>,
}

impl Token {
    /// How long after its end a token may read what is its user's own (R16).
    pub const READABLE: Duration = Duration::from_secs(24 * 60 * 60);

    /// A new place, WAITING.
    pub const fn issue(ticket: Ticket, user: UserId, now: Timestamp) -> Self {
        Self { ticket, user, issued_at: now, active: None, end: None, out_version: None }
    }

    /// The state as stored.
    pub const fn status(&self) -> TokenStatus {
        match (self.end, self.active) {
            (Some(_), _) => TokenStatus::Expired,
            (None, Some(_)) => TokenStatus::Active,
            (None, None) => TokenStatus::Waiting,
        }
    }

    /// The state at `now`: a token at or past its deadline is EXPIRED though nobody has written so yet (R5).
    pub fn status_at(&self, now: Timestamp) -> TokenStatus {
        match self.active {
            Some(active) if active.deadline.is_over(now) => TokenStatus::Expired,
            _ => self.status(),
        }
    }

    /// R6: lets an ACTIVE token through and nothing else.
    pub fn require_active(&self, now: Timestamp) -> Result<(), Rejection> {
        match self.status_at(now) {
            TokenStatus::Active => Ok(()),
            other => Err(Rejection::TokenNotActive(other)),
        }
    }

    /// R5: lets a token through that is ACTIVE and may still begin a hold.
    pub fn require_selection(&self, now: Timestamp) -> Result<(), Rejection> {
        self.require_active(now)?;
        match self.active {
            Some(active) if active.selection_ends_at.is_over(now) => {
                Err(Rejection::SelectionClosed(active.selection_ends_at))
            }
            _ => Ok(()),
        }
    }

    /// R17: lets a live token through, WAITING or ACTIVE.
    pub fn require_live(&self, now: Timestamp) -> Result<(), Rejection> {
        match self.status_at(now) {
            TokenStatus::Waiting | TokenStatus::Active => Ok(()),
            TokenStatus::Expired => Err(Rejection::TokenNotActive(TokenStatus::Expired)),
        }
    }

    /// R16: lets a live token through, and an ended one for [`Token::READABLE`] after its end.
    pub fn require_readable(&self, now: Timestamp) -> Result<(), Rejection> {
        match self.over_at() {
            Some(over) if over.plus(Self::READABLE).is_over(now) => {
                Err(Rejection::TokenNotActive(TokenStatus::Expired))
            }
            _ => Ok(()),
        }
    }

    /// When it ended or will end, as far as is known: its end may have been written later than time brought it.
    fn over_at(&self) -> Option<Timestamp> {
        let deadline = self.active.map(|active| active.deadline);
        deadline.into_iter().chain(self.end.map(|end| end.at)).min()
    }

    /// WAITING -> ACTIVE for `lasting` (R5), at this version of the line. Changes nothing in any other state.
    pub fn admit(&mut self, lasting: Duration, now: Timestamp, version: u64) {
        if self.status() == TokenStatus::Waiting {
            let over = now.plus(lasting);
            self.active = Some(Active { since: now, selection_ends_at: over, deadline: over, last_paid: None });
            self.out_version = Some(version);
        }
    }

    /// WAITING -> EXPIRED, as nobody is there to take the turn that has come, at this version of the line. Changes nothing
    /// in any other state.
    pub fn pass_over(&mut self, now: Timestamp, version: u64) {
        if self.status() == TokenStatus::Waiting {
            self.end = Some(TokenEnd { at: now, reason: EndReason::Absent });
            self.out_version = Some(version);
        }
    }

    /// R14: it has paid a reservation, so that selection ends now, unless it is over already.
    pub fn pay(&mut self, reservation: ReservationId, now: Timestamp) {
        if let Some(active) = &mut self.active {
            active.selection_ends_at = active.selection_ends_at.min(now);
            active.last_paid = Some(reservation);
        }
    }

    /// R5: what its user holds has changed, so that its turn ends with the later of selection and the last live hold: both ways,
    /// as a hold may begin or end. When neither lies ahead the turn is over, and its end is written. `holds` are the ends of the
    /// user's reservations that are PENDING in the store.
    ///
    /// A hold that runs out is no such change: where it was the last one, its end is the deadline already.
    pub fn settle(&mut self, holds: impl IntoIterator<Item = Timestamp>, now: Timestamp) {
        if self.status_at(now) != TokenStatus::Active {
            return;
        }
        if let Some(active) = &mut self.active {
            active.deadline = holds.into_iter().fold(active.selection_ends_at, Timestamp::max).max(now);
        }
        self.expire_if_due(now);
    }

    /// Writes the end that the deadline brought (R3): who had paid until then ended by that (R14). Whether there was one to
    /// write.
    pub fn expire_if_due(&mut self, now: Timestamp) -> bool {
        let due = self.status() == TokenStatus::Active && self.status_at(now) == TokenStatus::Expired;
        if due {
            self.end = Some(TokenEnd { at: now, reason: self.reason_in_time() });
        }
        due
    }

    /// By what it ends if only time ends it: by its payment where it made one (R14).
    fn reason_in_time(&self) -> EndReason {
        let paid = self.active.and_then(|active| active.last_paid);
        paid.map_or(EndReason::Deadline, EndReason::Paid)
    }

    /// Why it has ended by `now`, whether or not somebody has written so; `None` while it lives.
    pub fn end_reason_at(&self, now: Timestamp) -> Option<EndReason> {
        let written = self.end.map(|end| end.reason);
        written.or_else(|| (self.status_at(now) == TokenStatus::Expired).then(|| self.reason_in_time()))
    }

    /// Ends a live token; whether it lived. A token past its deadline ended by that, whatever comes later.
    pub fn end(&mut self, reason: EndReason, now: Timestamp) -> bool {
        if self.status() == TokenStatus::Expired {
            return false;
        }
        if !self.expire_if_due(now) {
            self.end = Some(TokenEnd { at: now, reason });
        }
        true
    }

    /// R17: the user leaves the queue. What the token was until then; `None` when it was over by time already, whether or
    /// not that was written: then nothing is left to give up.
    pub fn leave(&mut self, now: Timestamp) -> Option<TokenStatus> {
        let status = self.status_at(now);
        self.end(EndReason::Left, now);
        (status != TokenStatus::Expired).then_some(status)
    }

    /// Whether this token ended by paying `reservation`.
    pub fn ended_by_paying(&self, reservation: ReservationId) -> bool {
        matches!(self.end, Some(TokenEnd { reason: EndReason::Paid(paid), .. }) if paid == reservation)
    }

    /// Whether `moment` was in its turn. A turn and what was done in it last may be of one moment.
    pub fn had_its_turn_at(&self, moment: Timestamp) -> bool {
        self.active.is_some_and(|active| active.since <= moment) && self.over_at().is_some_and(|over| moment <= over)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{QueueNumber, TicketNumber};

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn waiting() -> Token {
        let ticket = Ticket { queue: QueueNumber(1), number: TicketNumber::new(1).unwrap() };
        Token::issue(ticket, UserId::parse("u").unwrap(), at(0))
    }

    fn active_until(micros: u64) -> Token {
        let mut token = waiting();
        token.admit(Duration::from_micros(micros), at(0), 1);
        token
    }

    #[test]
    fn active_is_over_exactly_at_its_deadline_r5() {
        let token = active_until(100);
        for (now, status) in [(99, TokenStatus::Active), (100, TokenStatus::Expired), (101, TokenStatus::Expired)] {
            assert_eq!(token.status_at(at(now)), status, "{now}");
        }
        assert_eq!(token.status(), TokenStatus::Active, "as stored until somebody writes it");
    }

    #[test]
    fn only_active_passes_the_gate_r6() {
        let mut left = waiting();
        left.end(EndReason::Left, at(1));
        for (token, verdict) in [
            (waiting(), Err(Rejection::TokenNotActive(TokenStatus::Waiting))),
            (active_until(100), Ok(())),
            (left, Err(Rejection::TokenNotActive(TokenStatus::Expired))),
        ] {
            assert_eq!(token.require_active(at(50)), verdict);
        }
    }

    #[test]
    fn why_a_turn_ended_is_the_same_before_and_after_it_is_written_r14() {
        let paid = ReservationId::new(Uuid::from_u128(7));
        for (pays, reason) in [(false, EndReason::Deadline), (true, EndReason::Paid(paid))] {
            let mut token = active_until(100);
            token.settle([at(130)], at(20));
            if pays {
                token.pay(paid, at(30));
            }
            assert_eq!(token.end_reason_at(at(129)), None);
            assert_eq!(token.end_reason_at(at(130)), Some(reason));
            assert!(token.expire_if_due(at(140)));
            assert_eq!(token.end_reason_at(at(130)), Some(reason));
        }
    }

    /// The end of selection and of the turn.
    fn ends(token: &Token) -> (i64, i64) {
        let active = token.active.unwrap();
        (active.selection_ends_at.micros(), active.deadline.micros())
    }

    #[test]
    fn a_hold_begins_only_while_selection_lasts_r5() {
        let mut token = active_until(100);
        token.settle([at(130)], at(99));
        for (now, verdict) in [
            (99, Ok(())),
            (100, Err(Rejection::SelectionClosed(at(100)))),
            (129, Err(Rejection::SelectionClosed(at(100)))),
            (130, Err(Rejection::TokenNotActive(TokenStatus::Expired))),
        ] {
            assert_eq!(token.require_selection(at(now)), verdict, "{now}");
            assert_eq!(token.require_active(at(now)).is_ok(), now < 130, "what is held may still be paid");
        }
        assert_eq!(waiting().require_selection(at(0)), Err(Rejection::TokenNotActive(TokenStatus::Waiting)));
    }

    #[test]
    fn a_turn_ends_with_the_later_of_selection_and_the_last_live_hold_r5() {
        for (holds, now, deadline) in [
            (vec![], 50, 100),
            (vec![80], 50, 100),
            (vec![99, 100], 50, 100),
            (vec![101], 50, 101),
            (vec![130, 120], 50, 130),
            // What is over is no hold, swept or not.
            (vec![130, 40, 50], 50, 130),
        ] {
            let mut token = active_until(100);
            token.settle([at(500)], at(20));
            token.settle(holds.iter().copied().map(at), at(now));
            assert_eq!((ends(&token), token.end), ((100, deadline), None), "{holds:?}");
        }
    }

    #[test]
    fn after_selection_the_end_of_the_last_hold_ends_the_turn_r5() {
        for (now, over) in [(99, false), (100, true), (101, true)] {
            let mut token = active_until(100);
            token.settle([at(130)], at(90));
            token.settle([], at(now));
            assert_eq!(token.end, over.then_some(TokenEnd { at: at(now), reason: EndReason::Deadline }), "{now}");
            assert_eq!(ends(&token), (100, now.max(100)));
        }
        let mut late = active_until(100);
        late.settle([at(130)], at(100));
        assert_eq!((ends(&late), late.end), ((100, 100), None), "what is over is not settled any more");
        let mut waits = waiting();
        waits.settle([at(130)], at(50));
        assert_eq!(waits, waiting());
    }

    #[test]
    fn a_payment_ends_selection_and_the_turn_ends_paid_with_the_last_hold_r14() {
        let (first, second) = (ReservationId::new(Uuid::from_u128(1)), ReservationId::new(Uuid::from_u128(2)));
        let paid = |reservation, now| {
            let mut token = active_until(100);
            token.settle([at(120), at(150)], at(10));
            token.pay(reservation, at(now));
            token
        };
        let mut with_others = paid(first, 60);
        with_others.settle([at(150)], at(60));
        assert_eq!((ends(&with_others), with_others.end), ((60, 150), None));
        assert_eq!(with_others.require_selection(at(60)), Err(Rejection::SelectionClosed(at(60))));
        assert_eq!(with_others.require_active(at(149)), Ok(()));
        // Cancelled, run out, paid.
        let mut cancelled = with_others.clone();
        cancelled.settle([], at(70));
        assert_eq!(cancelled.end, Some(TokenEnd { at: at(70), reason: EndReason::Paid(first) }));
        let mut ran_out = with_others.clone();
        assert!(!ran_out.expire_if_due(at(149)) && ran_out.expire_if_due(at(150)));
        assert_eq!(ran_out.end, Some(TokenEnd { at: at(150), reason: EndReason::Paid(first) }));
        let mut paid_too = with_others;
        paid_too.pay(second, at(110));
        paid_too.settle([], at(110));
        assert_eq!(paid_too.end, Some(TokenEnd { at: at(110), reason: EndReason::Paid(second) }));
        assert_eq!(ends(&paid_too), (60, 110), "selection is never moved to a later moment");

        let mut alone = paid(first, 60);
        alone.settle([], at(60));
        assert_eq!(alone.end, Some(TokenEnd { at: at(60), reason: EndReason::Paid(first) }));
        let mut after_selection = paid(first, 130);
        after_selection.settle([at(150)], at(130));
        assert_eq!(ends(&after_selection), (100, 150));
    }

    /// Whatever is held and given up, in whatever order: nobody stays longer than selection and one hold.
    #[test]
    fn nobody_stays_longer_than_selection_and_one_hold_r5() {
        const HOLD: i64 = 30;
        for step in 1..40 {
            let (mut token, mut now, mut holds) = (active_until(100), 0, Vec::new());
            while token.status_at(at(now)) == TokenStatus::Active {
                if token.require_selection(at(now)).is_ok() {
                    if now % 3 == 0 {
                        holds.clear();
                    }
                    holds.push(at(now + HOLD));
                }
                token.settle(holds.iter().copied(), at(now));
                now += step;
            }
            let over = token.active.unwrap().deadline;
            assert!((at(100)..at(100 + HOLD)).contains(&over), "{over:?} in steps of {step}");
        }
    }

    #[test]
    fn a_live_token_may_cancel_and_an_ended_one_may_not_r17() {
        let mut left = waiting();
        left.end(EndReason::Left, at(1));
        let refused = Err(Rejection::TokenNotActive(TokenStatus::Expired));
        for (token, now, verdict) in [
            (waiting(), 50, Ok(())),
            (active_until(100), 99, Ok(())),
            (active_until(100), 100, refused.clone()),
            (left, 50, refused),
        ] {
            assert_eq!(token.require_live(at(now)), verdict, "{token:?}");
        }
    }

    #[test]
    fn an_ended_token_reads_for_24_hours_r16() {
        let day = 24 * 60 * 60 * 1_000_000;
        let mut left = waiting();
        left.end(EndReason::Left, at(50));
        let (over, mut late, mut early) = (active_until(50), active_until(50), active_until(100));
        // Written a day late: time had ended it before.
        late.end(EndReason::Left, at(day));
        early.end(EndReason::Left, at(50));
        for token in [left, over, late, early] {
            for (now, readable) in [(50, true), (50 + day - 1, true), (50 + day, false), (50 + day + 1, false)] {
                let refused = Err(Rejection::TokenNotActive(TokenStatus::Expired));
                assert_eq!(token.require_readable(at(now)), if readable { Ok(()) } else { refused }, "{token:?} {now}");
            }
        }
        assert_eq!(waiting().require_readable(at(9 * day)), Ok(()));
        assert_eq!(active_until(100).require_readable(at(99)), Ok(()));
    }

    #[test]
    fn a_turn_is_from_the_admission_to_the_end() {
        let mut left = active_until(100);
        left.end(EndReason::Left, at(60));
        for (token, last) in [(left, 60), (active_until(100), 100)] {
            for (moment, within) in [(-1, false), (0, true), (last, true), (last + 1, false)] {
                assert_eq!(token.had_its_turn_at(at(moment)), within, "{moment}");
            }
        }
        assert!(!waiting().had_its_turn_at(at(0)));
    }

    #[test]
    fn an_end_is_final_and_the_deadline_comes_first() {
        let mut late = active_until(100);
        assert!(late.end(EndReason::Left, at(100)));
        assert_eq!(late.end.unwrap().reason, EndReason::Deadline);
        assert!(!late.end(EndReason::Left, at(101)));
        late.admit(Duration::from_secs(1), at(102), 9);
        assert_eq!(late.status_at(at(102)), TokenStatus::Expired);
    }

    #[test]
    fn who_leaves_too_late_leaves_nothing_r17() {
        assert_eq!(waiting().leave(at(50)), Some(TokenStatus::Waiting));
        for (now, left) in [(99, Some(TokenStatus::Active)), (100, None), (101, None)] {
            let mut token = active_until(100);
            assert_eq!(token.leave(at(now)), left, "{now}");
            assert_eq!(token.status(), TokenStatus::Expired);
            assert_eq!(token.leave(at(now)), None);
        }
    }

    #[test]
    fn admitting_twice_does_not_prolong() {
        let mut token = active_until(100);
        token.admit(Duration::from_micros(1_000), at(50), 9);
        assert_eq!((token.active.unwrap().deadline, token.out_version), (at(100), Some(1)));
    }

    #[test]
    fn only_who_waits_is_passed_over() {
        let mut absent = waiting();
        absent.pass_over(at(5), 3);
        let end = TokenEnd { at: at(5), reason: EndReason::Absent };
        assert_eq!((absent.status(), absent.end, absent.out_version), (TokenStatus::Expired, Some(end), Some(3)));
        let mut active = active_until(100);
        active.pass_over(at(5), 3);
        assert_eq!((active.status(), active.out_version), (TokenStatus::Active, Some(1)));
    }

    #[test]
    fn stored_words_and_reasons_are_one_to_one() {
        let paid = ReservationId::new(Uuid::from_u128(1));
        let all = [EndReason::Paid(paid), EndReason::Left, EndReason::Deadline, EndReason::Absent, EndReason::NewEpoch];
        for reason in all {
            let (word, beside) = reason.words();
            assert_eq!(EndReason::of_words(word, beside), Some(reason), "{word}");
            let other = if beside.is_some() { None } else { Some(paid) };
            assert_eq!(EndReason::of_words(word, other), None, "{word} with {other:?}");
        }
        assert_eq!(EndReason::of_words("LOST", None), None);
    }

    #[test]
    fn what_a_token_paid_is_remembered_r6() {
        let (this, other) = (ReservationId::new(Uuid::from_u128(1)), ReservationId::new(Uuid::from_u128(2)));
        let mut token = active_until(100);
        assert!(!token.ended_by_paying(this));
        token.end(EndReason::Paid(this), at(1));
        assert!(token.ended_by_paying(this) && !token.ended_by_paying(other));
    }
}
