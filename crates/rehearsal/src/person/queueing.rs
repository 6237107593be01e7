//! Standing in line: joining, asking for one's place as advised, giving up.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{Person, Standing, Stuck};
use crate::answers::{Moment, Token, TokenState};
use crate::character::GivingUp;
use crate::client::{Answer, Call};
use crate::operation::Operation;
use crate::referee::line::Place;
use crate::referee::turn::{Turn, is_not_early, is_not_over};
use crate::referee::{Breach, Promise};

impl Person {
    /// Stands in line until it is this person's turn; whether it came.
    pub(super) async fn queue(&mut self) -> Result<bool, Stuck> {
        let arrived = self.due;
        let (mut asked, mut told, mut answered) = self.join().await?;
        let gives_up = self.character.patience.map(|(long, how)| (arrived + long, how));
        loop {
            match told.status {
                TokenState::Active => {
                    self.comes(&told, asked);
                    return Ok(true);
                }
                TokenState::Expired => return Ok(false),
                TokenState::Waiting => {}
            }
            let next = answered + Duration::from_millis(told.poll_after_ms.unwrap_or(1_000));
            if let Some((end, how)) = gives_up.filter(|(end, _)| *end <= next) {
                tokio::time::sleep_until(end).await;
                self.due = end;
                self.give_up(how).await?;
                return Ok(false);
            }
            tokio::time::sleep_until(next).await;
            (self.due, asked) = (next, next);
            (told, answered) = if self.character.rejoins && self.dice.percent(20) {
                self.join_again().await?
            } else {
                self.poll().await?
            };
        }
    }

    /// Takes a place; and when it was asked for, what was told, and when that came.
    async fn join(&mut self) -> Result<(Instant, Token, Instant), Stuck> {
        let (call, asked) = (self.joining()?, self.due);
        let answer = if self.character.joins_twice { self.join_twice(&call).await? } else { self.ask(&call).await? };
        let told: Token = self.read(&call, &answer)?;
        self.is_mine(told.user_id.as_deref(), &call, &answer);
        self.token = told.token.to_string();
        self.issued_at = told.issued_at;
        self.place = Some(Place::new(&told));
        self.look_at_turn(&told, &call, &answer);
        self.check(self.rehearsal.referee.turns().issued(self.number, told.token), &call, &answer);
        if told.status == TokenState::Waiting {
            self.standing = Standing::Waiting;
            self.rehearsal.recorder.counts().waits();
            self.rehearsal.referee.turns().waits(told.token, told.server_time);
        }
        Ok((asked, told, answer.at))
    }

    fn joining(&self) -> Result<Call, Stuck> {
        let call = Call::new(Operation::Join, "/queue/tokens");
        let call = call.body(&json!({"user_id": self.user, "queue": self.rehearsal.stage.queue}));
        let Some(identity) = &self.rehearsal.identity else { return Ok(call) };
        match identity.vouch(&self.user) {
            Ok(proof) => Ok(call.bearer(proof)),
            Err(error) => {
                self.note(Breach::new(Promise::NoIdentity, error.to_string()), &call, None);
                Err(Stuck)
            }
        }
    }

    /// Joins twice at once: both must give the same place (R1).
    async fn join_twice(&mut self, call: &Call) -> Result<Answer, Stuck> {
        let (one, other) =
            tokio::join!(Box::pin(self.ask_at(call, self.turn)), Box::pin(self.ask_at(call, self.turn + 1)));
        let (one, other) = (one?, other?);
        let [token, again] = [self.read::<Token>(call, &one)?.token, self.read::<Token>(call, &other)?.token];
        if token != again || (one.status, other.status) == (201, 201) {
            self.note(Breach::new(Promise::TwoPlaces, "two joins at once made two places (R1)"), call, Some(&other));
        }
        self.due = one.at.max(other.at);
        Ok(one)
    }

    /// Joins again, which tells the same as a poll (R1).
    async fn join_again(&mut self) -> Result<(Token, Instant), Stuck> {
        let call = self.joining()?;
        let answer = self.ask(&call).await?;
        let told: Token = self.read(&call, &answer)?;
        if answer.status == 201 {
            // The place is lost, and this is another one, at the end of the line.
            self.lost_place(&call, &answer);
            return Ok((Token { status: TokenState::Expired, ..told }, answer.at));
        }
        self.look(&told, &call, &answer);
        Ok((told, answer.at))
    }

    async fn poll(&mut self) -> Result<(Token, Instant), Stuck> {
        let call = Call::new(Operation::Poll, "/queue/tokens/me").bearer(&*self.token);
        let answer = self.ask(&call).await?;
        let told: Token = self.read(&call, &answer)?;
        self.look(&told, &call, &answer);
        if told.status == TokenState::Expired {
            self.lost_place(&call, &answer);
        }
        Ok((told, answer.at))
    }

    /// Looks at what was told of the place.
    fn look(&mut self, told: &Token, call: &Call, answer: &Answer) {
        self.look_at_turn(told, call, answer);
        if let Some(place) = &mut self.place {
            let verdict = place.look(told);
            self.rehearsal.referee.turns().looked(&verdict);
            self.check(verdict, call, answer);
        }
        if told.status == TokenState::Waiting {
            if told.poll_after_ms.is_none() {
                self.note(
                    Breach::new(Promise::NoAdvice, "who waits was not told when to ask again"),
                    call,
                    Some(answer),
                );
            }
            self.rehearsal.referee.turns().waits(told.token, told.as_of.unwrap_or(told.server_time));
        }
    }

    fn look_at_turn(&self, told: &Token, call: &Call, answer: &Answer) {
        self.check(is_not_over(told), call, answer);
        self.check(is_not_early(told, self.rehearsal.stage.opens_at), call, answer);
    }

    /// Somebody who polled as advised was passed over as absent, which no server may do.
    fn lost_place(&self, call: &Call, answer: &Answer) {
        if !self.rehearsal.options.expect_outages {
            let breach =
                Breach::new(Promise::PlaceLost, "who asked as advised was passed over, and never ACTIVE (R22)");
            self.note(breach, call, Some(answer));
        }
        if let Ok(token) = self.token.parse() {
            self.rehearsal.referee.turns().leaves(token);
        }
    }

    /// The turn has come, as was told in answer to a request of `asked`.
    fn comes(&mut self, told: &Token, asked: Instant) {
        let waited = self.standing == Standing::Waiting;
        self.standing = Standing::Active;
        self.rehearsal.recorder.counts().admitted(waited, self.issued_at, told.activated_at);
        if let Some(activated_at) = told.activated_at {
            self.rehearsal.referee.turns().comes(told.token, activated_at);
        }
        self.turn_told = Turn::new(told);
        // The service answered later than it was asked: so long it is ACTIVE at least.
        let until = |end: Moment| {
            asked + Duration::from_micros(u64::try_from(end.0.saturating_sub(told.server_time.0)).unwrap_or(0))
        };
        (self.selects_until, self.active_until) = (told.selection_ends_at.map(until), told.expires_at.map(until));
    }

    async fn give_up(&mut self, how: GivingUp) -> Result<(), Stuck> {
        if let Ok(token) = self.token.parse() {
            self.rehearsal.referee.turns().leaves(token);
        }
        match how {
            GivingUp::Leave => self.leave().await,
            GivingUp::Vanish => Ok(()),
        }
    }

    /// Leaves, and gives up what is held (R17).
    pub(super) async fn leave(&mut self) -> Result<(), Stuck> {
        let call = Call::new(Operation::Leave, "/queue/tokens/me").bearer(&*self.token);
        self.ask(&call).await.map(drop)
    }
}
