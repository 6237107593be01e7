//! The port of who is there.

use std::time::Instant;

use async_trait::async_trait;
use diesel_async::RunQueryDsl;
use domain::ports::{PresenceRepository, StoreError};
use domain::presence::{Sighting, Watch};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::error::BatchError;
use crate::connections::statement::{Begin, Commit, Now, run, statement, when};
use crate::store::PostgresStore;
use crate::tables::columns::{self, big};
use crate::tables::servers::{KeepServer, ServerRow, lock_server, remove_server, remove_servers};

statement! {
    /// Inserts what a server saw. No row is ever changed: when a server notes a chunk twice in one moment, the second row gets
    /// the next microsecond.
    InsertSightings {
        server: Uuid, noted: OffsetDateTime, queues: Vec<i32>, chunks: Vec<i64>, seen: Vec<Vec<u8>>,
    } -> () =
    "INSERT INTO sightings (queue, chunk, noted_at, server, seen)
     SELECT n.queue, n.chunk,
            coalesce(l.noted_at + interval '1 us', " noted ")
                + interval '1 us' * (row_number() OVER (PARTITION BY n.queue, n.chunk) - 1),
            " server ", n.seen
     FROM unnest(" queues ", " chunks ", " seen ") AS n (queue, chunk, seen)
     CROSS JOIN LATERAL (
         SELECT max(s.noted_at) FROM sightings s
         WHERE s.queue = n.queue AND s.chunk = n.chunk AND s.noted_at >= " noted " AND s.server = " server "
         ) AS l (noted_at)"
}

statement! {
    /// Removes old rows, at most `most`: those of this server, and those of servers that are gone. It steps from each chunk to
    /// the next one, so that it does not read the rows that are kept.
    RemoveSightings { server: Uuid, before: OffsetDateTime, gone: OffsetDateTime, most: i64 } -> () =
    "WITH RECURSIVE chunks (queue, chunk) AS (
         SELECT 0, -1::bigint
         UNION ALL
         SELECT n.queue, n.chunk
         FROM chunks c
         CROSS JOIN LATERAL (
             SELECT queue, chunk FROM sightings
             WHERE (queue, chunk) > (c.queue, c.chunk) ORDER BY queue, chunk LIMIT 1) AS n)
     DELETE FROM sightings s
     USING (SELECT o.*
            FROM chunks c
            CROSS JOIN LATERAL (
                SELECT queue, chunk, noted_at, server FROM sightings
                WHERE queue = c.queue AND chunk = c.chunk AND noted_at < " before " OFFSET 0) AS o
            WHERE o.server = " server "
               OR NOT EXISTS (SELECT 1 FROM servers v WHERE v.id = o.server AND v.last > " gone ")
            LIMIT " most ") AS old
     WHERE s.queue = old.queue AND s.chunk = old.chunk AND s.noted_at = old.noted_at AND s.server = old.server"
}

/// A note removes twice as many old rows as it inserts, and this many more, so that they become fewer.
const SPARE: u64 = 100;

#[async_trait]
impl PresenceRepository for PostgresStore {
    async fn note(&self, server: Uuid, seen: &[Sighting]) -> Result<(), StoreError> {
        let noted = self.in_time(self.note_down(server, seen)).await;
        if let Err(BatchError::Lost(_)) = noted {
            // Other idle connections are likely to be dead too, and the next note must not fail: a gap between notes counts.
            self.0.connections.drop_idle();
        }
        if let Err(BatchError::Store(StoreError::Full)) = noted {
            self.0.connections.disk().was_full(Instant::now());
        }
        noted.map_err(BatchError::into_store_error)
    }

    async fn forget(&self, server: Uuid) -> Result<(), StoreError> {
        self.read(async |connection| {
            let removed = remove_server(server).execute(&mut &*connection).await;
            removed.map(|_rows| ()).map_err(BatchError::from)
        })
        .await
    }
}

impl PostgresStore {
    async fn note_down(&self, server: Uuid, seen: &[Sighting]) -> Result<(), BatchError> {
        let session = self.0.connections.session().await?;
        let conn = session.connection()?;
        let (_begun, before, (now, _)) = futures::try_join!(
            Begin {}.execute(&mut &*conn),
            lock_server(server).load::<ServerRow>(&mut &*conn),
            Now {}.get_result::<(OffsetDateTime, String)>(&mut &*conn),
        )?;
        let now = self.0.environment.now(now);
        let watch = Watch::told(before.into_iter().next().map(ServerRow::watch), now);
        let gone = now.minus(Watch::GIVEN_UP);
        let sightings = || InsertSightings {
            server,
            noted: now.to_utc(),
            queues: seen.iter().map(|sighting| columns::queue(sighting.queue)).collect(),
            chunks: seen.iter().map(|sighting| big(sighting.chunk)).collect(),
            seen: seen.iter().map(|sighting| sighting.seen.clone()).collect(),
        };
        // Older rows judge nobody, whichever server told last.
        let before = gone.minus(self.0.environment.rules.absence).to_utc();
        let most = u64::from(domain::count(seen.len())) * 2 + SPARE;
        futures::try_join!(
            run(conn, KeepServer { server, since: watch.since.to_utc(), last: watch.last.to_utc() }),
            when(conn, !seen.is_empty(), sightings),
            run(conn, RemoveSightings { server, before, gone: gone.to_utc(), most: big(most) }),
            run(conn, remove_servers(gone.to_utc(), now.plus(Watch::GIVEN_UP).to_utc())),
            run(conn, Commit {}),
        )?;
        session.give_back();
        Ok(())
    }
}
