//! Who is still there: what this server tells the store of whom it saw (R22).

use domain::ports::StoreError;
use domain::presence::Sighting;

use crate::App;

impl App {
    /// Sends the store the numbers that this server has seen since its last note, even if there are none. To be called
    /// every [`note_every`].
    ///
    /// [`note_every`]: domain::presence::note_every
    pub async fn note_presence(&self) -> Result<(), StoreError> {
        let seen = self.take_sightings();
        let noted = self.ports.presence.note(self.server, &seen).await;
        if noted.is_err() {
            let lines = self.lines.load();
            for sighting in &seen {
                if let Some(queue) = lines.queue(sighting.queue) {
                    queue.sightings.put_back(sighting);
                }
            }
        }
        noted
    }

    /// As [`App::note_presence`], if this server has seen anybody.
    pub(crate) async fn note_sightings(&self) -> Result<(), StoreError> {
        let lines = self.lines.load_full();
        if lines.queues().any(|(_, queue)| queue.sightings.any()) { self.note_presence().await } else { Ok(()) }
    }

    /// Says that this server stops, so that nobody waits for its next note.
    pub async fn say_goodbye(&self) -> Result<(), StoreError> {
        self.ports.presence.forget(self.server).await
    }

    fn take_sightings(&self) -> Vec<Sighting> {
        let mut seen = Vec::new();
        for (number, queue) in self.lines.load().queues() {
            queue.sightings.take(number, queue.known().snapshot.line().frontier + 1, &mut seen);
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use domain::line::Line;
    use domain::ports::{Joined, QueueChange};
    use domain::{QueueNumber, Rules, Ticket, TicketNumber};
    use mockall::Sequence;
    use uuid::Uuid;

    use super::*;
    use crate::mocks::{SERVER, Shown, World, active, block_on, change, down, holder, name_of, numbered, user};

    /// Who of queue `queue` was seen in chunk `chunk`, counted from its first number.
    fn sighting(queue: u16, chunk: u64, places: &[u64]) -> Sighting {
        let mut seen = vec![0; Sighting::BYTES];
        for place in places {
            seen[usize::try_from(place / 8).unwrap()] |= 1 << (place % 8);
        }
        Sighting { queue: QueueNumber(queue), chunk, seen }
    }

    /// A world in which the store is told this, note by note, and answers so.
    fn expecting(notes: Vec<(Vec<Sighting>, Result<(), StoreError>)>) -> World {
        let (mut world, mut order) = (World::default(), Sequence::new());
        for (expected, answer) in notes {
            let asked = move |server: &Uuid, seen: &[Sighting]| {
                let mut seen = seen.to_vec();
                seen.sort_unstable_by_key(|sighting| (sighting.queue.0, sighting.chunk));
                *server == SERVER && seen == expected
            };
            world.presence.expect_note().times(1).in_sequence(&mut order).withf(asked).return_once(|_, _| answer);
        }
        world
    }

    fn poll(app: &App, queue: u16, number: u64) {
        let place = Ticket { queue: QueueNumber(queue), number: TicketNumber::new(number).unwrap() };
        block_on(app.standing(app.holder(place).unwrap())).unwrap();
    }

    #[test]
    fn who_polls_and_who_joins_is_told_of_once() {
        let both = vec![sighting(1, 0, &[7, 8, 9]), sighting(2, 0, &[10])];
        let mut world = expecting(vec![(both, Ok(())), (vec![], Ok(())), (vec![sighting(1, 0, &[7])], Ok(()))]);
        for token in [numbered(9), active()] {
            let joined = Joined { token, created: true, line: change(1, "main").line };
            world.queues.expect_join().times(1).return_once(|_, _| Ok(Ok(joined)));
        }
        let app = world.app();
        poll(&app, 1, 8);
        poll(&app, 2, 10);
        block_on(app.join(&name_of("main"), &user())).unwrap();
        block_on(app.join(&name_of("main"), &user())).unwrap();
        assert_eq!(block_on(app.note_presence()), Ok(()));
        assert_eq!(block_on(app.note_presence()), Ok(()), "it says that it is there, though it saw nobody");
        block_on(app.standing(holder())).unwrap();
        assert_eq!(block_on(app.note_presence()), Ok(()));
    }

    /// Two chunks and more are in line.
    fn long() -> QueueChange {
        let line = Line { issued: 3 * Sighting::CHUNK, admitted: 4, frontier: 4, ended_beyond: 0, version: 50 };
        QueueChange { line, ..change(1, "main") }
    }

    fn long_line(notes: Vec<(Vec<Sighting>, Result<(), StoreError>)>) -> (App, Arc<Shown>) {
        let world = expecting(notes);
        let lines = Arc::clone(&world.lines);
        lines.change(|main| *main = long());
        (world.app(), lines)
    }

    #[test]
    fn nobody_is_told_of_whose_turn_has_passed_but_the_chunk_of_the_next_one_is_told_whole() {
        let seen = vec![sighting(1, 1, &[0, 9]), sighting(1, 2, &[1])];
        let (app, lines) = long_line(vec![(seen, Ok(()))]);
        for number in [5, Sighting::CHUNK, Sighting::CHUNK + 9, 2 * Sighting::CHUNK + 1] {
            poll(&app, 1, number);
        }
        lines.admit(Sighting::CHUNK - 1);
        block_on(app.refresh()).unwrap();
        assert_eq!(block_on(app.note_presence()), Ok(()));
    }

    #[test]
    fn what_a_failed_note_had_to_tell_the_next_one_tells() {
        let first = vec![sighting(1, 0, &[7]), sighting(1, 2, &[3])];
        let second = vec![sighting(1, 0, &[7, 8]), sighting(1, 2, &[3])];
        let (app, _) = long_line(vec![(first, Err(down())), (second, Ok(())), (vec![], Ok(()))]);
        poll(&app, 1, 7);
        poll(&app, 1, 2 * Sighting::CHUNK + 3);
        assert_eq!(block_on(app.note_presence()), Err(down()));
        poll(&app, 1, 8);
        assert_eq!(block_on(app.note_sightings()), Ok(()), "there is something to tell");
        assert_eq!(block_on(app.note_sightings()), Ok(()), "nothing is left, and nobody is called");
        assert_eq!(block_on(app.note_presence()), Ok(()));
    }

    #[test]
    fn where_nobody_is_passed_over_nobody_is_noted() {
        let rules = Rules { absence: Duration::ZERO, ..Rules::default() };
        let app = World { rules, ..World::default() }.app();
        poll(&app, 1, 7);
        assert_eq!(block_on(app.note_sightings()), Ok(()));
        assert_eq!(app.take_sightings(), []);
    }

    #[test]
    fn a_server_that_stops_says_so() {
        for answer in [Ok(()), Err(down())] {
            let (mut world, told) = (World::default(), answer.clone());
            world.presence.expect_forget().times(1).withf(|server| *server == SERVER).return_once(|_| told);
            assert_eq!(block_on(world.app().say_goodbye()), answer);
        }
    }
}
