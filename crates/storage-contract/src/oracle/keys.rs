//! Requests that succeeded under a key, and what was answered.

use super::known::{Remembered, Scope};
use super::{Oracle, refused};
use crate::history::log::Answer;
use crate::history::stage::DAY;

impl Oracle {
    /// What the key says to a request: its first answer with today's state of the reservation, a refusal, or nothing.
    pub(super) fn recall(&self, scope: Scope, key: Option<u8>, request: &str) -> Result<Option<Answer>, String> {
        let mut fresh = self.remembered.iter().rev().filter(|known| self.now < known.at + DAY);
        match fresh.find(|known| known.scope == scope && Some(known.key) == key) {
            Some(known) if known.request == request => Ok(Some(self.as_of_today(known.answer.clone()))),
            Some(_) => refused("IdempotencyKeyReused"),
            None => Ok(None),
        }
    }

    fn as_of_today(&self, mut answer: Answer) -> Answer {
        if let Answer::Held { booking, .. } | Answer::Paid { booking, .. } = &mut answer {
            booking.status = self.bookings[booking.index].status;
        }
        answer
    }

    /// Remembers an answer as it will be given again.
    pub(super) fn remember(&mut self, scope: Scope, key: Option<u8>, request: String, answer: &Answer) {
        let Some(key) = key else { return };
        let mut answer = answer.clone();
        match &mut answer {
            Answer::Held { replayed, .. } | Answer::Paid { replayed, .. } | Answer::Charged { replayed, .. } => {
                *replayed = true;
            }
            _ => {}
        }
        self.remembered.push(Remembered { scope, key, request, at: self.now, answer });
    }
}
