//! The port of who is there: what servers note in `servers` and `sightings`.

use std::time::Duration;

use async_trait::async_trait;
use diesel::SqliteConnection;
use domain::ports::{PresenceRepository, StoreError};
use domain::presence::{Sighting, Watch};
use domain::{Timestamp, count};
use uuid::Uuid;

use crate::SqliteStore;
use crate::batches::transaction::Transaction;
use crate::connections::statement::{Statement, binds, statements};
use crate::sale::roll_call::servers;

statements! {
    Tell = "INSERT INTO servers (id, since, last) VALUES (?, ?, ?) \
        ON CONFLICT (id) DO UPDATE SET since = excluded.since, last = excluded.last";
    Forget = "DELETE FROM servers WHERE id = ?";
    Insert = "INSERT INTO sightings (queue, chunk, noted_at, server, seen) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    // In the order in which they were noted, so that none is looked at that has to stay, but for a few.
    Prune: Walks = "DELETE FROM sightings WHERE rowid IN (SELECT rowid FROM sightings ORDER BY rowid LIMIT ?) AND noted_at < ?";
}

/// How many old sightings a note removes besides twice as many as it inserts: more go than come.
const SPARE: usize = 100;

#[async_trait]
impl PresenceRepository for SqliteStore {
    async fn note(&self, server: Uuid, seen: &[Sighting]) -> Result<(), StoreError> {
        let seen = seen.to_vec();
        self.writer().run(move |transaction| note(transaction, server, &seen)).await
    }

    async fn forget(&self, server: Uuid) -> Result<(), StoreError> {
        self.writer().run(move |transaction| Forget::execute(transaction.conn, binds![server]).map(drop)).await
    }
}

fn note(transaction: &mut Transaction<'_>, server: Uuid, seen: &[Sighting]) -> Result<(), StoreError> {
    let now = transaction.now;
    let servers = servers(transaction.conn)?;
    let before = servers.iter().find(|(id, _)| *id == server).map(|(_, watch)| *watch);
    let watch = Watch::told(before, now);
    Tell::change_one(transaction.conn, binds![server, watch.since, watch.last])?;
    for (gone, _) in servers.iter().filter(|(id, watch)| *id != server && !watch.is_live(now)) {
        Forget::execute(transaction.conn, binds![*gone])?;
    }
    for sighting in seen {
        insert(transaction.conn, server, sighting, now)?;
    }
    // Nobody judges by what was noted before that: a server that has been silent for so long is given up.
    let needless = now.minus(transaction.rules.absence).minus(Watch::GIVEN_UP);
    let most = count(seen.len() * 2 + SPARE);
    Prune::execute(transaction.conn, binds![most, needless]).map(drop)
}

/// Rows are never changed: what a server notes of a chunk twice in one moment is kept as of the next one.
fn insert(conn: &mut SqliteConnection, server: Uuid, seen: &Sighting, now: Timestamp) -> Result<(), StoreError> {
    let mut at = now;
    while Insert::execute(conn, binds![seen.queue, seen.chunk, at, server, &*seen.seen])? == 0 {
        at = at.plus(Duration::from_micros(1));
    }
    Ok(())
}

/// Whether a server sends notes.
pub(crate) fn is_watched(transaction: &mut Transaction<'_>) -> Result<bool, StoreError> {
    let now = transaction.now;
    Ok(servers(transaction.conn)?.iter().any(|(_, watch)| watch.told_lately(now)))
}

#[cfg(test)]
mod tests {
    use domain::{QueueName, Rules};
    use storage_contract::SeededIds;

    use super::*;
    use crate::batches::loading;
    use crate::sale::roll_call::seen_since;

    #[test]
    fn what_nobody_can_need_any_more_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        crate::migrate(&path).unwrap();
        let mut connection = crate::open::connect(&path).unwrap();
        let (rules, ids) = (Rules::default(), SeededIds::new(1));
        let mut batch = Transaction::new(&mut connection, Timestamp::from_micros(0), &rules, &ids);
        let queue = loading::create_queue(&mut batch, QueueName::main()).unwrap().unwrap();
        let seen: Vec<_> = (0..150).map(|chunk| Sighting { queue, chunk, seen: vec![0; Sighting::BYTES] }).collect();
        let [gone, stays] = [1, 2].map(Uuid::from_u128);
        let count = |batch: &mut Transaction<'_>, after: Duration, server, seen: &[Sighting]| {
            batch.now = Timestamp::from_micros(0).plus(after);
            note(batch, server, seen).unwrap();
            let of_chunk = |chunk| seen_since(batch.conn, queue, chunk, Timestamp::from_micros(0)).unwrap().len();
            let kept: usize = (0..150).map(of_chunk).sum();
            (kept, servers(batch.conn).unwrap().len())
        };
        let (micro, needed) = (Duration::from_micros(1), rules.absence + Watch::GIVEN_UP);
        assert_eq!(count(&mut batch, Duration::ZERO, gone, &seen), (150, 1));
        assert_eq!(count(&mut batch, Watch::GIVEN_UP.saturating_sub(micro), stays, &[]), (150, 2));
        assert_eq!(count(&mut batch, Watch::GIVEN_UP, stays, &[]), (150, 1), "the first one is given up");
        assert_eq!(count(&mut batch, needed, stays, &[]), (150, 1), "as long as somebody may judge by it");
        assert_eq!(count(&mut batch, needed + micro, stays, &[]), (50, 1), "a hundred and no more");
        assert_eq!(count(&mut batch, needed + micro, stays, &seen[..5]), (5, 1));
    }
}
