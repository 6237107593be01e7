//! What must be true of everything that the service says: one referee for the whole crowd.

mod breach;
pub(crate) mod line;
mod promise;
pub(crate) mod seats;
pub(crate) mod turn;
pub(crate) mod wallet;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::client::{Answer, Call};
use crate::report::{VIOLATIONS_KEPT, Violation};
pub(crate) use breach::{Breach, Verdict};
use line::Turns;
pub(crate) use promise::Promise;
use seats::Claims;

/// Everything that concerns more than one person.
#[derive(Default)]
pub(crate) struct Referee {
    turns: Mutex<Turns>,
    claims: Mutex<Claims>,
    found: Mutex<Found>,
}

/// The promises that were broken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// How many, by the promise's name.
    pub(crate) counts: BTreeMap<String, u64>,
    /// The first of them.
    pub(crate) first: Vec<Violation>,
}

impl Referee {
    /// Who stood where in line.
    pub(crate) fn turns(&self) -> MutexGuard<'_, Turns> {
        held(&self.turns)
    }

    /// Whose the seats are.
    pub(crate) fn claims(&self) -> MutexGuard<'_, Claims> {
        held(&self.claims)
    }

    /// What was found so far.
    pub(crate) fn found(&self) -> Found {
        held(&self.found).clone()
    }

    /// How many promises were broken so far.
    pub(crate) fn violations(&self) -> u64 {
        held(&self.found).counts.values().sum()
    }

    /// Notes a broken promise, `at` so many seconds, in an exchange.
    pub(crate) fn note(&self, breach: Breach, at: f64, call: &Call, answer: Option<&Answer>) {
        self.note_text(breach, at, || call.exchange(answer));
    }

    /// Notes a broken promise that no single exchange shows.
    pub(crate) fn note_text(&self, breach: Breach, at: f64, exchange: impl FnOnce() -> String) {
        let mut found = held(&self.found);
        *found.counts.entry(breach.promise.name().to_owned()).or_default() += 1;
        if found.first.len() < VIOLATIONS_KEPT {
            found.first.push(Violation {
                kind: breach.promise.name().to_owned(),
                at,
                what: breach.what,
                exchange: exchange(),
            });
        }
    }
}

/// What a mutex holds. Nobody panics while holding one, and if somebody did, what is there is still all that is known.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
