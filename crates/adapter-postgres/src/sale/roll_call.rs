//! Who is there of those whose turn has come, read when it is needed (R22).

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::{Queryable, Selectable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::presence::{Roll, Sighting, Watch};
use domain::{QueueNumber, Rules, Timestamp, Token};
use time::OffsetDateTime;

use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::schema::sightings;
use crate::tables::columns::{big, count, queue as queue_column};
use crate::tables::servers::{ServerRow, find_servers};

statement! {
    /// Whom servers saw of these chunks, written down since.
    FindSightings { queue: i32, chunks: Vec<i64>, since: OffsetDateTime } -> AsSelect<SightingRow, Pg> =
    "SELECT s.chunk, s.seen
     FROM unnest(" chunks ") AS c (chunk)
     CROSS JOIN LATERAL (
         SELECT chunk, seen FROM sightings
         WHERE queue = " queue " AND chunk = c.chunk AND noted_at >= " since " OFFSET 0) AS s"
}

/// Whom a server saw of a chunk of numbers.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sightings, check_for_backend(Pg))]
pub(crate) struct SightingRow {
    chunk: i64,
    seen: Vec<u8>,
}

/// Calls the roll of one queue's waiters in one transaction.
pub(crate) struct RollCall {
    queue: QueueNumber,
    absence: Duration,
    now: Timestamp,
    /// Nobody is absent by it until the servers were asked.
    roll: Roll,
    asked: bool,
    /// The chunks that are on the roll.
    chunks: BTreeSet<u64>,
}

impl RollCall {
    pub(crate) fn new(queue: QueueNumber, rules: &Rules, now: Timestamp) -> Self {
        let (roll, chunks) = (Roll::of_all(), BTreeSet::new());
        Self { queue, absence: rules.absence, now, roll, asked: false, chunks }
    }

    /// The roll, as far as it was called.
    pub(crate) const fn roll(&self) -> &Roll {
        &self.roll
    }

    /// Reads what is needed to judge these tokens; nothing of those who have just come. The servers are read before what
    /// they saw: what they told of is there then.
    pub(crate) async fn call(&mut self, conn: &AsyncPgConnection, page: &[Token]) -> Result<(), BatchError> {
        let lately = self.now.minus(self.absence);
        if self.absence.is_zero() || page.iter().all(|token| token.issued_at >= lately) {
            return Ok(());
        }
        if !self.asked {
            let told = find_servers().load::<ServerRow>(&mut &*conn).await?;
            let watches: Vec<Watch> = told.into_iter().map(ServerRow::watch).collect();
            self.roll = Roll::since(Watch::judges_since(&watches, self.absence, self.now));
            self.asked = true;
        }
        let Some(since) = self.roll.judges_since() else { return Ok(()) };
        let judged = page.iter().filter(|token| self.roll.judges(token));
        let chunks: BTreeSet<u64> = judged.map(|token| Sighting::chunk_of(token.ticket.number)).collect();
        let chunks: Vec<i64> = chunks.into_iter().filter(|chunk| self.chunks.insert(*chunk)).map(big).collect();
        if chunks.is_empty() {
            return Ok(());
        }
        let find = FindSightings { queue: queue_column(self.queue), chunks, since: since.to_utc() };
        for row in find.load::<SightingRow>(&mut &*conn).await? {
            self.roll.add(count("sightings", "chunk", row.chunk)?, &row.seen);
        }
        Ok(())
    }
}
