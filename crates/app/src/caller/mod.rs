//! Who calls: the place that a sealed token proves, and whether it may act (R6).

use domain::line::Place;
use domain::seal::SealedToken;
use domain::{IdempotencyKey, QueueNumber, Rejection, Ticket, Token, TokenStatus, UserId};

use crate::{App, Failure};

/// Who presented a token that this service sealed. Only [`App::authenticate`] makes one, and the answer to a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The token, for its holder only.
    pub(crate) token: SealedToken,
    /// The place that it proves.
    pub(crate) ticket: Ticket,
}

impl Holder {
    /// The queue in which the place is.
    pub const fn queue(&self) -> QueueNumber {
        self.ticket.queue
    }
}

/// The holder of a token that was ACTIVE when it was looked at. Only [`App::active_caller`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveCaller(Ticket);

impl ActiveCaller {
    /// The queue whose sale the caller sees.
    pub const fn queue(&self) -> QueueNumber {
        self.0.queue
    }
}

impl App {
    /// Checks a token's seal and nothing else, without asking the store: a forged one is refused before anything else of
    /// a request is looked at, and costs no storage access (trap Q13).
    pub fn authenticate(&self, token: SealedToken) -> Result<Holder, Rejection> {
        self.open(token).map(|ticket| Holder { token, ticket })
    }

    /// Whose token it is, if it may read what is its user's own: one that lives, or ended not long ago (R16).
    pub(crate) async fn reader(&self, holder: Holder) -> Result<UserId, Failure> {
        let token = self.token(holder.ticket).await?;
        token.require_readable(self.ports.clock.now())?;
        Ok(token.user)
    }

    /// Checks that a token is ACTIVE.
    pub async fn active_caller(&self, holder: Holder) -> Result<ActiveCaller, Failure> {
        self.require_turn(holder.ticket).await?;
        self.token(holder.ticket).await?.require_active(self.ports.clock.now())?;
        Ok(ActiveCaller(holder.ticket))
    }

    /// As [`App::require_turn`], unless the command has an idempotency key. Then the store decides: it may have recorded the
    /// answer for a token that the user had before (R15).
    pub(crate) async fn require_turn_unless_keyed(
        &self,
        holder: Holder,
        key: Option<&IdempotencyKey>,
    ) -> Result<(), Failure> {
        if key.is_none() { self.require_turn(holder.ticket).await } else { Ok(()) }
    }

    /// Refuses a place whose turn has not come, and one that ended before it came, by a refresh that began after the
    /// request: however many such requests there are, they cost one read of the store at a time (R6, ADR 9).
    pub(crate) async fn require_turn(&self, ticket: Ticket) -> Result<(), Failure> {
        let queue = self.queue(ticket.queue)?;
        if queue.known().snapshot.place(ticket.number) == Place::Passed {
            return Ok(());
        }
        self.up_to_date(&queue).await?;
        match queue.known().snapshot.place(ticket.number) {
            Place::Passed => Ok(()),
            Place::Waiting(_) => Err(Rejection::TokenNotActive(TokenStatus::Waiting).into()),
            Place::Ended => Err(Rejection::TokenNotActive(TokenStatus::Expired).into()),
            Place::Unissued => Err(Rejection::TokenUnknown.into()),
        }
    }

    /// The token as the store has it now, or as it ended for good. A number that was never issued is as unknown as a
    /// forged one.
    pub(crate) async fn token(&self, ticket: Ticket) -> Result<Token, Failure> {
        let found = self.token_reads.find(&*self.ports.queues, ticket).await?;
        Ok(found.ok_or(Rejection::TokenUnknown)?)
    }
}

#[cfg(test)]
mod tests;
