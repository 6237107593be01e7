//! Who is still there: the absent take no slots (R22).
//!
//! Each server notes whom it sees, that is who joins and who polls, and writes that down every few seconds. When a token's
//! turn comes and no server has seen it for as long as the rules allow, it is passed over. Whatever is not known for
//! certain counts in the user's favour: a server that has not written down yet whom it saw may have seen anybody.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{QueueNumber, TicketNumber, Timestamp, Token};

/// How often a server notes in the store which numbers it has seen: a sixtieth of `absence`, at least half a second and at
/// most two seconds. Two seconds where nobody is ever passed over.
pub fn note_every(absence: Duration) -> Duration {
    const MOST: Duration = Duration::from_secs(2);
    if absence.is_zero() { MOST } else { (absence / 60).clamp(Duration::from_millis(500), MOST) }
}

/// The numbers of one chunk of a queue that a server has seen since its last note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The queue.
    pub queue: QueueNumber,
    /// Which chunk of its numbers: chunk `c` has those from `c * CHUNK` on.
    pub chunk: u64,
    /// A bit for each number, the lowest bit of the first byte for the first; [`Sighting::BYTES`] long.
    pub seen: Vec<u8>,
}

impl Sighting {
    /// How many numbers a chunk has.
    pub const CHUNK: u64 = 32_768;
    /// How many bytes that is.
    pub const BYTES: usize = 4_096;

    /// In which chunk a number is.
    pub const fn chunk_of(number: TicketNumber) -> u64 {
        number.get() / Self::CHUNK
    }
}

/// For how long a server has sent notes without a gap: the first and the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Its first note after the last gap. What it saw before that is not known for certain.
    pub since: Timestamp,
    /// Its last note. Everything that it saw until then is known.
    pub last: Timestamp,
}

impl Watch {
    /// The longest pause between two notes that is no gap. A server that was silent for longer may have seen people and
    /// forgotten them.
    pub const GAP: Duration = Duration::from_secs(10);
    /// A server that was silent for so long is taken to be gone. Until then nobody is passed over without its notes.
    pub const GIVEN_UP: Duration = Duration::from_secs(300);

    /// The watch of a server that sends a note now. It begins anew after a gap, and where the clock was set back by as much, since
    /// nobody knows what of the former notes is how old.
    #[must_use]
    pub fn told(before: Option<Self>, now: Timestamp) -> Self {
        let kept = before.filter(|before| before.told_lately(now));
        Self { since: kept.map_or(now, |before| before.since.min(now)), last: now }
    }

    /// Whether the server has sent a note within the longest pause that is no gap. A note of a time to come is one of before the
    /// clock was set back, and as old as that is far.
    pub fn told_lately(&self, now: Timestamp) -> bool {
        now.apart(self.last) <= Self::GAP
    }

    /// Whether the server may still be there.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now.apart(self.last) < Self::GIVEN_UP
    }

    /// The moment since which a number must have been seen, or it is absent. `None` where nobody may be judged: the rules
    /// forbid it, no server watches, or one of them has not watched for that long without a gap.
    pub fn judges_since(watches: &[Self], absence: Duration, now: Timestamp) -> Option<Timestamp> {
        if absence.is_zero() {
            return None;
        }
        let live: Vec<_> = watches.iter().filter(|watch| watch.is_live(now)).collect();
        let known_until = live.iter().map(|watch| watch.last).min()?;
        let since = known_until.minus(absence);
        live.iter().all(|watch| watch.told_lately(now) && watch.since <= since).then_some(since)
    }
}

/// The numbers that were seen lately, read as far as they are needed to judge some tokens.
#[derive(Clone, Debug, Default)]
pub struct Roll {
    /// Since when one must have been seen; nobody is judged without it.
    since: Option<Timestamp>,
    /// Who was seen since, by chunk.
    seen: BTreeMap<u64, Vec<u8>>,
}

impl Roll {
    /// A roll by which nobody is absent.
    pub fn of_all() -> Self {
        Self::default()
    }

    /// A roll that judges by [`Watch::judges_since`]; nobody has been seen as yet.
    pub const fn since(since: Option<Timestamp>) -> Self {
        Self { since, seen: BTreeMap::new() }
    }

    /// Since when one must have been seen, if anybody is judged: sightings written down before that do not count.
    pub const fn judges_since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Whether it depends on sightings whether this token is absent: who joined lately was there then.
    pub fn judges(&self, token: &Token) -> bool {
        self.since.is_some_and(|since| token.issued_at < since)
    }

    /// Adds what a server saw of a chunk, written down no earlier than [`Roll::judges_since`].
    pub fn add(&mut self, chunk: u64, seen: &[u8]) {
        let known = self.seen.entry(chunk).or_insert_with(|| vec![0; Sighting::BYTES]);
        for (known, seen) in known.iter_mut().zip(seen) {
            *known |= seen;
        }
    }

    /// Whether nobody has seen this token for as long as the rules allow.
    pub fn is_absent(&self, token: &Token) -> bool {
        self.judges(token) && !self.has_seen(token.ticket.number)
    }

    fn has_seen(&self, number: TicketNumber) -> bool {
        let within = number.get() % Sighting::CHUNK;
        let byte = usize::try_from(within / 8).ok();
        let seen = self.seen.get(&Sighting::chunk_of(number)).zip(byte).and_then(|(seen, byte)| seen.get(byte));
        seen.is_some_and(|byte| byte & (1 << (within % 8)) != 0)
    }
}

#[cfg(test)]
mod tests;
