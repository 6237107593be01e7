//! One person: comes, stands in line, chooses, pays or does not, and goes.

mod choosing;
mod paying;
mod queueing;

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::answers::Moment;
use crate::character::Character;
use crate::client::{Answer, Call, Outcome};
use crate::dice::Dice;
use crate::recorder::Fate;
use crate::referee::line::Place;
use crate::referee::turn::Turn;
use crate::referee::wallet::Purse;
use crate::referee::{Breach, Promise, Verdict};
use crate::rehearsal::Rehearsal;

/// How often somebody asks again whom no server answers: when servers are to be there, and when they may be away for a while.
const TRIES: (usize, usize) = (5, 200);
/// How long they wait before they do: doubled each time, up to the latter.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Somebody cannot go on: no server answers, or what it says makes no sense. What is wrong has been noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stuck;

/// Where somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Not in line yet, or not any more.
    Outside,
    /// In line.
    Waiting,
    /// It is their turn.
    Active,
}

/// One person.
pub(crate) struct Person {
    rehearsal: Arc<Rehearsal>,
    number: u64,
    user: String,
    character: Character,
    dice: Dice,
    /// When the next request is due.
    due: Instant,
    /// Which server is asked next.
    turn: usize,
    /// How many idempotency keys were made.
    keys: u32,
    standing: Standing,
    token: String,
    place: Option<Place>,
    issued_at: Option<Moment>,
    turn_told: Turn,
    /// Until when holds may begin, at least.
    selects_until: Option<Instant>,
    /// Until when the token is ACTIVE, at least.
    active_until: Option<Instant>,
    purse: Purse,
}

impl Person {
    /// The person of this number, who comes at `due`.
    pub(crate) fn new(rehearsal: Arc<Rehearsal>, number: u64, due: Instant) -> Self {
        let mut dice = Dice::of(rehearsal.options.seed, number);
        Self {
            user: format!("{}-{number}", rehearsal.stage.users),
            character: Character::draw(&mut dice),
            turn: usize::try_from(number).unwrap_or(0),
            rehearsal,
            number,
            dice,
            due,
            keys: 0,
            standing: Standing::Outside,
            token: String::new(),
            place: None,
            issued_at: None,
            turn_told: Turn::default(),
            selects_until: None,
            active_until: None,
            purse: Purse::default(),
        }
    }

    /// Plays this person until they leave. One who gets stuck is never counted as gone.
    pub(crate) async fn visit(mut self) {
        self.rehearsal.recorder.counts().arrived();
        let fate = match self.queue().await {
            Ok(true) => self.shop().await,
            Ok(false) => Ok(Fate::GaveUp),
            Err(stuck) => Err(stuck),
        };
        if let Ok(fate) = fate {
            let (waiting, active) = (self.standing == Standing::Waiting, self.standing == Standing::Active);
            self.rehearsal.recorder.counts().goes(fate, waiting, active);
        }
    }

    /// Asks until there is an answer.
    async fn ask(&mut self, call: &Call) -> Result<Answer, Stuck> {
        self.turn += 1;
        let answer = self.ask_at(call, self.turn).await?;
        self.due = answer.at;
        Ok(answer)
    }

    /// Asks until there is an answer, the server of this turn first, and looks whether the answer may be so.
    async fn ask_at(&self, call: &Call, turn: usize) -> Result<Answer, Stuck> {
        let (mut due, mut backoff) = (self.due, BACKOFF.0);
        let tries = if self.rehearsal.options.expect_outages { TRIES.1 } else { TRIES.0 };
        for attempt in 0..tries {
            // Not on the stack of everybody who waits for the next request.
            let outcome = Box::pin(self.rehearsal.client.send(call, turn + attempt)).await;
            if let Some(answer) = self.settled(call, outcome, due) {
                return Ok(answer);
            }
            tokio::time::sleep(backoff).await;
            (due, backoff) = (Instant::now(), BACKOFF.1.min(backoff * 2));
            self.rehearsal.recorder.counts().outages().repeated += 1;
        }
        Err(Stuck)
    }

    /// Counts what came back. An answer that settles the request is returned; otherwise it has to be sent again.
    fn settled(&self, call: &Call, outcome: Outcome, due: Instant) -> Option<Answer> {
        let (recorder, took, expected) =
            (&self.rehearsal.recorder, due.elapsed(), self.rehearsal.options.expect_outages);
        match outcome {
            Outcome::Broken(why) => {
                recorder.answered(call.operation, "no answer", took, true);
                recorder.counts().outages().broken += 1;
                if !expected {
                    self.note(Breach::new(Promise::NoAnswer, why), call, None);
                }
                None
            }
            Outcome::Answered(answer) => {
                let outcome = [answer.status.to_string().as_str(), &answer.code].join(" ");
                recorder.answered(call.operation, outcome.trim_end(), took, answer.status >= 500);
                self.check(conduct(call, &answer, expected), call, &answer);
                let counts = &mut recorder.counts();
                match (answer.status, &*answer.code) {
                    (503, "overloaded") => counts.outages().overloaded += 1,
                    (503, _) => counts.outages().unavailable += 1,
                    (500.., _) => {}
                    _ => return Some(answer),
                }
                None
            }
        }
    }

    /// Reads an answer's body. One that must not be here is another thing than what is read, and has been noted already.
    fn read<T: DeserializeOwned>(&self, call: &Call, answer: &Answer) -> Result<T, Stuck> {
        serde_json::from_slice(&answer.body).map_err(|error| {
            if call.operation.allows(answer.status, &answer.code) {
                self.note(Breach::new(Promise::MalformedAnswer, error.to_string()), call, Some(answer));
            }
            Stuck
        })
    }

    /// Notes what is wrong, if anything is.
    fn check(&self, verdict: Verdict, call: &Call, answer: &Answer) {
        if let Err(breach) = verdict {
            self.note(breach, call, Some(answer));
        }
    }

    fn note(&self, breach: Breach, call: &Call, answer: Option<&Answer>) {
        self.rehearsal.referee.note(breach, self.rehearsal.recorder.seconds(), call, answer);
    }

    /// Looks whether an answer is about this person.
    fn is_mine(&self, user: Option<&str>, call: &Call, answer: &Answer) {
        if user != Some(self.user.as_str()) {
            let what = format!("{} was told of {}", self.user, user.unwrap_or("nobody"));
            self.note(Breach::new(Promise::AnotherPerson, what), call, Some(answer));
        }
    }

    /// Whether a guarded request was refused because the token is not ACTIVE any more. It must not be while it is.
    fn turn_is_over(&self, call: &Call, answer: &Answer) -> bool {
        let refused = answer.code == "token_not_active";
        if refused && self.active_until.is_some_and(|until| answer.at < until) {
            let breach =
                Breach::new(Promise::ActiveRefused, "an ACTIVE token was refused before its time was up (R5, R6)");
            self.note(breach, call, Some(answer));
        }
        refused
    }

    /// Whether a hold was refused because it comes too late in this turn. It must not be before.
    fn selection_is_over(&self, call: &Call, answer: &Answer) -> bool {
        let refused = answer.code == "selection_closed";
        if refused && self.selects_until.is_some_and(|until| answer.at < until) {
            let breach = Breach::new(Promise::ActiveRefused, "a hold was refused before the end of selection (R5)");
            self.note(breach, call, Some(answer));
        }
        refused
    }

    /// A key that nobody has used.
    fn fresh_key(&mut self) -> String {
        self.keys += 1;
        format!("{}-{}", self.user, self.keys)
    }

    /// Thinks for as long as this person does, `times` over: the next request is due after it.
    async fn think(&mut self, times: f64) {
        let long = self.character.thinking.mul_f64(times / self.rehearsal.options.haste);
        self.due = Instant::now() + long;
        tokio::time::sleep_until(self.due).await;
    }

    /// Sends a request whose answer gets lost: hangs up so soon that it may have come through, or not.
    async fn lose(&mut self, call: &Call) {
        self.turn += 1;
        let after = Duration::from_micros(200 + u64::try_from(self.dice.roll(20_000)).unwrap_or(0));
        Box::pin(self.rehearsal.client.send_and_hang_up(call, self.turn, after)).await;
        self.rehearsal.recorder.counts().outages().lost_on_purpose += 1;
        self.due = Instant::now();
    }
}

/// Whether this operation may give such an answer to anybody.
fn conduct(call: &Call, answer: &Answer, outages_expected: bool) -> Verdict {
    let (status, code) = (answer.status, &*answer.code);
    if !answer.lacks.is_empty() {
        return Err(Breach::new(Promise::MalformedAnswer, format!("an answer {status} without {}", answer.lacks)));
    }
    if status == 503 && ["overloaded", "unavailable"].contains(&code) {
        let what = || Breach::new(Promise::ServerError, format!("503 {code}, and no outage was expected"));
        return if outages_expected { Ok(()) } else { Err(what()) };
    }
    if status >= 500 {
        return Err(Breach::new(Promise::ServerError, format!("{status} {code}")));
    }
    if call.operation.allows(status, code) {
        return Ok(());
    }
    let what = format!("{} was answered {status} {code}, which it must not be here", call.operation.name());
    Err(Breach::new(Promise::WrongOutcome, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation;

    #[tokio::test]
    async fn answers_that_must_not_be() {
        let at = Instant::now();
        for (status, code, lacks, outages, broken) in [
            (201, "", "", false, None),
            (409, "seat_taken", "", false, None),
            (409, "seat_limit", "", false, Some(Promise::WrongOutcome)),
            (401, "token_unknown", "", false, Some(Promise::WrongOutcome)),
            (201, "", "X-Request-Id", false, Some(Promise::MalformedAnswer)),
            (500, "internal", "", true, Some(Promise::ServerError)),
            (503, "unavailable", "", false, Some(Promise::ServerError)),
            (503, "unavailable", "", true, None),
            (503, "", "a problem document with a code", true, Some(Promise::MalformedAnswer)),
        ] {
            let answer =
                Answer { status, code: code.to_owned(), body: bytes::Bytes::new(), replayed: false, lacks, at };
            let verdict = conduct(&Call::new(Operation::Hold, "/reservations"), &answer, outages);
            assert_eq!(verdict.err().map(|breach| breach.promise), broken, "{answer:?}");
        }
    }
}
