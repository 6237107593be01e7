//! Loading a concert: whether it is loaded now, was loaded before, or may not be.

use super::plan::{NewConcert, started};
use crate::idempotency::is_repeated;
use crate::rejection::Missing;
use crate::{ConcertId, Fingerprint, QueueNumber, Rejection, ScheduleId, Timestamp};

/// What loading a concert made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedConcert {
    /// The concert's id.
    pub id: ConcertId,
    /// The queue that sells it.
    pub queue: QueueNumber,
    /// The schedules' ids, in the order they were given.
    pub schedules: Vec<ScheduleId>,
}

/// What was loaded under a key. It is never forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What was asked.
    pub fingerprint: Fingerprint,
    /// The queue that sells it.
    pub queue: QueueNumber,
    /// The concert that was made.
    pub concert: ConcertId,
}

/// What becomes of a request to load a concert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// It is loaded into this queue.
    Anew(QueueNumber),
    /// It was loaded before, and the answer of then is given again.
    Again(Loaded),
}

/// R1, R11, R15: what becomes of a request to load a concert, where `recorded` is what its key recorded and `queue` the number of
/// its queue, if there is one of this name.
///
/// In this order: the key recorded this request, or another; nothing of the concert has started; its queue is there.
pub fn load(
    concert: &NewConcert,
    request: &Fingerprint,
    recorded: Option<&Loaded>,
    queue: Option<QueueNumber>,
    now: Timestamp,
) -> Result<Load, Rejection> {
    if let Some(before) = recorded
        && is_repeated(Some(&before.fingerprint), request)?
    {
        return Ok(Load::Again(*before));
    }
    let started = started(concert, now);
    if !started.is_empty() {
        return Err(Rejection::Invalid(started));
    }
    queue.map(Load::Anew).ok_or(Rejection::NotFound(Missing::Queue))
}
