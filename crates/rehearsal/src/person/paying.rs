//! Paying: charging the wallet, the payment in all the ways in which people click, and the receipt.

use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::choosing::Held;
use super::{Person, Stuck};
use crate::answers::{Charged, Page, Payment, Points, Reservation, Token, TokenState, Wallet};
use crate::character::Paying;
use crate::client::{Answer, Call};
use crate::operation::Operation;
use crate::recorder::Fate;
use crate::referee::{Breach, Promise};

/// Of a large crowd one in so many reads the receipts again; of a small one everybody does.
const READS_ONE_IN: u64 = 20;
const SMALL_CROWD: u64 = 2_000;

impl Person {
    /// Charges the wallet and pays for what is held.
    pub(super) async fn buy(&mut self, held: Held) -> Result<Fate, Stuck> {
        if !self.top_up(held.reservation.amount).await? {
            return Ok(Fate::EmptyHanded);
        }
        self.think(0.5).await;
        let Some((call, answer)) = self.pay(&held).await? else { return Ok(Fate::EmptyHanded) };
        let payment: Payment = self.read(&call, &answer)?;
        self.is_mine(Some(&payment.reservation.user_id), &call, &answer);
        let verdict = self.purse.pay(&held.reservation, &payment);
        self.check(verdict, &call, &answer);
        self.check(self.rehearsal.referee.claims().pay(&held.reservation, answer.at), &call, &answer);
        let seats = u64::try_from(held.reservation.seats.len()).unwrap_or(0);
        self.rehearsal.recorder.paid(seats, payment.amount);
        // The payment has ended the token (R14).
        self.active_until = None;
        if self.rehearsal.options.people <= SMALL_CROWD || self.number.is_multiple_of(READS_ONE_IN) {
            self.read_receipts(&held.reservation, payment.id).await?;
        }
        Ok(Fate::Bought)
    }

    /// Charges what is missing, in one part or two; false when the turn is over.
    async fn top_up(&mut self, amount: Points) -> Result<bool, Stuck> {
        let missing = (amount.0 - self.purse.balance().0) / 100;
        let first = if self.character.charges_twice { missing / 3 } else { missing };
        for part in [first, missing - first] {
            if part > 0 && !self.charge(part).await? {
                return Ok(false);
            }
        }
        if self.dice.percent(20) {
            let call = Call::new(Operation::Wallet, "/wallet").bearer(&*self.token);
            let answer = self.ask(&call).await?;
            if self.turn_is_over(&call, &answer) {
                return Ok(false);
            }
            let told: Wallet = self.read(&call, &answer)?;
            self.is_mine(Some(&told.user_id), &call, &answer);
            self.check(self.purse.is(told.balance), &call, &answer);
        }
        Ok(true)
    }

    async fn charge(&mut self, points: i64) -> Result<bool, Stuck> {
        let key = self.fresh_key();
        let call = Call::new(Operation::Charge, "/wallet/charges").bearer(&*self.token).key(key);
        let call = call.body(&json!({"amount": points}));
        let answer = self.ask(&call).await?;
        if self.turn_is_over(&call, &answer) {
            return Ok(false);
        }
        let told: Charged = self.read(&call, &answer)?;
        self.is_mine(Some(&told.user_id), &call, &answer);
        let verdict = self.purse.charge(Points(points * 100), &told);
        self.check(verdict, &call, &answer);
        Ok(true)
    }

    /// Pays as this person does; what was sent and the success that came of it, or nothing.
    async fn pay(&mut self, held: &Held) -> Result<Option<(Call, Answer)>, Stuck> {
        let call = self.paying(held.reservation.id);
        let answers = match self.character.paying {
            Paying::Once => vec![(call.clone(), self.ask(&call).await?)],
            Paying::AnswerLost => {
                self.lose(&call).await;
                vec![(call.clone(), self.ask(&call).await?)]
            }
            Paying::Twice => {
                let other = self.paying(held.reservation.id);
                self.pay_twice(call, other).await?
            }
            Paying::TwiceWithOneKey => self.pay_twice(call.clone(), call).await?,
        };
        let mut paid: Option<(Call, Answer)> = None;
        for (call, answer) in answers {
            match (answer.status, &paid) {
                (201, None) => paid = Some((call, answer)),
                (201, Some(first)) => self.is_replay(first, &call, &answer),
                _ => self.may_refuse(held.until, &call, &answer),
            }
        }
        Ok(paid)
    }

    fn paying(&mut self, reservation: Uuid) -> Call {
        let key = self.fresh_key();
        let call = Call::new(Operation::Pay, "/payments").bearer(&*self.token).key(key);
        call.body(&json!({"reservation_id": reservation}))
    }

    /// Two payments at once; successes first.
    async fn pay_twice(&mut self, call: Call, other: Call) -> Result<Vec<(Call, Answer)>, Stuck> {
        let (one, two) =
            tokio::join!(Box::pin(self.ask_at(&call, self.turn)), Box::pin(self.ask_at(&other, self.turn + 1)));
        let mut answers = vec![(call, one?), (other, two?)];
        answers.sort_by_key(|(_, answer)| answer.status);
        if let Some((call, answer)) =
            answers.first().filter(|_| answers.iter().all(|(_, it)| it.code == "already_paid"))
        {
            let breach =
                Breach::new(Promise::PaymentRefused, "both of two payments were refused, as if there were a third one");
            self.note(breach, call, Some(answer));
        }
        self.due = Instant::now();
        Ok(answers)
    }

    /// Two successes are one payment, told twice: with one key, the same but for the time (R15).
    fn is_replay(&self, first: &(Call, Answer), call: &Call, answer: &Answer) {
        if first.0.key != call.key {
            self.note(Breach::new(Promise::PaidTwice, "one reservation was paid twice (R13)"), call, Some(answer));
        } else if timeless(&first.1.body) != timeless(&answer.body) {
            self.note(
                Breach::new(Promise::ReplayDiffers, "a repeated request was answered otherwise (R15)"),
                call,
                Some(answer),
            );
        } else if !first.1.replayed && !answer.replayed {
            self.note(
                Breach::new(Promise::ReplayUnsaid, "neither of two answers is called a replay (R15)"),
                call,
                Some(answer),
            );
        }
    }

    /// Whether a payment may have been refused: never before the hold's time was up.
    fn may_refuse(&self, held_until: Instant, call: &Call, answer: &Answer) {
        let early = answer.at < held_until;
        let double = self.character.paying == Paying::Twice;
        let wrong = match &*answer.code {
            "already_paid" => !double,
            // A hold moves its token's deadline: what is held can be paid (R5).
            "reservation_expired" | "token_not_active" => early,
            _ => false,
        };
        if wrong {
            let what = format!("what was held was refused: {} (R5, R13)", answer.code);
            self.note(Breach::new(Promise::PaymentRefused, what), call, Some(answer));
        }
    }

    /// What was acknowledged is there, also with a token that the payment has ended (R16).
    async fn read_receipts(&mut self, reservation: &Reservation, payment: Uuid) -> Result<(), Stuck> {
        let call = Call::new(Operation::Payments, "/payments").bearer(&*self.token);
        let answer = self.ask(&call).await?;
        let payments = self.read::<Page<Payment>>(&call, &answer)?.items;
        if !payments.iter().any(|one| one.id == payment && one.amount == reservation.amount) || payments.len() != 1 {
            self.note(
                Breach::new(Promise::SuccessLost, "a payment that was acknowledged is not there"),
                &call,
                Some(&answer),
            );
        }
        let call = Call::new(Operation::Reservations, "/reservations").bearer(&*self.token);
        let answer = self.ask(&call).await?;
        let told = self.read::<Page<Reservation>>(&call, &answer)?.items;
        let same = |one: &Reservation| one.id == reservation.id && one.seats == reservation.seats;
        if !told.iter().any(|one| same(one) && one.status == "CONFIRMED") {
            self.note(Breach::new(Promise::SuccessLost, "what was paid is not CONFIRMED"), &call, Some(&answer));
        }
        let call = Call::new(Operation::Poll, "/queue/tokens/me").bearer(&*self.token);
        let answer = self.ask(&call).await?;
        if self.read::<Token>(&call, &answer)?.status != TokenState::Expired {
            self.note(
                Breach::new(Promise::TokenLivesOn, "a payment of all that was held has not ended its token (R14)"),
                &call,
                Some(&answer),
            );
        }
        Ok(())
    }
}

/// What an answer to a payment says but for the time at which it was said; nothing of what is no JSON.
fn timeless(body: &[u8]) -> Option<Value> {
    let mut told: Value = serde_json::from_slice(body).ok()?;
    told.get_mut("reservation")?.as_object_mut()?.remove("server_time");
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_other_moments_are_the_same_and_others_are_not() {
        let body = |amount: u32, at: &str| json!({"amount": amount, "reservation": {"server_time": at}}).to_string();
        let told = |amount, at| timeless(body(amount, at).as_bytes());
        assert_eq!(told(5, "2026-12-01T10:00:00Z"), told(5, "2026-12-01T10:00:01Z"));
        assert_ne!(told(5, "2026-12-01T10:00:00Z"), told(6, "2026-12-01T10:00:00Z"));
    }
}
