//! The commands of a sale, and what each wants to be read before it is decided.

use domain::ports::{Admitted, Answer, HoldCommand, Joined, Paid, PayCommand, StoreError};
use domain::reservation::Reservation;
use domain::seat::SeatChoice;
use domain::{PolicyChange, Rejection, ReservationId, Ticket, UserId};

use crate::sale::wanted::Wanted;
use crate::tables::rows::{big, int};

/// Everything that changes a sale.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Join(UserId),
    Leave(Ticket),
    Admit,
    ChangePolicy(PolicyChange),
    Hold(HoldCommand),
    Cancel(Ticket, ReservationId),
    Pay(PayCommand),
    /// Ends a reservation that is PENDING past its deadline (R10).
    Release(ReservationId),
}

/// What a command came to.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Joined(Joined),
    Done,
    /// Nothing when there was nothing to do.
    Admitted(Option<Admitted>),
    Held(Answer<Reservation>),
    Cancelled(Reservation),
    Paid(Answer<Paid>),
    /// Whether it was due.
    Released(bool),
}

impl Outcome {
    /// A lane that answers something else than it was asked.
    pub(crate) fn unexpected(self) -> StoreError {
        StoreError::Unavailable(format!("not an answer to the command: {self:?}"))
    }
}

/// What the rules decided of a command.
pub(crate) type Verdict = Result<Outcome, Rejection>;

impl Command {
    /// Whether it changes the line and so goes through the lane that locks the queue's row.
    pub(crate) fn is_line(&self) -> bool {
        matches!(self, Self::Join(_) | Self::Leave(_) | Self::Admit | Self::ChangePolicy(_))
    }

    /// Which of a sale's lanes it goes through: a ticket's commands all through the same, in their order.
    pub(crate) fn of(&self) -> u64 {
        match self {
            Self::Leave(ticket)
            | Self::Cancel(ticket, _)
            | Self::Hold(HoldCommand { ticket, .. })
            | Self::Pay(PayCommand { ticket, .. }) => ticket.number.get(),
            Self::Join(_) | Self::Admit | Self::ChangePolicy(_) | Self::Release(_) => 0,
        }
    }

    /// Adds what this command wants to be read.
    pub(crate) fn want(&self, wanted: &mut Wanted) {
        wanted.line |= self.is_line();
        match self {
            Self::Join(user) => wanted.users.push(user.as_str().to_owned()),
            Self::Admit => wanted.admit = true,
            Self::ChangePolicy(_) => {}
            Self::Leave(ticket) => {
                wanted.tickets.push(big(ticket.number.get()));
                wanted.leavers.push(big(ticket.number.get()));
            }
            Self::Hold(command) => {
                let number = big(command.ticket.number.get());
                wanted.tickets.push(number);
                wanted.holders.push((number, command.key.as_ref().map(|key| key.as_str().to_owned())));
                match &command.choice {
                    SeatChoice::Ids(ids) => wanted.seats.extend(ids.iter().map(|id| id.uuid())),
                    SeatChoice::Numbers(schedule, numbers) => {
                        wanted.numbered.extend(numbers.iter().map(|number| (schedule.uuid(), int(*number))));
                    }
                }
            }
            Self::Cancel(ticket, reservation) => {
                wanted.tickets.push(big(ticket.number.get()));
                wanted.reservations.push(reservation.uuid());
            }
            Self::Pay(command) => {
                let number = big(command.ticket.number.get());
                wanted.tickets.push(number);
                wanted.payers.push((number, command.key.as_ref().map(|key| key.as_str().to_owned())));
                wanted.reservations.push(command.reservation.uuid());
            }
            Self::Release(reservation) => wanted.reservations.push(reservation.uuid()),
        }
    }
}
