//! Making queues, and loading the concerts that are sold through them.

use std::time::Duration;

use async_trait::async_trait;
use bigdecimal::BigDecimal;
use diesel::dsl::{auto_type, insert_into, max};
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::{ExpressionMethods, QueryDsl, helper_types};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::concert::{CreatedConcert, Load, Loaded, NewSchedule, load};
use domain::ports::{Answer, LoadCommand, StoreError};
use domain::{
    ConcertId, Edit, IdempotencyKey, Money, NewQueue, Queue, QueueEpoch, QueueName, QueueNumber, Rejection, ScheduleId,
    Timestamp, Wrong, count,
};
use time::OffsetDateTime;
use tokio::time::timeout;
use uuid::Uuid;

use crate::batches::lane::{Decision, Executor};
use crate::connections::error::BatchError;
use crate::connections::pool::SILENT;
use crate::connections::statement::{Begin, Commit, Now, run, statement};
use crate::environment::Environment;
use crate::schema::{concerts, policies, queue_registry, queues, schedules};
use crate::tables::columns::{self, decimal, int};
use crate::tables::loadings::{LoadingRow, find_loaded_schedules, find_loading, insert_loading};
use crate::tables::messages::change_message;

/// How many seats one statement inserts: a small part of what may be done in the time of a statement.
const CHUNK: usize = 10_000;

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
    opens_at: Option<OffsetDateTime>,
) -> _ {
    insert_into(policies::table).values((
        policies::queue.eq(queue),
        policies::seq.eq(1_i32),
        policies::since.eq(since),
        policies::max_active.eq(active),
        policies::batch.eq(batch),
        policies::interval_seconds.eq(interval),
        policies::paused.eq(paused),
        policies::opens_at.eq(opens_at),
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

/// Inserts a concert; `most` is how many of its seats one user may have.
#[auto_type(no_type_alias)]
pub(crate) fn insert_concert(queue: i32, id: Uuid, title: String, created: OffsetDateTime, most: Option<i32>) -> _ {
    insert_into(concerts::table).values((
        concerts::queue.eq(queue),
        concerts::id.eq(id),
        concerts::title.eq(title),
        concerts::created_at.eq(created),
        concerts::max_per_user.eq(most),
    ))
}

/// Inserts a schedule of a concert, without its seats.
pub(crate) fn insert_schedule(
    queue: i32,
    id: Uuid,
    concert: Uuid,
    plan: &NewSchedule,
) -> impl QueryFragment<Pg> + QueryId + Send + use<> {
    let start = plan.starts_at;
    insert_into(schedules::table).values((
        schedules::queue.eq(queue),
        schedules::id.eq(id),
        schedules::concert_id.eq(concert),
        schedules::starts_at.eq(start.at().to_utc()),
        schedules::offset_minutes.eq(i32::from(start.offset_minutes())),
        schedules::local_date.eq(start.date()),
        schedules::seats_total.eq(int(plan.seats_total())),
        schedules::max_per_user.eq(plan.max_per_user.map(int)),
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
    /// How long a server may say nothing.
    pub(crate) silence: Duration,
}

/// What is loaded.
pub(crate) enum Plan {
    /// A concert.
    Concert(LoadCommand),
    /// A queue.
    Queue(NewQueue),
    /// The queue that always exists.
    Main,
}

/// What was made.
pub(crate) enum Made {
    /// A concert.
    Concert(Answer<CreatedConcert>),
    /// A queue.
    Queue(QueueNumber),
}

impl Made {
    /// Something else than was to be made.
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
    type Answer = Result<Made, Rejection>;
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
                Plan::Main => self.main(conn, now).await?.map(Made::Queue),
                Plan::Queue(queue) => self.queue(conn, queue, now).await?.map(Made::Queue),
                Plan::Concert(command) => self.load(conn, command, now).await?.map(Made::Concert),
            });
        }
        Ok(Decision { answers, changes: (), transaction })
    }

    /// A large concert takes as long as its statements together.
    fn longest(&self, plans: &[Plan], silence: Duration) -> Duration {
        let statements = plans.iter().map(|plan| match plan {
            Plan::Main | Plan::Queue(_) => 1,
            Plan::Concert(LoadCommand { concert, .. }) => {
                concert.schedules.iter().map(|schedule| 1 + count(chunks(schedule).count())).sum()
            }
        });
        silence.saturating_mul(statements.sum::<u32>().saturating_add(1))
    }

    async fn commit(&self, conn: &AsyncPgConnection, _changes: &()) -> diesel::QueryResult<()> {
        run(conn, Commit {}).await
    }
}

/// The seats of a schedule, as many at a time as one statement inserts.
fn chunks(plan: &NewSchedule) -> impl Iterator<Item = Vec<(u32, &Money)>> {
    let mut seats = plan.seats();
    std::iter::from_fn(move || {
        let chunk: Vec<_> = seats.by_ref().take(CHUNK).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

impl Loading {
    async fn load(
        &self,
        conn: &AsyncPgConnection,
        command: &LoadCommand,
        now: Timestamp,
    ) -> Result<Result<Answer<CreatedConcert>, Rejection>, BatchError> {
        let (concert, request) = (&command.concert, command.concert.fingerprint());
        loop {
            let recorded = match &command.key {
                Some(key) => recorded(conn, key).await?,
                None => None,
            };
            let queue = number(conn, &concert.queue).await?;
            let queue = match load(concert, &request, recorded.as_ref(), queue, now) {
                Ok(Load::Anew(queue)) => queue,
                Ok(Load::Again(before)) => {
                    return Ok(Ok(Answer { value: created(conn, &before).await?, replayed: true }));
                }
                Err(rejection) => return Ok(Err(rejection)),
            };
            let id = ConcertId::new(self.environment.ids.next_id());
            let loaded = Loaded { fingerprint: request, queue, concert: id };
            // Another server may have kept the key meanwhile: then it is asked again.
            let is_kept = match &command.key {
                Some(key) => keep(conn, key, &loaded, now).await?,
                None => true,
            };
            if is_kept {
                let schedules = self.concert(conn, command, &loaded, now).await?;
                return Ok(Ok(Answer { value: CreatedConcert { id, queue, schedules }, replayed: false }));
            }
        }
    }

    /// Inserts a concert with all its schedules, whose ids these are.
    async fn concert(
        &self,
        conn: &AsyncPgConnection,
        command: &LoadCommand,
        loaded: &Loaded,
        now: Timestamp,
    ) -> Result<Vec<ScheduleId>, BatchError> {
        let (plan, queue, id) = (&command.concert, columns::queue(loaded.queue), loaded.concert.uuid());
        let (title, most) = (plan.title.to_string(), plan.max_per_user.map(int));
        run(conn, insert_concert(queue, id, title, now.to_utc(), most)).await?;
        let mut schedules = Vec::with_capacity(plan.schedules.len());
        for schedule in &plan.schedules {
            schedules.push(self.schedule(conn, queue, id, schedule).await?);
        }
        Ok(schedules)
    }

    async fn schedule(
        &self,
        conn: &AsyncPgConnection,
        queue: i32,
        concert: Uuid,
        plan: &NewSchedule,
    ) -> Result<ScheduleId, BatchError> {
        let id = self.environment.ids.next_id();
        run(conn, insert_schedule(queue, id, concert, plan)).await?;
        for chunk in chunks(plan) {
            let seats = InsertSeats {
                queue,
                schedule: id,
                numbers: chunk.iter().map(|(number, _)| int(*number)).collect(),
                ids: chunk.iter().map(|_| self.environment.ids.next_id()).collect(),
                prices: chunk.iter().map(|(_, price)| decimal(price)).collect(),
            };
            let inserted = timeout(self.silence, run(conn, seats)).await;
            inserted.map_err(|_elapsed| BatchError::Lost(SILENT.to_owned()))??;
        }
        Ok(ScheduleId::new(id))
    }

    /// Finds the queue that always exists. When it does not yet, it makes it with the default policy.
    async fn main(
        &self,
        conn: &AsyncPgConnection,
        now: Timestamp,
    ) -> Result<Result<QueueNumber, Rejection>, BatchError> {
        let name = QueueName::main();
        if let Some(number) = number(conn, &name).await? {
            return Ok(Ok(number));
        }
        let queue = NewQueue { name: name.clone(), policy: self.environment.rules.new_queue, message: None };
        match self.queue(conn, &queue, now).await? {
            // Another server made it while this one waited.
            Err(Rejection::QueueExists) => {
                let made = number(conn, &name).await?;
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
        let opens_at = policy.opens_at.map(Timestamp::to_utc);
        let message = new.message.clone().map_or(Edit::Keep, Edit::Set);
        futures::try_join!(
            run(conn, insert_name(queue, name.to_string(), since)),
            run(conn, insert_first_policy(queue, since, active, batch, interval, policy.paused, opens_at)),
            run(conn, insert_queue(queue, epoch.0.to_vec())),
            change_message(conn, queue, now, &message),
        )?;
        Ok(Ok(number))
    }
}

async fn number(conn: &AsyncPgConnection, name: &QueueName) -> Result<Option<QueueNumber>, BatchError> {
    let found = find_number(name.to_string()).load::<i32>(&mut &*conn).await?;
    let number = found.into_iter().next().map(|number| columns::queue_number("queue_registry", number));
    Ok(number.transpose()?)
}

/// What was loaded under this key.
async fn recorded(conn: &AsyncPgConnection, key: &IdempotencyKey) -> Result<Option<Loaded>, BatchError> {
    let found = find_loading(key.as_str().to_owned()).load::<LoadingRow>(&mut &*conn).await?;
    Ok(found.into_iter().next().map(LoadingRow::loaded).transpose()?)
}

/// Keeps what is about to be loaded under this key; whether nobody else has.
async fn keep(
    conn: &AsyncPgConnection,
    key: &IdempotencyKey,
    loaded: &Loaded,
    now: Timestamp,
) -> Result<bool, BatchError> {
    Ok(insert_loading(key, loaded, now).execute(&mut &*conn).await? == 1)
}

/// What was made when it was loaded.
async fn created(conn: &AsyncPgConnection, before: &Loaded) -> Result<CreatedConcert, BatchError> {
    let schedules = find_loaded_schedules(columns::queue(before.queue), before.concert.uuid());
    let schedules = schedules.load::<Uuid>(&mut &*conn).await?;
    let schedules = schedules.into_iter().map(ScheduleId::new).collect();
    Ok(CreatedConcert { id: before.concert, queue: before.queue, schedules })
}
