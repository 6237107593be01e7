//! The roll call before admission: who is there, by what the servers noted.

use std::collections::BTreeSet;

use diesel::SqliteConnection;
use domain::ports::StoreError;
use domain::presence::{Roll, Sighting, Watch};
use domain::{QueueNumber, Timestamp, Token};
use uuid::Uuid;

use crate::batches::transaction::Transaction;
use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow};

statements! {
    Servers: Walks = "SELECT id, since, last FROM servers";
    Seen = "SELECT seen FROM sightings WHERE queue = ? AND chunk = ? AND noted_at >= ?";
}

/// The servers that send notes, and the first and last note of each.
pub(crate) fn servers(conn: &mut SqliteConnection) -> Result<Vec<(Uuid, Watch)>, StoreError> {
    Servers::rows(conn, &[])
}

/// What was noted of a chunk's numbers since a moment.
pub(crate) fn seen_since(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    chunk: u64,
    since: Timestamp,
) -> Result<Vec<Bits>, StoreError> {
    Seen::rows(conn, binds![queue, chunk, since])
}

/// The numbers of a queue that were seen, read as far as they are needed.
pub(crate) struct RollCall {
    queue: QueueNumber,
    /// `None` until somebody's turn has come.
    roll: Option<Roll>,
    chunks: BTreeSet<u64>,
}

impl RollCall {
    pub(crate) const fn new(queue: QueueNumber) -> Self {
        Self { queue, roll: None, chunks: BTreeSet::new() }
    }

    /// The roll, with all that is needed to judge these.
    pub(crate) fn roll_for(
        &mut self,
        transaction: &mut Transaction<'_>,
        waiting: &[Token],
    ) -> Result<&Roll, StoreError> {
        let roll = match self.roll.take() {
            Some(roll) => roll,
            None => begin(transaction)?,
        };
        let roll = self.roll.insert(roll);
        let Some(since) = roll.judges_since() else { return Ok(roll) };
        for token in waiting {
            let chunk = Sighting::chunk_of(token.ticket.number);
            if roll.judges(token) && self.chunks.insert(chunk) {
                for Bits(seen) in seen_since(transaction.conn, self.queue, chunk, since)? {
                    roll.add(chunk, &seen);
                }
            }
        }
        Ok(roll)
    }
}

fn begin(transaction: &mut Transaction<'_>) -> Result<Roll, StoreError> {
    let absence = transaction.rules.absence;
    if absence.is_zero() {
        return Ok(Roll::of_all());
    }
    let watches: Vec<Watch> = servers(transaction.conn)?.into_iter().map(|(_, watch)| watch).collect();
    Ok(Roll::since(Watch::judges_since(&watches, absence, transaction.now)))
}

/// A bit for each number of a chunk.
pub(crate) struct Bits([u8; Sighting::BYTES]);

impl FromRow for Bits {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        row.bytes(0, ("sightings", "seen")).map(Self)
    }
}

impl FromRow for (Uuid, Watch) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let watch = Watch { since: row.instant(1, ("servers", "since"))?, last: row.instant(2, ("servers", "last"))? };
        Ok((row.id(0, ("servers", "id"))?, watch))
    }
}
