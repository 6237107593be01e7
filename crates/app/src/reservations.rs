//! Holding seats, cancelling, and reading one's own reservations.

use domain::page::Listed;
use domain::ports::{Answer, Cancelled, HoldCommand};
use domain::rejection::Missing;
use domain::reservation::Reservation;
use domain::seat::SeatChoice;
use domain::{IdempotencyKey, Page, Rejection, ReservationId};

use crate::{App, Failure, Holder};

impl App {
    /// Holds seats for the token's user (R5 to R9). The store checks the token itself, under its lock.
    pub async fn hold(
        &self,
        holder: Holder,
        choice: SeatChoice,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer<Reservation>, Failure> {
        self.require_turn_unless_keyed(holder, key.as_ref()).await?;
        Ok(self.ports.reservations.hold(&HoldCommand { ticket: holder.ticket, choice, key }).await??)
    }

    /// Cancels one's own reservation, with a live token (R17). The store checks it itself, under its lock.
    pub async fn cancel(&self, holder: Holder, reservation: ReservationId) -> Result<Cancelled, Failure> {
        Ok(self.ports.reservations.cancel(holder.ticket, reservation).await??)
    }

    /// One's own reservation, with a live token or one that ended not long ago (R16).
    pub async fn reservation(&self, holder: Holder, reservation: ReservationId) -> Result<Reservation, Failure> {
        let user = self.reader(holder).await?;
        let found = self.ports.reservations.find(holder.ticket.queue, &user, reservation).await?;
        Ok(found.ok_or(Rejection::NotFound(Missing::Reservation))?)
    }

    /// One's own reservations in the token's queue, newest first, with a live token or one that ended not long ago (R16).
    pub async fn reservations(
        &self,
        holder: Holder,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, Failure> {
        let user = self.reader(holder).await?;
        Ok(self.ports.reservations.list(holder.ticket.queue, &user, page).await?)
    }
}

#[cfg(test)]
mod tests {
    use domain::ports::Decided;
    use domain::{QueueNumber, SeatId, TokenStatus, UserId};
    use uuid::Uuid;

    use super::*;
    use crate::mocks::{World, active, block_on, down, ended, holder, reservation, ticket, user, waiting};

    fn command(key: Option<&str>) -> HoldCommand {
        let choice = SeatChoice::ids(&[SeatId::new(Uuid::from_u128(4))]).unwrap();
        HoldCommand { ticket: ticket(), choice, key: key.and_then(IdempotencyKey::parse) }
    }

    /// By somebody whose turn has come, without a key, and by somebody who waits, with one.
    fn holding(answer: &Decided<Answer<Reservation>>) -> Result<Answer<Reservation>, Failure> {
        let [waiting, admitted] = [Some("k"), None].map(|key| {
            let (mut world, answer) = (World::default(), answer.clone());
            if key.is_none() {
                world.lines.admit(ticket().number.get());
            }
            let asked = move |asked: &HoldCommand| *asked == command(key);
            world.reservations.expect_hold().times(1).withf(asked).return_once(|_| answer);
            block_on(world.app().hold(holder(), command(key).choice, command(key).key))
        });
        assert_eq!(waiting, admitted);
        admitted
    }

    /// The token is not looked up before: the store decides under its lock, and a replay needs no ACTIVE token (R15).
    #[test]
    fn a_hold_is_one_call_of_one_port() {
        for replayed in [true, false] {
            let answer = Answer { value: reservation(), replayed };
            assert_eq!(holding(&Ok(Ok(answer.clone()))), Ok(answer));
        }
        let refusal = Rejection::SeatTaken { schedule: reservation().schedule, numbers: vec![1], own: vec![] };
        assert_eq!(holding(&Ok(Err(refusal.clone()))), Err(Failure::Rejected(refusal)));
        assert_eq!(holding(&Err(down())), Err(Failure::Store(down())));
    }

    #[test]
    fn cancelling_is_one_call_of_one_port_r17() {
        let cancelled = Cancelled { reservation: reservation(), changed: true };
        for (answer, passed) in [
            (Ok(Ok(cancelled.clone())), Ok(cancelled)),
            (Ok(Err(Rejection::AlreadyPaid)), Err(Failure::Rejected(Rejection::AlreadyPaid))),
            (Err(down()), Err(Failure::Store(down()))),
        ] {
            let mut world = World::default();
            let asked = |by: &domain::Ticket, id: &ReservationId| (*by, *id) == (ticket(), reservation().id);
            world.reservations.expect_cancel().times(1).withf(asked).return_once(|_, _| answer);
            assert_eq!(block_on(world.app().cancel(holder(), reservation().id)), passed);
        }
    }

    #[test]
    fn ones_own_are_read_with_a_live_token_and_for_a_day_after_its_end_r16() {
        let page = Page::new(5, Some(reservation().id)).unwrap();
        for token in [waiting(), active(), ended()] {
            let mut world = World::of(token);
            let asked = |queue: &QueueNumber, by: &UserId, id: &ReservationId| {
                (*queue, by, *id) == (QueueNumber(1), &user(), reservation().id)
            };
            world.reservations.expect_find().times(1).withf(asked).return_once(|_, _, _| Ok(Some(reservation())));
            let asked = move |queue: &QueueNumber, by: &UserId, on: &Page<ReservationId>| {
                (*queue, by, on) == (QueueNumber(1), &user(), &page)
            };
            let all = Listed { items: vec![reservation()], next: None };
            let listed = all.clone();
            world.reservations.expect_list().times(1).withf(asked).return_once(|_, _, _| Ok(listed));
            let app = world.app();
            assert_eq!(block_on(app.reservation(holder(), reservation().id)), Ok(reservation()));
            assert_eq!(block_on(app.reservations(holder(), &page)), Ok(all));
        }
        // No port but that of tokens expects a call.
        let app = World::a_day_after(ended());
        let over = Failure::from(Rejection::TokenNotActive(TokenStatus::Expired));
        assert_eq!(block_on(app.reservation(holder(), reservation().id)), Err(over.clone()));
        assert_eq!(block_on(app.reservations(holder(), &page)), Err(over));
    }

    #[test]
    fn what_is_not_there_is_not_found_and_a_store_that_failed_is_not_that() {
        let unknown = Failure::Rejected(Rejection::NotFound(Missing::Reservation));
        for (answer, passed) in [(Ok(None), unknown), (Err(down()), Failure::Store(down()))] {
            let mut world = World::of(active());
            world.reservations.expect_find().return_once(|_, _, _| answer);
            assert_eq!(block_on(world.app().reservation(holder(), reservation().id)), Err(passed));
        }
    }
}
