//! Who calls: the place that a sealed token proves, and whether it may act (R6).

use domain::line::Standing;
use domain::seal::SealedToken;
use domain::{QueueNumber, Rejection, Ticket, UserId};

use crate::{App, Failure};

/// The holder of a token that this service issued, in whatever state it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The place.
    pub(crate) ticket: Ticket,
    /// The token's user: the acting user of everything that is done with it (R6).
    pub(crate) user: UserId,
}

/// The holder of a token that was ACTIVE when it was looked at. Only [`App::active_caller`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveCaller(Caller);

impl ActiveCaller {
    /// The queue whose sale the caller sees.
    pub fn queue(&self) -> QueueNumber {
        self.0.ticket.queue
    }
}

impl App {
    /// Checks a token's seal and nothing else, without asking the store: for refusing a forged one before anything else
    /// of a request is looked at.
    pub fn authenticate(&self, token: SealedToken) -> Result<(), Rejection> {
        self.open(token).map(|_ticket| ())
    }

    /// Checks a token's seal and finds who holds it.
    pub(crate) async fn caller(&self, token: SealedToken) -> Result<Caller, Failure> {
        let standing = self.standing(token).await?;
        Ok(Caller { ticket: standing.token.ticket, user: standing.token.user })
    }

    /// Checks a token's seal and that it is ACTIVE.
    pub async fn active_caller(&self, token: SealedToken) -> Result<ActiveCaller, Failure> {
        let standing = self.standing(token).await?;
        standing.token.require_active(self.ports.clock.now())?;
        Ok(ActiveCaller(Caller { ticket: standing.token.ticket, user: standing.token.user }))
    }

    /// Checks a token's seal and reads where it stands. A number that was never issued is as unknown as a forged one.
    pub(crate) async fn standing(&self, token: SealedToken) -> Result<Standing, Failure> {
        let ticket = self.open(token)?;
        Ok(self.ports.queues.find(ticket).await?.ok_or(Rejection::TokenUnknown)?)
    }
}

#[cfg(test)]
mod tests {
    use domain::ports::StoreError;
    use domain::seat::SeatChoice;
    use domain::{Money, Page, PaymentId, ReservationId, SeatId, TokenStatus};
    use futures::executor::block_on;
    use uuid::Uuid;

    use super::*;
    use crate::mocks::{World, active, active_until, down, ended, forged, sealed, ticket, user, waiting};

    fn unknown<T>(answer: &Result<T, Failure>) -> bool {
        matches!(answer, Err(Failure::Rejected(Rejection::TokenUnknown)))
    }

    /// Q13: no port expects a call.
    #[test]
    fn a_forged_token_never_reaches_a_port() {
        let app = World::default().app();
        let (reservation, payment) = (ReservationId::new(Uuid::nil()), PaymentId::new(Uuid::nil()));
        let choice = SeatChoice::ids(&[SeatId::new(Uuid::nil())]).unwrap();
        let money = Money::parse("1").unwrap();
        for token in forged() {
            assert_eq!(app.authenticate(token), Err(Rejection::TokenUnknown));
            assert!(unknown(&block_on(app.caller(token))));
            assert!(unknown(&block_on(app.active_caller(token))));
            assert!(unknown(&block_on(app.place(token))));
            assert!(unknown(&block_on(app.leave(token))));
            assert!(unknown(&block_on(app.hold(token, choice.clone(), None))));
            assert!(unknown(&block_on(app.cancel(token, reservation))));
            assert!(unknown(&block_on(app.reservation(token, reservation))));
            assert!(unknown(&block_on(app.reservations(token, &Page::new(1, None).unwrap()))));
            assert!(unknown(&block_on(app.pay(token, reservation, None, None))));
            assert!(unknown(&block_on(app.payment(token, payment))));
            assert!(unknown(&block_on(app.payments(token, &Page::new(1, None).unwrap()))));
            assert!(unknown(&block_on(app.wallet(token))));
            assert!(unknown(&block_on(app.entries(token, &Page::new(1, None).unwrap()))));
            assert!(unknown(&block_on(app.charge(token, money.clone(), None))));
        }
    }

    #[test]
    fn a_genuine_seal_is_checked_without_asking_a_port() {
        assert_eq!(World::default().app().authenticate(sealed()), Ok(()));
    }

    #[test]
    fn a_number_never_issued_is_as_unknown_as_a_forged_one() {
        let mut world = World::default();
        world.queues.expect_find().times(2).returning(|_| Ok(None));
        let app = world.app();
        assert!(unknown(&block_on(app.caller(sealed()))));
        assert!(unknown(&block_on(app.active_caller(sealed()))));
    }

    #[test]
    fn the_acting_user_is_the_tokens_in_any_state_r6() {
        for standing in [waiting(), active(), ended()] {
            let caller = block_on(World::of(standing).app().caller(sealed()));
            assert_eq!(caller, Ok(Caller { ticket: ticket(), user: user() }));
        }
    }

    #[test]
    fn only_a_token_that_is_active_now_acts_r6() {
        for (standing, status) in [
            (waiting(), Some(TokenStatus::Waiting)),
            (ended(), Some(TokenStatus::Expired)),
            // Stored as ACTIVE, and over: the deadline is now.
            (active_until(crate::mocks::NOW), Some(TokenStatus::Expired)),
            (active(), None),
        ] {
            let answer = block_on(World::of(standing).app().active_caller(sealed()));
            let refusal = status.map(|status| Failure::Rejected(Rejection::TokenNotActive(status)));
            assert_eq!(answer.map(|caller| caller.queue()), refusal.map_or(Ok(QueueNumber(1)), Err));
        }
    }

    #[test]
    fn a_store_that_failed_is_no_refusal() {
        for failure in [down(), StoreError::Overloaded] {
            let mut world = World::default();
            let answer = failure.clone();
            world.queues.expect_find().returning(move |_| Err(answer.clone()));
            assert_eq!(block_on(world.app().caller(sealed())), Err(Failure::Store(failure)));
        }
    }
}
