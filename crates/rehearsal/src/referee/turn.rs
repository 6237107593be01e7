//! A turn: holds begin until its selection ends, and it lasts until it was said to be over (R5).

use super::{Breach, Promise, Verdict};
use crate::answers::{Moment, Reservation, Token, TokenState};

/// One person's turn, as it was told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turn {
    selection_ends_at: Option<Moment>,
}

impl Turn {
    /// From what was told when it came.
    pub(crate) fn new(told: &Token) -> Self {
        Self { selection_ends_at: told.selection_ends_at }
    }

    /// A hold was acknowledged. Both moments are the store's.
    pub(crate) fn hold(&self, reservation: &Reservation) -> Verdict {
        match self.selection_ends_at {
            Some(end) if reservation.reserved_at >= end => {
                let late = reservation.reserved_at.seconds_since(end);
                Err(Breach::new(Promise::HeldTooLate, format!("a hold began {late} s after the end of selection (R5)")))
            }
            _ => Ok(()),
        }
    }
}

/// Looks whether a token is still called ACTIVE when its time is up, by the clock of the server that says so.
pub(crate) fn is_not_over(told: &Token) -> Verdict {
    match told.expires_at {
        Some(end) if told.status == TokenState::Active && told.server_time >= end => {
            let late = told.server_time.seconds_since(end);
            Err(Breach::new(Promise::TurnTooLong, format!("ACTIVE {late} s after its time was up (R5)")))
        }
        _ => Ok(()),
    }
}

/// Looks whether a turn came before the queue opened, both by the store's clock.
pub(crate) fn is_not_early(told: &Token, opens_at: Option<Moment>) -> Verdict {
    match (told.activated_at, opens_at) {
        (Some(came), Some(opens)) if came < opens => {
            let early = opens.seconds_since(came);
            Err(Breach::new(Promise::BeforeOpening, format!("a turn came {early} s before the queue opened (R19)")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::answers::Points;

    fn told(status: TokenState, server_time: i64) -> Token {
        Token {
            token: Uuid::nil(),
            status,
            position: None,
            version: 1,
            poll_after_ms: None,
            user_id: None,
            issued_at: None,
            activated_at: Some(Moment(0)),
            selection_ends_at: Some(Moment(600)),
            expires_at: Some(Moment(900)),
            server_time: Moment(server_time),
            as_of: None,
        }
    }

    #[test]
    fn no_hold_begins_when_selection_is_over_r5() {
        let turn = Turn::new(&told(TokenState::Active, 5));
        for (reserved_at, broken) in [(599, false), (600, true), (601, true)] {
            let hold = Reservation {
                id: Uuid::nil(),
                user_id: "u".to_owned(),
                schedule_id: Uuid::nil(),
                seats: vec![],
                amount: Points(0),
                status: "PENDING".to_owned(),
                reserved_at: Moment(reserved_at),
                expires_at: Moment(reserved_at + 300),
            };
            let expected = broken.then_some(Promise::HeldTooLate);
            assert_eq!(turn.hold(&hold).err().map(|breach| breach.promise), expected, "{reserved_at}");
            assert_eq!(Turn::default().hold(&hold), Ok(()), "a server that tells no end");
        }
    }

    #[test]
    fn no_turn_comes_before_the_queue_opens_r19() {
        for (came, opens, broken) in
            [(99, Some(100), true), (100, Some(100), false), (101, Some(100), false), (1, None, false)]
        {
            let told = Token { activated_at: Some(Moment(came)), ..told(TokenState::Active, 5) };
            let expected = broken.then_some(Promise::BeforeOpening);
            assert_eq!(is_not_early(&told, opens.map(Moment)).err().map(|breach| breach.promise), expected, "{came}");
        }
        assert_eq!(
            is_not_early(&Token { activated_at: None, ..told(TokenState::Waiting, 5) }, Some(Moment(9))),
            Ok(())
        );
    }

    #[test]
    fn nobody_is_active_when_the_turn_is_over_r5() {
        for (status, server_time, broken) in [
            (TokenState::Active, 899, false),
            (TokenState::Active, 900, true),
            (TokenState::Expired, 900, false),
            (TokenState::Waiting, 900, false),
        ] {
            let expected = broken.then_some(Promise::TurnTooLong);
            let verdict = is_not_over(&told(status, server_time));
            assert_eq!(verdict.err().map(|breach| breach.promise), expected, "{status:?} {server_time}");
        }
    }
}
