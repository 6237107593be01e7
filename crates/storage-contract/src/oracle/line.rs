//! The line by brute force: who is where is found by going through all tokens.

use super::known::{End, Tok};
use super::{Oracle, Verdict, refused, user_name};
use crate::history::log::{
    Answer, BookingStatus, LineSeen, Opens, Place, ReportSeen, Terms, TokenSeen, TokenState, TurnSeen,
};
use crate::history::stage;

impl Oracle {
    pub(super) fn of_queue(&self, queue: usize) -> impl Iterator<Item = &Tok> {
        self.tokens.iter().filter(move |token| token.place.queue == queue)
    }

    /// Which token of the list a place is, if it was issued.
    pub(super) fn token_at(&self, place: Place) -> Result<usize, String> {
        match self.tokens.iter().position(|token| token.place == place) {
            Some(index) => Ok(index),
            None => refused("TokenUnknown"),
        }
    }

    /// Refuses what is not ACTIVE.
    pub(super) fn guard(&self, token: usize) -> Result<(), String> {
        match &self.tokens[token] {
            token if token.is_active() => Ok(()),
            token if token.waits() => refused("TokenNotActive(Waiting)"),
            _ => refused("TokenNotActive(Expired)"),
        }
    }

    /// What a user holds has changed: a turn lasts until selection and the last hold are over, and ends at once when both are.
    pub(super) fn settle(&mut self, token: usize) {
        let (now, place, user) = (self.now, self.tokens[token].place, user_name(self.tokens[token].user));
        let holds = self.bookings.iter().filter(|booking| {
            booking.status == BookingStatus::Pending && booking.user == user && booking.queue == place.queue
        });
        let last = holds.map(|booking| booking.expires_at).max();
        let token = &mut self.tokens[token];
        if token.is_active()
            && let Some(turn) = &mut token.turn
        {
            turn.expires_at = turn.selection_ends_at.max(last.unwrap_or(now)).max(now);
        }
        token.pass(now);
    }

    pub(super) fn join(&mut self, queue: usize, user: usize, line: Option<LineSeen>) -> Answer {
        let known = self.of_queue(queue).find(|token| token.user == user && token.end.is_none());
        let (known, issued) = (known.map(|token| token.place), self.of_queue(queue).count());
        let place = known.unwrap_or(Place { queue, number: u64::try_from(issued).unwrap() + 1 });
        let alone = !self.of_queue(queue).any(Tok::waits);
        if known.is_none() {
            self.tokens.push(Tok { place, user, issued_at: self.now, turn: None, paid: Vec::new(), end: None });
        }
        if alone {
            self.let_in(queue);
        }
        let token = self.tokens.iter().find(|token| token.place == place).unwrap();
        Answer::Joined { created: known.is_none(), token: self.seen(token), line: line.unwrap_or(NO_LINE) }
    }

    pub(super) fn leave(&mut self, place: Place) -> Result<Answer, String> {
        let now = self.now;
        let index = self.token_at(place)?;
        let token = &mut self.tokens[index];
        if token.end.is_none() {
            token.end = Some(End::Left(now));
            let user = user_name(token.user);
            for booking in &mut self.bookings {
                let own = booking.user == user && booking.queue == place.queue;
                if own && booking.status == BookingStatus::Pending {
                    booking.status = BookingStatus::ByLeaving;
                }
            }
        }
        Ok(Answer::Left)
    }

    pub(super) fn admit(&mut self, line: Option<LineSeen>) -> Answer {
        let mut ticks = Vec::new();
        for queue in 0..self.policies.len() {
            let admitted = self.let_in(queue);
            if admitted > 0 {
                let active = self.of_queue(queue).filter(|token| token.is_active()).count();
                ticks.push((queue, admitted, u64::try_from(active).unwrap(), line.unwrap_or(NO_LINE)));
            }
        }
        Answer::Admitted(ticks)
    }

    pub(super) fn change(&mut self, queue: usize, change: &Terms, line: Option<LineSeen>) -> Result<Answer, String> {
        if change.batch == Some(0) || change.interval == Some(0) || change.opens == Opens::At(stage::TOO_LATE) {
            return refused("Invalid");
        }
        let now = self.now;
        let policy = &mut self.policies[queue];
        policy.max_active = change.max_active.unwrap_or(policy.max_active);
        policy.batch = change.batch.unwrap_or(policy.batch);
        policy.interval = change.interval.unwrap_or(policy.interval);
        policy.paused = change.paused.unwrap_or(policy.paused);
        match change.opens {
            Opens::AsBefore => {}
            Opens::AtOnce => policy.opens_at = None,
            Opens::At(at) => policy.opens_at = Some(at),
        }
        policy.since = now;
        policy.grants.clear();
        Ok(Answer::Changed(self.report(queue, line.unwrap_or(NO_LINE))))
    }

    /// Lets in whoever may come in now: the smallest waiting numbers, as many as there is room and grants for.
    fn let_in(&mut self, queue: usize) -> u64 {
        let now = self.now;
        let active = self.of_queue(queue).filter(|token| token.is_active()).count();
        let policy = &mut self.policies[queue];
        let free = usize::try_from(policy.max_active).unwrap().saturating_sub(active);
        let room = free.min(policy.left(now));
        let mut admitted = 0;
        // Tokens of a queue were pushed in the order of their numbers.
        let waiting = self.tokens.iter_mut().filter(|token| token.place.queue == queue && token.waits());
        for token in waiting.take(room) {
            let over = now + stage::ACTIVE;
            token.turn = Some(TurnSeen { since: now, selection_ends_at: over, expires_at: over });
            policy.grants.push(now);
            admitted += 1;
        }
        admitted
    }

    pub(super) fn seen(&self, token: &Tok) -> TokenSeen {
        let state = match token.end {
            Some(End::Over) => TokenState::Over,
            Some(End::Left(at)) => TokenState::Left { at },
            Some(End::Paid(at, booking)) => TokenState::Paid { at, booking },
            None if token.turn.is_some() => TokenState::Active,
            None => {
                let ahead = self.of_queue(token.place.queue);
                let ahead = ahead.filter(|other| other.waits() && other.place.number < token.place.number).count();
                TokenState::Waiting { position: u64::try_from(ahead).unwrap() + 1 }
            }
        };
        let (place, user, issued_at, turn) = (token.place, user_name(token.user), token.issued_at, token.turn);
        TokenSeen { place, user, issued_at, turn, state }
    }

    pub(super) fn report(&self, queue: usize, line: LineSeen) -> ReportSeen {
        let policy = &self.policies[queue];
        let active = self.of_queue(queue).filter(|token| token.is_active()).count();
        let active = u64::try_from(active).unwrap();
        let (max_active, batch, interval, paused) = (policy.max_active, policy.batch, policy.interval, policy.paused);
        let opens_at = policy.opens_at;
        let ended = |how: fn(End) -> bool| {
            let ended = self.of_queue(queue).filter(|token| token.end.is_some_and(how)).count();
            u64::try_from(ended).unwrap()
        };
        let ended = (
            ended(|end| matches!(end, End::Paid(..))),
            ended(|end| matches!(end, End::Left(_))),
            ended(|end| end == End::Over),
        );
        let first = self.of_queue(queue).find(|token| token.waits());
        let waited = |token: &Tok| {
            let since = token.turn?.since;
            (since >= self.now - stage::RECENT).then_some(since - token.issued_at)
        };
        let mut waits: Vec<i64> = self.of_queue(queue).filter_map(waited).collect();
        waits.sort_unstable();
        let oldest_wait = first.map(|token| self.now - token.issued_at);
        ReportSeen { max_active, batch, interval, paused, opens_at, active, line, ended, oldest_wait, waits }
    }

    /// The counters of a line against the tokens, and against what was seen before.
    pub(super) fn check_line(&mut self, queue: usize, line: &LineSeen) -> Verdict {
        let count = |has: &dyn Fn(&Tok) -> bool| {
            u64::try_from(self.of_queue(queue).filter(|token| has(token)).count()).unwrap()
        };
        let expected = LineSeen {
            issued: count(&|_| true),
            admitted: count(&|token| token.turn.is_some()),
            ended_beyond: count(&|token| token.place.number > line.frontier && token.end.is_some()),
            ..*line
        };
        let waiting = count(&Tok::waits);
        let behind = count(&|token| token.place.number <= line.frontier && token.waits());
        let beyond = count(&|token| token.place.number > line.frontier && token.turn.is_some());
        let sum = line.issued.checked_sub(line.frontier).and_then(|rest| rest.checked_sub(line.ended_beyond));
        if expected != *line || behind > 0 || beyond > 0 || sum != Some(waiting) {
            return Err(format!("line {line:?}, but {expected:?}, {behind} wait behind and {beyond} are in beyond it"));
        }
        if let Some(last) = self.lines[queue].replace(*line)
            && (line.version < last.version || (line.version == last.version && *line != last))
        {
            return Err(format!("line {line:?} after {last:?}"));
        }
        Ok(())
    }
}

/// Where an answer was expected to show a line and does not: equal to none.
const NO_LINE: LineSeen = LineSeen { issued: u64::MAX, admitted: 0, frontier: 0, ended_beyond: 0, version: 0 };
