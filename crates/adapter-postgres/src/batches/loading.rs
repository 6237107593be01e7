//! Making queues, and loading the concerts that are sold through them.

use async_trait::async_trait;
use bigdecimal::BigDecimal;
use diesel::dsl::{auto_type, insert_into, max};
use diesel::{ExpressionMethods, QueryDsl, helper_types};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::concert::{CreatedConcert, NewConcert, NewSchedule};
use domain::ports::StoreError;
use domain::{ConcertId, NewQueue, Queue, QueueEpoch, QueueName, QueueNumber, Rejection, ScheduleId, Timestamp, Wrong};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::batches::lane::{Decision, Executor};
use crate::connections::error::BatchError;
use crate::connections::statement::{Begin, Commit, Now, run, statement};
use crate::environment::Environment;
use crate::schema::{concerts, policies, queue_registry, queues, schedules};
use crate::tables::columns::{self, decimal, int};

/// Reads the number of the queue of this name.
#[auto_type(no_type_alias)]
pub(crate) fn find_number(name: String) -> _ {
    queue_registry::table.filter(queue_registry::name.eq(name)).select(queue_registry::number)
}

statement! {
    /// Keeps others from making a queue meanwhile; reading goes on.
    LockRegistry {} -> () = "LOCK TABLE queue_registry IN SHARE ROW EXCLUSIVE MODE"
}

/// Reads the newest number; numbers are never used again.
#[auto_type(no_type_alias)]
pub(crate) fn newest_number() -> _ {
    let newest: helper_types::max<queue_registry::number> = max(queue_registry::number);
    queue_registry::table.select(newest)
}

/// Inserts the name of a new queue.
#[auto_type(no_type_alias)]
pub(crate) fn insert_name(number: i32, name: String, created: OffsetDateTime) -> _ {
    insert_into(queue_registry::table).values((
        queue_registry::number.eq(number),
        queue_registry::name.eq(name),
        queue_registry::created_at.eq(created),
    ))
}

/// Inserts the first policy of a new queue.
#[auto_type(no_type_alias)]
pub(crate) fn insert_first_policy(
    queue: i32,
    since: OffsetDateTime,
    active: i32,
    batch: i32,
    interval: i32,
    paused: bool,
) -> _ {
    insert_into(policies::table).values((
        policies::queue.eq(queue),
        policies::seq.eq(1_i32),
        policies::since.eq(since),
        policies::max_active.eq(active),
        policies::batch.eq(batch),
        policies::interval_seconds.eq(interval),
        policies::paused.eq(paused),
    ))
}

/// Inserts the row of a new queue, nobody in its line.
#[auto_type(no_type_alias)]
pub(crate) fn insert_queue(queue: i32, epoch: Vec<u8>) -> _ {
    insert_into(queues::table).values((
        queues::queue.eq(queue),
        queues::epoch.eq(epoch),
        queues::version.eq(0_i64),
        queues::issued.eq(0_i64),
        queues::admitted.eq(0_i64),
        queues::frontier.eq(0_i64),
        queues::ended_beyond.eq(0_i64),
        queues::policy_seq.eq(1_i32),
        queues::window_index.eq(0_i64),
        queues::window_granted.eq(0_i32),
    ))
}

/// Inserts a concert.
#[auto_type(no_type_alias)]
pub(crate) fn insert_concert(queue: i32, id: Uuid, title: String, created: OffsetDateTime) -> _ {
    insert_into(concerts::table).values((
        concerts::queue.eq(queue),
        concerts::id.eq(id),
        concerts::title.eq(title),
        concerts::created_at.eq(created),
    ))
}

/// Inserts a schedule; `seats` is how many it has.
#[auto_type(no_type_alias)]
pub(crate) fn insert_schedule(
    queue: i32,
    id: Uuid,
    concert: Uuid,
    starts_at: OffsetDateTime,
    offset: i32,
    date: Date,
    seats: i32,
) -> _ {
    insert_into(schedules::table).values((
        schedules::queue.eq(queue),
        schedules::id.eq(id),
        schedules::concert_id.eq(concert),
        schedules::starts_at.eq(starts_at),
        schedules::offset_minutes.eq(offset),
        schedules::local_date.eq(date),
        schedules::seats_total.eq(seats),
    ))
}

statement! {
    InsertSeats { queue: i32, schedule: Uuid, numbers: Vec<i32>, ids: Vec<Uuid>, prices: Vec<BigDecimal> } -> () =
    "INSERT INTO seats (queue, schedule_id, number, id, price)
     SELECT " queue ", " schedule ", n.* FROM unnest(" numbers ", " ids ", " prices ") AS n"
}

/// Makes queues and loads concerts, one lane for all: an operator's work, not a crowd's.
pub(crate) struct Loading {
    pub(crate) environment: Environment,
}

/// What is loaded.
pub(crate) enum Plan {
    /// A concert, and its queue if that is unknown.
    Concert(NewConcert),
    /// A queue.
    Queue(NewQueue),
    /// The queue that always exists.
    Main,
}

/// What was loaded.
pub(crate) enum Loaded {
    /// A concert.
    Concert(CreatedConcert),
    /// A queue.
    Queue(QueueNumber),
}

impl Loaded {
    /// Something else than was to be loaded.
    pub(crate) fn unexpected(&self) -> StoreError {
        let what = match self {
            Self::Concert(_) => "a concert",
            Self::Queue(_) => "a queue",
        };
        StoreError::Unavailable(format!("{what} is no answer to the command"))
    }
}

#[async_trait]
impl Executor for Loading {
    type Command = Plan;
    type Answer = Result<Loaded, Rejection>;
    type Changes = ();

    async fn decide(
        &self,
        conn: &AsyncPgConnection,
        plans: &[Plan],
        _most: usize,
    ) -> Result<Decision<Self>, BatchError> {
        let (_begun, (now, transaction)) = futures::try_join!(
            Begin {}.execute(&mut &*conn),
            Now {}.get_result::<(OffsetDateTime, String)>(&mut &*conn),
        )?;
        let now = self.environment.now(now);
        let mut answers = Vec::with_capacity(plans.len());
        for plan in plans {
            answers.push(match plan {
                Plan::Main => self.queue_named(conn, &QueueName::main(), now).await?.map(Loaded::Queue),
                Plan::Queue(queue) => self.queue(conn, queue, now).await?.map(Loaded::Queue),
                Plan::Concert(concert) => self.concert(conn, concert, now).await?.map(Loaded::Concert),
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
        let queue = match self.queue_named(conn, &plan.queue, now).await? {
            Ok(queue) => queue,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let id = self.environment.ids.next_id();
        let title = plan.title.to_string();
        run(conn, insert_concert(columns::queue(queue), id, title, now.to_utc())).await?;
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
        let (queue, id) = (columns::queue(queue), self.environment.ids.next_id());
        let (at, offset) = (plan.starts_at.at().to_utc(), i32::from(plan.starts_at.offset_minutes()));
        // At most 100,000.
        let many = i32::try_from(plan.seats.len()).unwrap_or(i32::MAX);
        let schedule = insert_schedule(queue, id, concert, at, offset, plan.starts_at.date(), many);
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

    /// Finds the queue of this name. When there is none, it makes one with the default policy.
    async fn queue_named(
        &self,
        conn: &AsyncPgConnection,
        name: &QueueName,
        now: Timestamp,
    ) -> Result<Result<QueueNumber, Rejection>, BatchError> {
        if let Some(number) = number(conn, name).await? {
            return Ok(Ok(number));
        }
        let queue = NewQueue { name: name.clone(), policy: self.environment.rules.new_queue };
        match self.queue(conn, &queue, now).await? {
            // Another server made it while this one waited.
            Err(Rejection::QueueExists) => {
                let made = number(conn, name).await?;
                Ok(made.ok_or(Rejection::QueueExists))
            }
            made => Ok(made),
        }
    }

    /// Makes a queue of a name that none has, under a number that was never used.
    async fn queue(
        &self,
        conn: &AsyncPgConnection,
        new: &NewQueue,
        now: Timestamp,
    ) -> Result<Result<QueueNumber, Rejection>, BatchError> {
        run(conn, LockRegistry {}).await?;
        if number(conn, &new.name).await?.is_some() {
            return Ok(Err(Rejection::QueueExists));
        }
        let newest = newest_number().get_result::<Option<i32>>(&mut &*conn).await?.unwrap_or(0);
        let Ok(number) = u16::try_from(newest.saturating_add(1)) else {
            return Ok(Err(Rejection::invalid("queue", Wrong::NoNumberLeft)));
        };
        let epoch = QueueEpoch(self.environment.ids.random());
        let Queue { number, name, epoch, policy, .. } =
            Queue::new(QueueNumber(number), new.name.clone(), epoch, new.policy, now);
        let (queue, since) = (columns::queue(number), now.to_utc());
        let (active, batch, interval) = (int(policy.max_active), int(policy.batch), int(policy.interval_seconds));
        futures::try_join!(
            run(conn, insert_name(queue, name.to_string(), since)),
            run(conn, insert_first_policy(queue, since, active, batch, interval, policy.paused)),
            run(conn, insert_queue(queue, epoch.0.to_vec())),
        )?;
        Ok(Ok(number))
    }
}

async fn number(conn: &AsyncPgConnection, name: &QueueName) -> Result<Option<QueueNumber>, BatchError> {
    let found = find_number(name.to_string()).load::<i32>(&mut &*conn).await?;
    let number = found.into_iter().next().map(|number| columns::queue_number("queue_registry", number));
    Ok(number.transpose()?)
}
