//! Loading concerts, and making the queues they are sold through.

use async_trait::async_trait;
use bigdecimal::BigDecimal;
use diesel::sql_types::Integer;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::concert::{CreatedConcert, NewConcert, NewSchedule};
use domain::{ConcertId, Queue, QueueEpoch, QueueName, QueueNumber, Rejection, ScheduleId, Timestamp};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::batches::lane::{Decision, Executor};
use crate::connections::error::BatchError;
use crate::connections::statement::{Begin, Commit, Now, run, statement};
use crate::environment::Environment;
use crate::tables::rows::{self, decimal, int};

statement! {
    /// The number of the queue of this name.
    FindNumber { name: String } -> Integer = "SELECT number FROM queue_registry WHERE name = " name
}

statement! {
    /// Lets nobody else make a queue meanwhile; reading goes on.
    LockRegistry {} -> () = "LOCK TABLE queue_registry IN SHARE ROW EXCLUSIVE MODE"
}

statement! {
    /// The newest number; numbers are never used again.
    NewestNumber {} -> Integer = "SELECT coalesce(max(number), 0) FROM queue_registry"
}

statement! {
    InsertName { number: i32, name: String, created: OffsetDateTime } -> () =
    "INSERT INTO queue_registry (number, name, created_at) VALUES (" number ", " name ", " created ")"
}

statement! {
    InsertFirstPolicy { queue: i32, since: OffsetDateTime, active: i32, batch: i32, interval: i32, paused: bool } -> () =
    "INSERT INTO policies (queue, seq, since, max_active, batch, interval_seconds, paused)
     VALUES (" queue ", 1, " since ", " active ", " batch ", " interval ", " paused ")"
}

statement! {
    InsertQueue { queue: i32, epoch: Vec<u8> } -> () =
    "INSERT INTO queues (queue, epoch, version, issued, admitted, frontier, ended_beyond, policy_seq,
                         window_index, window_granted)
     VALUES (" queue ", " epoch ", 0, 0, 0, 0, 0, 1, 0, 0)"
}

statement! {
    InsertConcert { queue: i32, id: Uuid, title: String, created: OffsetDateTime } -> () =
    "INSERT INTO concerts (queue, id, title, created_at)
     VALUES (" queue ", " id ", " title ", " created ")"
}

statement! {
    InsertSchedule {
        queue: i32, id: Uuid, concert: Uuid, starts_at: OffsetDateTime, offset: i32, date: Date, seats: i32,
    } -> () =
    "INSERT INTO schedules (queue, id, concert_id, starts_at, offset_minutes, local_date, seats_total)
     VALUES (" queue ", " id ", " concert ", " starts_at ", " offset ", " date ", " seats ")"
}

statement! {
    InsertSeats { queue: i32, schedule: Uuid, numbers: Vec<i32>, ids: Vec<Uuid>, prices: Vec<BigDecimal> } -> () =
    "INSERT INTO seats (queue, schedule_id, number, id, price)
     SELECT " queue ", " schedule ", n.* FROM unnest(" numbers ", " ids ", " prices ") AS n"
}

/// Loads concerts, one lane for all queues: an operator's work, not a crowd's.
pub(crate) struct Loading {
    pub(crate) environment: Environment,
}

/// What is loaded.
pub(crate) enum Plan {
    /// A concert, and its queue if that is unknown.
    Concert(NewConcert),
    /// The queue that always exists.
    Main,
}

#[async_trait]
impl Executor for Loading {
    type Command = Plan;
    type Answer = Result<Option<CreatedConcert>, Rejection>;
    type Changes = ();

    async fn decide(&self, conn: &AsyncPgConnection, plans: &[Plan]) -> Result<Decision<Self>, BatchError> {
        let (_begun, (now, transaction)) = futures::try_join!(
            Begin {}.execute(&mut &*conn),
            Now {}.get_result::<(OffsetDateTime, String)>(&mut &*conn),
        )?;
        let now = self.environment.now(now);
        let mut answers = Vec::with_capacity(plans.len());
        for plan in plans {
            answers.push(match plan {
                Plan::Main => self.queue(conn, &QueueName::main(), now).await?.map(|_main| None),
                Plan::Concert(concert) => self.concert(conn, concert, now).await?.map(Some),
            });
        }
        Ok(Decision { answers, changes: (), transaction })
    }

    async fn commit(&self, conn: &AsyncPgConnection, _changes: &()) -> diesel::QueryResult<()> {
        run(conn, Commit {}).await
    }
}

impl Loading {
    async fn concert(
        &self,
        conn: &AsyncPgConnection,
        plan: &NewConcert,
        now: Timestamp,
    ) -> Result<Result<CreatedConcert, Rejection>, BatchError> {
        let queue = match self.queue(conn, &plan.queue, now).await? {
            Ok(queue) => queue,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let id = self.environment.ids.next_id();
        let title = plan.title.to_string();
        run(conn, InsertConcert { queue: rows::queue(queue), id, title, created: now.to_utc() }).await?;
        let mut schedules = Vec::with_capacity(plan.schedules.len());
        for schedule in &plan.schedules {
            schedules.push(self.schedule(conn, queue, id, schedule).await?);
        }
        Ok(Ok(CreatedConcert { id: ConcertId::new(id), queue, schedules }))
    }

    async fn schedule(
        &self,
        conn: &AsyncPgConnection,
        queue: QueueNumber,
        concert: Uuid,
        plan: &NewSchedule,
    ) -> Result<ScheduleId, BatchError> {
        let (queue, id) = (rows::queue(queue), self.environment.ids.next_id());
        let schedule = InsertSchedule {
            queue,
            id,
            concert,
            starts_at: plan.starts_at.at().to_utc(),
            offset: i32::from(plan.starts_at.offset_minutes()),
            date: plan.starts_at.date(),
            // At most 100,000.
            seats: i32::try_from(plan.seats.len()).unwrap_or(i32::MAX),
        };
        let seats = InsertSeats {
            queue,
            schedule: id,
            numbers: plan.seats.iter().map(|(number, _)| int(*number)).collect(),
            ids: plan.seats.iter().map(|_| self.environment.ids.next_id()).collect(),
            prices: plan.seats.iter().map(|(_, price)| decimal(price)).collect(),
        };
        futures::try_join!(run(conn, schedule), run(conn, seats))?;
        Ok(ScheduleId::new(id))
    }

    /// The queue of this name; made with the default policy, under a number that was never used, when there is none.
    async fn queue(
        &self,
        conn: &AsyncPgConnection,
        name: &QueueName,
        now: Timestamp,
    ) -> Result<Result<QueueNumber, Rejection>, BatchError> {
        if let Some(number) = number(conn, name).await? {
            return Ok(Ok(number));
        }
        run(conn, LockRegistry {}).await?;
        // Another server may have made it while this one waited.
        if let Some(number) = number(conn, name).await? {
            return Ok(Ok(number));
        }
        let newest = NewestNumber {}.get_result::<i32>(&mut &*conn).await?;
        let Ok(number) = u16::try_from(newest.saturating_add(1)) else {
            return Ok(Err(Rejection::invalid("queue", "is one more than there are numbers for")));
        };
        let epoch = QueueEpoch(self.environment.ids.random());
        let policy = self.environment.rules.new_queue;
        let queue = Queue::new(QueueNumber(number), name.clone(), epoch, policy, now);
        let (number, since) = (rows::queue(queue.number), now.to_utc());
        let policy = InsertFirstPolicy {
            queue: number,
            since,
            active: int(policy.max_active),
            batch: int(policy.batch),
            interval: int(policy.interval_seconds),
            paused: policy.paused,
        };
        futures::try_join!(
            run(conn, InsertName { number, name: name.to_string(), created: since }),
            run(conn, policy),
            run(conn, InsertQueue { queue: number, epoch: epoch.0.to_vec() }),
        )?;
        Ok(Ok(queue.number))
    }
}

async fn number(conn: &AsyncPgConnection, name: &QueueName) -> Result<Option<QueueNumber>, BatchError> {
    let found = FindNumber { name: name.to_string() }.load::<i32>(&mut &*conn).await?;
    let number = found.into_iter().next().map(|number| rows::queue_number("queue_registry", number));
    Ok(number.transpose()?)
}
