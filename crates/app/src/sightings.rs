//! The numbers that this server has seen and not yet noted in the store: a bit for each, set by any number of polls at
//! once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use domain::presence::Sighting;
use domain::{QueueNumber, TicketNumber};

const WORDS: usize = Sighting::BYTES / 8;

/// The numbers of one queue that this server has seen and not yet noted.
#[derive(Default)]
pub(crate) struct Sightings(ArcSwap<Vec<Arc<Chunk>>>);

struct Chunk {
    words: [AtomicU64; WORDS],
    /// Whether any bit may be set.
    any: AtomicBool,
}

impl Default for Chunk {
    fn default() -> Self {
        Self { words: std::array::from_fn(|_| AtomicU64::new(0)), any: AtomicBool::new(false) }
    }
}

impl Sightings {
    /// Makes room for all numbers up to `issued`. To be called by one at a time.
    pub(crate) fn make_room(&self, issued: u64) {
        let wanted = usize::try_from(issued / Sighting::CHUNK + 1).unwrap_or(usize::MAX);
        let chunks = self.0.load();
        if chunks.len() < wanted {
            let more = std::iter::repeat_with(Arc::default).take(wanted - chunks.len());
            self.0.store(Arc::new(chunks.iter().cloned().chain(more).collect()));
        }
    }

    /// Marks `number` as seen. A number for which there is no room was issued a moment ago, and needs no mark.
    pub(crate) fn note(&self, number: TicketNumber) {
        let chunks = self.0.load();
        let within = number.get() % Sighting::CHUNK;
        let place = usize::try_from(Sighting::chunk_of(number)).ok().zip(usize::try_from(within / 64).ok());
        let Some((chunk, word)) = place.and_then(|(chunk, word)| Some((chunks.get(chunk)?, word))) else { return };
        let Some(word) = chunk.words.get(word) else { return };
        let bit = 1 << (within % 64);
        // Most are seen again and again. A word that is only read does not travel from one processor to the other.
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
            chunk.any.store(true, Ordering::Release);
        }
    }

    /// Whether anything was noted.
    pub(crate) fn any(&self) -> bool {
        self.0.load().iter().any(|chunk| chunk.any.load(Ordering::Acquire))
    }

    /// What was noted, from the chunk of `first` on; it is forgotten here.
    pub(crate) fn take(&self, queue: QueueNumber, first: u64, to: &mut Vec<Sighting>) {
        for (chunk, place) in self.0.load().iter().zip(0_u64..) {
            if chunk.any.swap(false, Ordering::Acquire) {
                let words = chunk.words.iter().flat_map(|word| word.swap(0, Ordering::Relaxed).to_le_bytes());
                let seen = words.collect();
                if place >= first / Sighting::CHUNK {
                    to.push(Sighting { queue, chunk: place, seen });
                }
            }
        }
    }

    /// Takes a sighting back that could not be noted.
    pub(crate) fn put_back(&self, sighting: &Sighting) {
        let chunks = self.0.load();
        let Some(chunk) = usize::try_from(sighting.chunk).ok().and_then(|chunk| chunks.get(chunk)) else { return };
        for (word, bytes) in chunk.words.iter().zip(sighting.seen.as_chunks().0) {
            word.fetch_or(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        chunk.any.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: QueueNumber = QueueNumber(1);

    fn number(n: u64) -> TicketNumber {
        TicketNumber::new(n).unwrap()
    }

    fn taken(sightings: &Sightings, first: u64) -> Vec<(u64, Vec<u64>)> {
        let mut all = Vec::new();
        sightings.take(QUEUE, first, &mut all);
        let bits = |sighting: &Sighting| {
            let bit = |place: u64| sighting.seen[usize::try_from(place / 8).unwrap()] & (1 << (place % 8)) != 0;
            (sighting.chunk, (0..Sighting::CHUNK).filter(|place| bit(*place)).collect())
        };
        all.iter().map(bits).collect()
    }

    #[test]
    fn what_is_noted_is_told_once() {
        let sightings = Sightings::default();
        sightings.make_room(Sighting::CHUNK * 2);
        for n in [1, 64, 64, Sighting::CHUNK - 1, Sighting::CHUNK, Sighting::CHUNK * 2 + 5] {
            sightings.note(number(n));
        }
        assert_eq!(taken(&sightings, 0), [(0, vec![1, 64, Sighting::CHUNK - 1]), (1, vec![0]), (2, vec![5])]);
        assert_eq!(taken(&sightings, 0), []);
        sightings.note(number(1));
        assert_eq!(taken(&sightings, 0), [(0, vec![1])]);
    }

    #[test]
    fn whose_turn_has_passed_need_not_be_told_of() {
        let sightings = Sightings::default();
        sightings.make_room(Sighting::CHUNK);
        sightings.note(number(3));
        sightings.note(number(Sighting::CHUNK));
        assert_eq!(taken(&sightings, Sighting::CHUNK + 9), [(1, vec![0])]);
    }

    #[test]
    fn a_number_without_room_is_left_out_and_room_keeps_what_was_noted() {
        let sightings = Sightings::default();
        sightings.note(number(1));
        sightings.make_room(1);
        sightings.note(number(2));
        sightings.make_room(Sighting::CHUNK * 9);
        sightings.make_room(1);
        sightings.note(number(Sighting::CHUNK * 9));
        assert_eq!(taken(&sightings, 0), [(0, vec![2]), (9, vec![0])]);
    }

    #[test]
    fn what_could_not_be_told_is_told_later() {
        let sightings = Sightings::default();
        sightings.make_room(1);
        sightings.note(number(7));
        let mut failed = Vec::new();
        sightings.take(QUEUE, 0, &mut failed);
        sightings.note(number(8));
        sightings.put_back(&failed[0]);
        assert_eq!(taken(&sightings, 0), [(0, vec![7, 8])]);
    }
}
