//! The line: positions that never rise (R4), turns in the order of ticket numbers (R3), one place a person (R1).

use std::collections::HashMap;

use uuid::Uuid;

use super::{Breach, Promise, Verdict};
use crate::answers::{Moment, Token, TokenState, ticket_number};
use crate::report::Fairness;

/// How much later than a turn somebody before it may still be told to wait: what servers tell may be so old, in microseconds.
const FOLLOWING: i64 = 2_000_000;

/// One person's place, as it was told so far.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    token: Uuid,
    /// The newest version that was told, with the lowest position; 0 for a turn that came.
    newest: u64,
    lowest: u64,
}

impl Place {
    /// From what the join told.
    pub(crate) fn new(joined: &Token) -> Self {
        let lowest = joined.position.unwrap_or(0);
        Self { token: joined.token, newest: joined.version, lowest }
    }

    /// Looks at what was told next.
    pub(crate) fn look(&mut self, told: &Token) -> Verdict {
        if told.token != self.token {
            return Err(Breach::new(Promise::AnotherToken, "a live place was answered with another token (R1)"));
        }
        // Who is EXPIRED has no position.
        let Some(position) = told.position else { return Ok(()) };
        if (told.status == TokenState::Active) != (position == 0) {
            return Err(Breach::new(Promise::PositionWrong, format!("{:?} at position {position} (R4)", told.status)));
        }
        // Another server may know less yet: what it tells may be too high, never too low.
        let behind = told.version < self.newest;
        let wrong = if behind { position < self.lowest } else { position > self.lowest };
        let (before, version) = (self.lowest, self.newest);
        if !behind {
            (self.newest, self.lowest) = (told.version, position.min(before));
        }
        if wrong {
            let now = told.version;
            let what = format!("position {before} at version {version}, and {position} at version {now} (R4)");
            return Err(Breach::new(Promise::PositionRose, what));
        }
        Ok(())
    }
}

/// Whose turn came when.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Ticket numbers with the moments of their turns.
    came: Vec<(u64, Moment)>,
    /// When who waits was last told so, by ticket number.
    waiting: HashMap<u64, Moment>,
    /// Whose token each ticket number is.
    owners: HashMap<u64, u64>,
    positions: u64,
    rises: u64,
}

impl Turns {
    /// A person was given a token. A number is one person's.
    pub(crate) fn issued(&mut self, person: u64, token: Uuid) -> Verdict {
        let ticket = ticket_number(token);
        match self.owners.insert(ticket, person) {
            Some(other) if other != person => {
                Err(Breach::new(Promise::TicketTwice, format!("two people have the ticket number {ticket} (R2)")))
            }
            _ => Ok(()),
        }
    }

    /// Somebody waits, as of a moment.
    pub(crate) fn waits(&mut self, token: Uuid, as_of: Moment) {
        let last = self.waiting.entry(ticket_number(token)).or_default();
        *last = as_of.max(*last);
    }

    /// Somebody's turn came.
    pub(crate) fn comes(&mut self, token: Uuid, activated_at: Moment) {
        let ticket = ticket_number(token);
        self.waiting.remove(&ticket);
        self.came.push((ticket, activated_at));
    }

    /// Somebody leaves the line: nobody who comes before the others is missed any more.
    pub(crate) fn leaves(&mut self, token: Uuid) {
        self.waiting.remove(&ticket_number(token));
    }

    /// A position was looked at, and what came of it.
    pub(crate) fn looked(&mut self, verdict: &Verdict) {
        self.positions += 1;
        self.rises += u64::from(verdict.as_ref().is_err_and(|breach| breach.promise == Promise::PositionRose));
    }

    /// The moments of the first and the last turn.
    pub(crate) fn span(&self) -> Option<(Moment, Moment)> {
        let moments = || self.came.iter().map(|(_, at)| *at);
        moments().min().zip(moments().max())
    }

    /// Compares all turns with each other, and with those who still wait.
    pub(crate) fn judge(&mut self) -> (Fairness, Vec<Breach>) {
        self.came.sort_unstable();
        let mut found = Vec::new();
        let mut latest: Option<(u64, Moment)> = None;
        for &(ticket, at) in &self.came {
            match latest {
                Some((before, then)) if at < then => found.push(overtaken(before, ticket)),
                _ => latest = Some((ticket, at)),
            }
        }
        // From the back: when the first turn came of all those behind.
        let mut waiting: Vec<_> = self.waiting.iter().map(|(ticket, as_of)| (*ticket, *as_of)).collect();
        waiting.sort_unstable();
        let (mut behind, mut first) = (self.came.iter().rev().peekable(), None::<(Moment, u64)>);
        for (ticket, as_of) in waiting.into_iter().rev() {
            while let Some((later, at)) = behind.next_if(|(later, _)| *later > ticket) {
                first = Some(first.map_or((*at, *later), |first| first.min((*at, *later))));
            }
            if let Some((_, later)) = first.filter(|(at, _)| at.0.saturating_add(FOLLOWING) < as_of.0) {
                found.push(overtaken(ticket, later));
            }
        }
        let turns = u64::try_from(self.came.len()).unwrap_or(u64::MAX);
        let inversions = u64::try_from(found.len()).unwrap_or(u64::MAX);
        (Fairness { positions: self.positions, rises: self.rises, turns, inversions }, found)
    }
}

fn overtaken(ticket: u64, by: u64) -> Breach {
    Breach::new(Promise::Overtaken, format!("the turn of ticket {by} came before that of ticket {ticket} (R3)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(ticket: u64) -> Uuid {
        let ticket = u128::from(ticket);
        Uuid::from_u128((ticket >> 8) << 80 | 8 << 76 | (ticket & 0xff) << 68)
    }

    fn told(version: u64, position: Option<u64>) -> Token {
        let status = match position {
            Some(0) => TokenState::Active,
            Some(_) => TokenState::Waiting,
            None => TokenState::Expired,
        };
        Token {
            token: token(9),
            status,
            position,
            version,
            poll_after_ms: None,
            user_id: None,
            issued_at: None,
            activated_at: None,
            selection_ends_at: None,
            expires_at: None,
            server_time: Moment(0),
            as_of: None,
        }
    }

    #[test]
    fn a_position_never_rises_at_an_equal_or_later_version_r4() {
        for (then, now, kept) in [
            ((5, 9), (5, 9), true),
            ((5, 9), (6, 8), true),
            ((5, 9), (6, 10), false),
            ((5, 9), (5, 10), false),
            // Another server, which is behind.
            ((5, 9), (4, 10), true),
            ((5, 9), (4, 8), false),
            ((5, 1), (6, 0), true),
            ((5, 0), (6, 1), false),
        ] {
            let mut place = Place::new(&told(then.0, Some(then.1)));
            let verdict = place.look(&told(now.0, Some(now.1)));
            assert_eq!(verdict.is_ok(), kept, "{then:?} {now:?} {verdict:?}");
        }
    }

    #[test]
    fn what_is_compared_is_the_newest_that_was_told() {
        let mut place = Place::new(&told(5, Some(9)));
        assert_eq!(place.look(&told(7, Some(4))), Ok(()));
        assert_eq!(place.look(&told(6, Some(7))), Ok(()));
        assert_eq!(place.look(&told(7, Some(5))).unwrap_err().promise, Promise::PositionRose);
        assert_eq!(place.look(&told(8, None)), Ok(()));
    }

    #[test]
    fn a_position_fits_its_status_and_a_place_keeps_its_token_r1() {
        let mut place = Place::new(&told(5, Some(9)));
        let active_in_line = Token { status: TokenState::Active, ..told(6, Some(3)) };
        assert_eq!(place.look(&active_in_line).unwrap_err().promise, Promise::PositionWrong);
        let another = Token { token: token(10), ..told(6, Some(3)) };
        assert_eq!(place.look(&another).unwrap_err().promise, Promise::AnotherToken);
    }

    #[test]
    fn positions_are_counted_and_those_that_rose() {
        let mut turns = Turns::default();
        turns.looked(&Ok(()));
        turns.looked(&Err(Breach::new(Promise::PositionRose, "")));
        turns.looked(&Err(Breach::new(Promise::PositionWrong, "")));
        let (fairness, _) = turns.judge();
        assert_eq!((fairness.positions, fairness.rises), (3, 1));
    }

    fn inversions(came: &[(u64, i64)], waiting: &[(u64, i64)]) -> u64 {
        let mut turns = Turns::default();
        for &(ticket, at) in waiting {
            turns.waits(token(ticket), Moment(at));
        }
        for &(ticket, at) in came {
            turns.comes(token(ticket), Moment(at));
        }
        let (fairness, found) = turns.judge();
        assert_eq!(fairness.inversions, u64::try_from(found.len()).unwrap());
        fairness.inversions
    }

    #[test]
    fn turns_come_in_the_order_of_numbers_r3() {
        for (came, waiting, expected) in [
            (&[(1, 10), (2, 10), (700, 20)][..], &[][..], 0),
            (&[(700, 20), (2, 10), (1, 10)], &[], 0),
            (&[(1, 10), (2, 9)], &[], 1),
            (&[(1, 10), (2, 9), (3, 9), (4, 10)], &[], 2),
            // Told to wait so soon after the turn of somebody behind that the news may not have come round.
            (&[(5, 10)], &[(4, 10 + FOLLOWING)], 0),
            (&[(5, 10)], &[(4, 11 + FOLLOWING)], 1),
            (&[(5, 10)], &[(6, 11 + FOLLOWING)], 0),
            (&[(5, 90), (6, 10)], &[(4, 11 + FOLLOWING)], 2),
            // Whose turn came does not wait any more.
            (&[(4, 10), (5, 10)], &[(4, 11 + FOLLOWING)], 0),
        ] {
            assert_eq!(inversions(came, waiting), expected, "{came:?} {waiting:?}");
        }
    }

    #[test]
    fn who_left_is_not_missed_and_a_number_is_one_persons_r2() {
        let mut turns = Turns::default();
        turns.waits(token(4), Moment(9 * FOLLOWING));
        turns.leaves(token(4));
        turns.comes(token(5), Moment(10));
        assert_eq!(turns.judge().0.inversions, 0);
        assert_eq!(turns.issued(1, token(4)), Ok(()));
        assert_eq!(turns.issued(1, token(4)), Ok(()));
        assert_eq!(turns.issued(2, token(4)).unwrap_err().promise, Promise::TicketTwice);
    }
}
