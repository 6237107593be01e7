//! What a batch needs to be read.

use domain::ScheduleId;
use domain::sale::Command;
use domain::seat::SeatChoice;
use uuid::Uuid;

use crate::tables::columns::{big, int};

/// What a batch needs to be read, collected from its commands.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Whether it changes the line, so that the queue's row is locked.
    pub(crate) line: bool,
    /// Whether it admits. A batch of joins may, too, see [`Wanted::admits_when_waiting`].
    pub(crate) admit: bool,
    /// Tickets that commands come with.
    pub(crate) tickets: Vec<i64>,
    /// Users who join.
    pub(crate) users: Vec<String>,
    /// Tickets that leave.
    pub(crate) leavers: Vec<i64>,
    /// Tickets whose users' holds matter, as they hold, cancel or pay; who holds with the idempotency key.
    pub(crate) holders: Vec<(i64, Option<String>)>,
    /// Tickets that hold seats of which a user may not have as many as they like, for all that is known.
    pub(crate) limited: Vec<Limited>,
    /// Tickets that pay, each with its idempotency key.
    pub(crate) payers: Vec<(i64, Option<String>)>,
    /// Seats by id.
    pub(crate) seats: Vec<Uuid>,
    /// Seats by schedule and number.
    pub(crate) numbered: Vec<(Uuid, i32)>,
    /// Reservations to pay, cancel or release.
    pub(crate) reservations: Vec<Uuid>,
    /// Schedules that are named.
    pub(crate) schedules: Vec<ScheduleId>,
}

/// A ticket that holds seats which may be limited, and of which schedule they are: that is told, or how to find it.
#[derive(Debug)]
pub(crate) struct Limited {
    pub(crate) ticket: i64,
    pub(crate) schedule: Option<Uuid>,
    /// One of the seats.
    pub(crate) seat: Option<Uuid>,
}

impl Wanted {
    /// What these commands want to be read. Of schedules that have no limit, `may_limit` is false.
    pub(crate) fn of(commands: &[Command], may_limit: impl Fn(ScheduleId) -> bool) -> Self {
        let mut wanted = Self::default();
        for command in commands {
            wanted.add(command, &may_limit);
        }
        wanted
    }

    fn add(&mut self, command: &Command, may_limit: &impl Fn(ScheduleId) -> bool) {
        self.line |= command.is_line();
        match command {
            Command::Join(user) => self.users.push(user.as_str().to_owned()),
            Command::Admit => self.admit = true,
            Command::Edit(_) => {}
            Command::Leave(ticket) => {
                self.tickets.push(big(ticket.number.get()));
                self.leavers.push(big(ticket.number.get()));
            }
            Command::Hold(command) => {
                let ticket = big(command.ticket.number.get());
                self.tickets.push(ticket);
                self.holders.push((ticket, command.key.as_ref().map(|key| key.as_str().to_owned())));
                match &command.choice {
                    SeatChoice::Ids(ids) => {
                        self.seats.extend(ids.iter().map(|id| id.uuid()));
                        // If they are not all of its schedule, nothing is held.
                        let seat = ids.first().map(|id| id.uuid());
                        self.limited.push(Limited { ticket, schedule: None, seat });
                    }
                    SeatChoice::Numbers(schedule, numbers) => {
                        self.schedules.push(*schedule);
                        if may_limit(*schedule) {
                            self.limited.push(Limited { ticket, schedule: Some(schedule.uuid()), seat: None });
                        }
                        self.numbered.extend(numbers.iter().map(|number| (schedule.uuid(), int(*number))));
                    }
                }
            }
            Command::Cancel(ticket, reservation) => {
                let number = big(ticket.number.get());
                self.tickets.push(number);
                self.holders.push((number, None));
                self.reservations.push(reservation.uuid());
            }
            Command::Pay(command) => {
                let number = big(command.ticket.number.get());
                self.tickets.push(number);
                self.holders.push((number, None));
                self.payers.push((number, command.key.as_ref().map(|key| key.as_str().to_owned())));
                self.reservations.push(command.reservation.uuid());
            }
            Command::Release(reservation) => self.reservations.push(reservation.uuid()),
        }
    }

    /// There may be an admission, so that tokens past their deadline are wanted, when at most so many wait: joins admit
    /// when nobody does, which may be so once all who leave in the same batch have left.
    pub(crate) fn admits_when_waiting(&self) -> Option<i64> {
        let joins = !self.users.is_empty();
        let leavers = || i64::try_from(self.leavers.len()).unwrap_or(i64::MAX);
        if self.admit { Some(i64::MAX) } else { joins.then(leavers) }
    }
}
