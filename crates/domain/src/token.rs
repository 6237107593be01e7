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
    /// It paid this reservation (R14).
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
    /// When it was admitted and until when it is ACTIVE (R5); `None` while it waits and when it ended waiting.
    pub active: Option<Active>,
    /// When and why it ended; `None` while it lives.
    pub end: Option<TokenEnd>,
    /// The version of the line at which it ceased to wait: was admitted, left or was passed over; `None` while it waits.
    /// So a position can be proved for any version: ahead were those before it that had not ceased to wait by then (R4).
    pub out_version: Option<u64>,
}

/// The ACTIVE part of a token's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// When it was admitted.
    pub since: Timestamp,
    /// When it is over, if nothing ends it earlier (R5).
    pub deadline: Timestamp,
}

impl Token {
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

    /// WAITING -> ACTIVE for `lasting` (R5), at this version of the line. Changes nothing in any other state.
    pub fn admit(&mut self, lasting: Duration, now: Timestamp, version: u64) {
        if self.status() == TokenStatus::Waiting {
            self.active = Some(Active { since: now, deadline: now.plus(lasting) });
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

    /// R5: a hold that ends later than ACTIVE moves the deadline to its own, so that what is held can be paid.
    pub fn cover(&mut self, hold_expires_at: Timestamp) {
        if let Some(active) = &mut self.active {
            active.deadline = active.deadline.max(hold_expires_at);
        }
    }

    /// Writes the end that the deadline brought (R3); whether there was one to write.
    pub fn expire_if_due(&mut self, now: Timestamp) -> bool {
        let due = self.status() == TokenStatus::Active && self.status_at(now) == TokenStatus::Expired;
        if due {
            self.end = Some(TokenEnd { at: now, reason: EndReason::Deadline });
        }
        due
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

    /// R6: whether this token ended by paying `reservation`.
    pub fn ended_by_paying(&self, reservation: ReservationId) -> bool {
        matches!(self.end, Some(TokenEnd { reason: EndReason::Paid(paid), .. }) if paid == reservation)
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
    fn a_hold_moves_the_deadline_later_never_earlier_r5() {
        let mut token = active_until(100);
        token.cover(at(80));
        assert_eq!(token.active.unwrap().deadline, at(100));
        token.cover(at(130));
        assert_eq!(token.active.unwrap().deadline, at(130));
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
