//! The commands of a sale as values, for storages that decide many of them together.

use super::{Context, Facts as _, Made, WorkingSet};
use crate::line::Line;
use crate::ports::{Admitted, Answer, Cancelled, HoldCommand, Joined, Left, Paid, PayCommand, StoreError};
use crate::rejection::Missing;
use crate::reservation::Reservation;
use crate::{PaymentId, QueueEdit, Rejection, ReservationId, Ticket, TicketNumber, UserId};

/// Everything that changes a sale.
#[derive(Clone, Debug)]
pub enum Command {
    /// A user joins the line.
    Join(UserId),
    /// A token's user leaves.
    Leave(Ticket),
    /// A tick of the clockwork.
    Admit,
    /// The operator changes the queue.
    Edit(QueueEdit),
    /// A hold.
    Hold(HoldCommand),
    /// A token's user cancels a reservation.
    Cancel(Ticket, ReservationId),
    /// A payment.
    Pay(PayCommand),
    /// Ends a reservation that is PENDING past its deadline (R10).
    Release(ReservationId),
}

impl Command {
    /// Whether it changes the line, so that it needs the queue's row.
    pub const fn is_line(&self) -> bool {
        matches!(self, Self::Join(_) | Self::Leave(_) | Self::Admit | Self::Edit(_))
    }
}

/// What a command came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A place.
    Joined(Joined),
    /// A place that was given up.
    Left(Left),
    /// It is done, and there is nothing to tell.
    Done,
    /// What a tick did; nothing when there was nothing to do.
    Admitted(Option<Admitted>),
    /// A hold.
    Held(Answer<Reservation>),
    /// A reservation that is cancelled.
    Cancelled(Cancelled),
    /// A payment.
    Paid(Answer<Paid>),
    /// Whether it was due.
    Released(bool),
}

impl Outcome {
    /// A command that answers something else than it was asked.
    pub fn unexpected(self) -> StoreError {
        StoreError::Unavailable(format!("not an answer to the command: {self:?}"))
    }
}

/// What the rules decided of a command.
pub type Verdict = Result<Outcome, Rejection>;

/// What a command came to, when that is all, or what is still missing for its answer.
#[derive(Clone, Debug)]
pub enum Step {
    /// Decided.
    Done(Box<Verdict>),
    /// A place, which is told after the batch's admission; the counters right after it was issued if it is new.
    Placed(TicketNumber, Option<Line>),
    /// What the admission at the end of the batch did is told.
    Admit,
    /// A hold that was answered before.
    ReplayHold(ReservationId),
    /// A payment that was answered before.
    ReplayPay(PaymentId),
}

impl Step {
    fn done(outcome: Outcome) -> Self {
        Self::Done(Box::new(Ok(outcome)))
    }
}

impl From<Rejection> for Step {
    fn from(rejection: Rejection) -> Self {
        Self::Done(Box::new(Err(rejection)))
    }
}

impl WorkingSet {
    /// Decides one command and takes in what it changes. A failure has changed nothing, and is of this command alone.
    pub fn decide(&mut self, command: &Command, context: &Context<'_>) -> Result<Step, StoreError> {
        let decided = match command {
            Command::Join(user) => super::join(self, user, context)?.map(|(placed, effects)| {
                self.admits |= placed.admits;
                (Step::Placed(placed.token.ticket.number, placed.created.then_some(placed.line)), effects)
            }),
            Command::Admit => return self.admit(),
            Command::Edit(edit) => {
                super::edit(self, edit, context)?.map(|effects| (Step::done(Outcome::Done), effects))
            }
            Command::Leave(ticket) => super::leave(self, ticket.number, context)?
                .map(|(left, effects)| (Step::done(Outcome::Left(left)), effects)),
            Command::Hold(command) => match super::hold(self, command, context)? {
                Ok(Made::Before(id)) => return Ok(Step::ReplayHold(id)),
                Ok(Made::Now(value, effects)) => {
                    Ok((Step::done(Outcome::Held(Answer { value, replayed: false })), *effects))
                }
                Err(rejection) => Err(rejection),
            },
            Command::Cancel(ticket, id) => super::cancel(self, ticket.number, *id, context)?
                .map(|(cancelled, effects)| (Step::done(Outcome::Cancelled(cancelled)), effects)),
            Command::Pay(command) => match super::pay(self, command, context)? {
                Ok(Made::Before(id)) => return Ok(Step::ReplayPay(id)),
                Ok(Made::Now(value, effects)) => {
                    Ok((Step::done(Outcome::Paid(Answer { value, replayed: false })), *effects))
                }
                Err(rejection) => Err(rejection),
            },
            Command::Release(id) => {
                let effects = super::release(self, *id, context)?;
                let step = Step::done(Outcome::Released(effects.is_some()));
                Ok((step, effects.unwrap_or_default()))
            }
        };
        match decided {
            Ok((step, effects)) => self.take_in(effects, context.now).map(|()| step),
            Err(rejection) => Ok(rejection.into()),
        }
    }

    /// A tick: what the admission at the end of the batch does is told.
    fn admit(&mut self) -> Result<Step, StoreError> {
        self.admits = true;
        let queue = self.queue()?;
        Ok(queue.map_or_else(|| Rejection::NotFound(Missing::Queue).into(), |_| Step::Admit))
    }
}
