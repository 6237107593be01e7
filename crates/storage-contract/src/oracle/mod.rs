//! The oracle: shares no code with the domain's rules. From the log of commands, answers and times alone it recomputes
//! positions, owners of seats and balances by brute force, and says which answer is wrong and why.
//!
//! Everything is kept as flat lists of what happened; every question is answered by going through them.

mod at_once;
mod keys;
mod known;
mod line;
mod money;
mod reading;
mod sale;

pub(crate) use at_once::check_at_once;

use crate::history::log::{Answer, Booking, BookingStatus, Command, EntrySeen, Event, LineSeen, PaymentSeen};
use known::{Policy, Remembered, Tok};

/// What is wrong with an answer, in words.
pub(crate) type Verdict = Result<(), String>;

/// What is known from the log so far.
pub(crate) struct Oracle {
    began: i64,
    now: i64,
    policies: Vec<Policy>,
    tokens: Vec<Tok>,
    bookings: Vec<Booking>,
    payments: Vec<PaymentSeen>,
    entries: Vec<EntrySeen>,
    remembered: Vec<Remembered>,
    /// The last line that was seen of each queue.
    lines: Vec<Option<LineSeen>>,
}

/// A refusal, in the words of the log.
fn refused<T>(words: impl Into<String>) -> Result<T, String> {
    Err(words.into())
}

impl Oracle {
    pub(crate) fn new(began: i64) -> Self {
        let queues = crate::history::stage::QUEUES.len();
        Self {
            began,
            now: began,
            policies: (0..queues).map(|_| Policy::first(began)).collect(),
            tokens: Vec::new(),
            bookings: Vec::new(),
            payments: Vec::new(),
            entries: Vec::new(),
            remembered: Vec::new(),
            lines: vec![None; queues],
        }
    }

    /// Compares an answer with what it had to be.
    pub(crate) fn check(&mut self, event: &Event) -> Verdict {
        self.pass(event.at);
        if let Some((queue, line)) = seen_line(event) {
            return self.check_with_line(event, queue, line);
        }
        let expected = self.expect(&event.command, None);
        same(&expected, &event.answer)
    }

    /// The same for an answer that shows a line, which must fit the tokens as they are after the command.
    fn check_with_line(&mut self, event: &Event, queue: usize, line: LineSeen) -> Verdict {
        let expected = self.expect(&event.command, Some(line));
        same(&expected, &event.answer)?;
        self.check_line(queue, &line)
    }

    /// Time goes on: what is over is over, whoever may have written it.
    fn pass(&mut self, now: i64) {
        self.now = now;
        for token in &mut self.tokens {
            token.pass(now);
        }
        for booking in &mut self.bookings {
            if booking.status == BookingStatus::Pending && booking.expires_at <= now {
                booking.status = BookingStatus::RanOut;
            }
        }
    }

    fn expect(&mut self, command: &Command, line: Option<LineSeen>) -> Answer {
        let due = self.bookings.iter().filter(|booking| booking.status == BookingStatus::RanOut).count();
        let decided = match command {
            Command::Join { queue, user } => Ok(self.join(*queue, *user, line)),
            Command::Leave { place } => self.leave(*place),
            Command::Admit => Ok(self.admit(line)),
            Command::Hold { place, schedule, seats, by_ids, key } => self.hold(*place, *schedule, seats, *by_ids, *key),
            Command::Cancel { place, booking } => self.cancel(*place, *booking),
            Command::Pay { place, booking, amount, key } => self.pay(*place, *booking, *amount, *key),
            Command::Charge { user, amount, key } => self.charge(*user, *amount, *key),
            Command::Policy { queue, change } => self.change(*queue, change, line),
            Command::Sweep => Ok(Answer::Swept(u64::try_from(due).unwrap())),
            Command::Clock { .. } => Ok(Answer::Moved),
        };
        decided.unwrap_or_else(Answer::Refused)
    }
}

/// The first line that an answer shows.
fn seen_line(event: &Event) -> Option<(usize, LineSeen)> {
    match (&event.command, &event.answer) {
        (Command::Join { queue, .. }, Answer::Joined { line, .. }) => Some((*queue, *line)),
        (Command::Policy { queue, .. }, Answer::Changed(report)) => Some((*queue, report.line)),
        _ => None,
    }
}

fn same(expected: &Answer, given: &Answer) -> Verdict {
    let fits = match (expected, given) {
        // Some of what was due may have been written before.
        (Answer::Swept(due), Answer::Swept(swept)) => swept <= due,
        (Answer::Admitted(expected), Answer::Admitted(given)) => {
            let bare = |ticks: &[(usize, u64, u64, LineSeen)]| -> Vec<_> {
                ticks.iter().map(|(queue, admitted, active, _)| (*queue, *admitted, *active)).collect()
            };
            bare(expected) == bare(given)
        }
        _ => expected == given,
    };
    if fits { Ok(()) } else { Err(format!("expected {expected:?}, was answered {given:?}")) }
}

/// A user as the log writes it.
fn user_name(user: usize) -> String {
    format!("user-{user}")
}
