//! Who calls: the place that a sealed token proves, and whether it may act (R6).

use domain::line::Standing;
use domain::seal::SealedToken;
use domain::{QueueNumber, Rejection, Ticket, UserId};

use crate::{App, Failure};

/// The holder of a token that this service issued, in whatever state it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The place.
    pub ticket: Ticket,
    /// The token's user: the acting user of everything that is done with it (R6).
    pub user: UserId,
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
    /// Checks a token's seal and finds who holds it.
    pub async fn caller(&self, token: SealedToken) -> Result<Caller, Failure> {
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
