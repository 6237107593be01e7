//! Choosing: dates, seats, and a hold on them.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Person, Stuck};
use crate::answers::{Page, Problem, Reservation, Schedule, Seat};
use crate::character::Intent;
use crate::client::{Answer, Call};
use crate::operation::Operation;
use crate::recorder::Fate;
use crate::referee::seats::is_what_was_asked;
use crate::referee::{Breach, Promise};

/// How often somebody chooses who gets nothing.
const TRIES: usize = 6;

/// Seats on hold.
pub(super) struct Held {
    pub(super) reservation: Reservation,
    /// Until when, at least.
    pub(super) until: Instant,
    /// When that was told.
    heard: Instant,
}

impl Person {
    /// What somebody does whose turn it is.
    pub(super) async fn shop(&mut self) -> Result<Fate, Stuck> {
        let mut intent = self.character.intent;
        loop {
            let Some(held) = self.choose().await? else { break };
            self.think(1.0).await;
            match intent {
                Intent::Buy => return self.buy(held).await,
                Intent::Abandon => return Ok(Fate::EmptyHanded),
                Intent::Cancel => {
                    self.cancel(&held).await?;
                    break;
                }
                Intent::CancelAndBuy => {
                    self.cancel(&held).await?;
                    intent = Intent::Buy;
                }
            }
        }
        self.leave().await?;
        Ok(Fate::EmptyHanded)
    }

    /// Looks for seats until some are on hold; nothing when there are none, or the turn is over.
    async fn choose(&mut self) -> Result<Option<Held>, Stuck> {
        for _ in 0..TRIES {
            let Some(schedules) = self.schedules().await? else { return Ok(None) };
            // The first evenings are those that most people want.
            let wanted = self.dice.roll(schedules.len()).min(self.dice.roll(schedules.len()));
            let Some(schedule) = schedules.get(wanted).map(|schedule| schedule.id) else {
                // What others hold may be free again soon.
                self.think(1.0).await;
                continue;
            };
            let Some(seats) = self.seats(schedule).await? else { return Ok(None) };
            let chosen = self.pick(seats);
            if chosen.is_empty() {
                continue;
            }
            self.think(1.0).await;
            let (call, numbers) = self.holding(schedule, &chosen);
            let asked = self.due;
            if self.character.loses_hold {
                self.lose(&call).await;
            }
            let answer = self.ask(&call).await?;
            if self.turn_is_over(&call, &answer) || self.selection_is_over(&call, &answer) {
                return Ok(None);
            }
            match answer.status {
                201 => return self.held(schedule, &numbers, &call, &answer, asked).map(Some),
                _ => self.taken(&numbers, &call, &answer)?,
            }
        }
        Ok(None)
    }

    /// The dates that have seats left; nothing when the turn is over.
    async fn schedules(&mut self) -> Result<Option<Vec<Schedule>>, Stuck> {
        let call = Call::new(Operation::Schedules, "/schedules?limit=100").bearer(&*self.token);
        let answer = self.ask(&call).await?;
        if self.turn_is_over(&call, &answer) {
            return Ok(None);
        }
        let mut schedules = self.read::<Page<Schedule>>(&call, &answer)?.items;
        schedules.retain(|schedule| schedule.seats_available > 0);
        Ok(Some(schedules))
    }

    /// The seats of a date that are free; nothing when the turn is over.
    async fn seats(&mut self, schedule: Uuid) -> Result<Option<Vec<Seat>>, Stuck> {
        let call =
            Call::new(Operation::Seats, format!("/schedules/{schedule}/seats?available=true")).bearer(&*self.token);
        let asked = self.due;
        let answer = self.ask(&call).await?;
        if self.turn_is_over(&call, &answer) {
            return Ok(None);
        }
        let seats = self.read::<Page<Seat>>(&call, &answer)?.items;
        self.check(self.rehearsal.referee.claims().available(&seats, asked), &call, &answer);
        Ok(Some(seats))
    }

    /// Seats side by side, rather in front than behind: where everybody wants to sit.
    fn pick(&mut self, seats: Vec<Seat>) -> Vec<Seat> {
        let party = self.character.party.min(seats.len());
        let room = seats.len() - party + 1;
        let start = self.dice.roll(room).min(self.dice.roll(room));
        seats.into_iter().skip(start).take(party).collect()
    }

    /// A request to hold seats, by their numbers or by their ids, with a new key; and the numbers.
    fn holding(&mut self, schedule: Uuid, chosen: &[Seat]) -> (Call, Vec<u32>) {
        let numbers: Vec<_> = chosen.iter().map(|seat| seat.number).collect();
        let body = if self.dice.percent(50) {
            json!({"schedule_id": schedule, "seat_numbers": numbers})
        } else {
            json!({"seat_ids": chosen.iter().map(|seat| seat.id).collect::<Vec<_>>()})
        };
        let key = self.fresh_key();
        (Call::new(Operation::Hold, "/reservations").bearer(&*self.token).key(key).body(&body), numbers)
    }

    /// A hold was acknowledged that was first asked for at `asked`.
    fn held(
        &mut self,
        schedule: Uuid,
        numbers: &[u32],
        call: &Call,
        answer: &Answer,
        asked: Instant,
    ) -> Result<Held, Stuck> {
        let reservation: Reservation = self.read(call, answer)?;
        self.is_mine(Some(&reservation.user_id), call, answer);
        self.check(is_what_was_asked(&reservation, schedule, numbers), call, answer);
        self.check(self.rehearsal.referee.claims().hold(&reservation), call, answer);
        self.check(self.turn_told.hold(&reservation), call, answer);
        let long = u64::try_from(reservation.expires_at.0.saturating_sub(reservation.reserved_at.0)).unwrap_or(0);
        let until = asked + Duration::from_micros(long);
        // A turn lasts as long as what is held in it (R5).
        self.active_until = self.active_until.max(Some(until));
        Ok(Held { until, heard: answer.at, reservation })
    }

    /// Somebody was faster: the answer has to say at which of the seats. None of them is one's own: nobody here asks for seats while
    /// they have any.
    fn taken(&self, numbers: &[u32], call: &Call, answer: &Answer) -> Result<(), Stuck> {
        let problem: Problem = self.read(call, answer)?;
        let (named, own) = (&problem.seat_numbers, &problem.own_seat_numbers);
        if named.is_empty() || !named.iter().all(|number| numbers.contains(number)) || !own.is_empty() {
            let what = format!("of seats {numbers:?} it is {named:?} that are taken, and one's own {own:?} (R8)");
            self.note(Breach::new(Promise::SeatTakenWrong, what), call, Some(answer));
        }
        Ok(())
    }

    /// Gives seats back.
    async fn cancel(&mut self, held: &Held) -> Result<(), Stuck> {
        self.rehearsal.referee.claims().release(&held.reservation, held.heard.elapsed());
        let call = Call::new(Operation::Cancel, format!("/reservations/{}", held.reservation.id)).bearer(&*self.token);
        let answer = self.ask(&call).await?;
        self.turn_is_over(&call, &answer);
        // What is given up keeps nobody ACTIVE any more (R5).
        self.active_until = self.selects_until;
        Ok(())
    }
}
