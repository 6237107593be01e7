//! Holding seats, cancelling, and reading one's own reservations.

use domain::page::Listed;
use domain::ports::{Answer, HoldCommand};
use domain::rejection::Kind;
use domain::reservation::Reservation;
use domain::seal::SealedToken;
use domain::seat::SeatChoice;
use domain::{IdempotencyKey, Page, Rejection, ReservationId};

use crate::{App, Failure};

impl App {
    /// Holds seats for the token's user (R5 to R9). The store checks the token itself, under its lock.
    pub async fn hold(
        &self,
        token: SealedToken,
        choice: SeatChoice,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer<Reservation>, Failure> {
        let ticket = self.open(token)?;
        Ok(self.ports.reservations.hold(&HoldCommand { ticket, choice, key }).await??)
    }

    /// Cancels one's own reservation, with a token in any state (R17).
    pub async fn cancel(&self, token: SealedToken, reservation: ReservationId) -> Result<Reservation, Failure> {
        let ticket = self.open(token)?;
        Ok(self.ports.reservations.cancel(ticket, reservation).await??)
    }

    /// One's own reservation, with a token in any state (R16).
    pub async fn reservation(&self, token: SealedToken, reservation: ReservationId) -> Result<Reservation, Failure> {
        let caller = self.caller(token).await?;
        let found = self.ports.reservations.find(caller.ticket.queue, &caller.user, reservation).await?;
        Ok(found.ok_or(Rejection::NotFound(Kind::Reservation))?)
    }

    /// One's own reservations in the token's queue, newest first, with a token in any state (R16).
    pub async fn reservations(
        &self,
        token: SealedToken,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, Failure> {
        let caller = self.caller(token).await?;
        Ok(self.ports.reservations.list(caller.ticket.queue, &caller.user, page).await?)
    }
}
