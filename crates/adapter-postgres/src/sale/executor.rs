//! Batches of a sale: what both lanes of a queue run.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::line::Line;
use domain::ports::{Admitted, Answer, Joined, MOST_TURNS, Paid, StoreError};
use domain::reservation::Reservation;
use domain::sale::{Command, Context, Facts as _, Outcome, Step, Verdict, WorkingSet};
use domain::{PaymentId, QueueNumber, ReservationId, ScheduleId, TicketNumber, TokenStatus};

use crate::batches::lane::{Decision, Executor};
use crate::connections::error::BatchError;
use crate::environment::Environment;
use crate::sale::batch::Batch;
use crate::sale::schedule_cache::ScheduleCache;
use crate::sale::wanted::Wanted;
use crate::sale::{admission, facts, write};
use crate::tables::columns::{self, inconsistent};
use crate::tables::payments::paid;
use crate::tables::reservations::LockReservations;
use crate::tables::seated::reservations;

/// Runs the batches of one queue's sale.
pub(crate) struct Sale {
    pub(crate) queue: QueueNumber,
    pub(crate) environment: Environment,
    pub(crate) schedules: Arc<ScheduleCache>,
}

#[async_trait]
impl Executor for Sale {
    type Command = Command;
    /// A command whose row is damaged fails alone.
    type Answer = Result<Verdict, StoreError>;
    type Changes = Batch;

    async fn decide(
        &self,
        conn: &AsyncPgConnection,
        commands: &[Command],
        most: usize,
    ) -> Result<Decision<Self>, BatchError> {
        let turns = u32::try_from(most).map_or(MOST_TURNS, |most| most.min(MOST_TURNS));
        let wanted = Wanted::of(commands, |schedule| self.schedules.may_limit(self.queue, schedule));
        let fixed = self.environment.fixed_now();
        let facts = facts::read(conn, columns::queue(self.queue), &wanted, turns, fixed).await?;
        // A test's clock is read again, now that the locks are held.
        let now = self.environment.now(facts.now);
        let transaction = facts.transaction.clone();
        let mut batch = Batch::new(self.queue, now, facts);
        // Whoever changes one of these locks its seats first, which are locked here: nobody is waited for (W7).
        let dead = batch.set.missing_reservations(now);
        if !dead.is_empty() {
            let ids = dead.into_iter().map(ReservationId::uuid).collect();
            let lock = LockReservations { queue: columns::queue(self.queue), ids, leavers: Vec::new() };
            batch.add_reservations(lock.load(&mut &*conn).await?);
        }
        let named: HashSet<ScheduleId> = wanted.schedules.into_iter().chain(batch.set.named_schedules()).collect();
        batch.set.add_schedules(self.schedules.find(conn, self.queue, named).await?);
        let context = Context { rules: &self.environment.rules, ids: &*self.environment.ids, now };
        let steps: Vec<_> = commands.iter().map(|command| batch.set.decide(command, &context)).collect();
        let answers = self.answers(conn, &mut batch, steps, turns).await?;
        for damaged in &batch.set.changed().left_damaged {
            tracing::error!(%damaged, "a reservation whose seats were taken over could not be cancelled");
        }
        Ok(Decision { answers, changes: batch, transaction })
    }

    async fn commit(&self, conn: &AsyncPgConnection, batch: &Batch) -> diesel::QueryResult<()> {
        write::commit(conn, batch).await?;
        if let Some(behind) = batch.set_back {
            let queue = self.queue.0;
            tracing::warn!(
                queue,
                ?behind,
                "the database's clock was set back; the queue's policy begins anew, so that it goes on"
            );
        }
        metrics::counter!("usher_admitted_total").increment(batch.admitted);
        metrics::counter!("usher_tokens_expired_total").increment(batch.set.changed().expired);
        Ok(())
    }
}

impl Sale {
    /// Admits at most `turns` if that is due, and completes the answers with what follows from it.
    async fn answers(
        &self,
        conn: &AsyncPgConnection,
        batch: &mut Batch,
        steps: Vec<Result<Step, StoreError>>,
        turns: u32,
    ) -> Result<Vec<Result<Verdict, StoreError>>, BatchError> {
        let mut admitted = if batch.set.admits() { self.admit(conn, batch, turns).await? } else { Ok(None) };
        let (now, set) = (batch.now, &mut batch.set);
        let holds = self.replayed_holds(conn, set, &steps).await?;
        let payments = self.replayed_payments(conn, set, &steps).await?;
        let complete = |step: Result<Step, StoreError>| -> Result<Verdict, StoreError> {
            Ok(Ok(match step? {
                Step::Done(verdict) => return Ok(*verdict),
                Step::Placed(number, issued) => Outcome::Joined(joined(set, number, issued)?),
                // What was done is told once, however many asked.
                Step::Admit => Outcome::Admitted(admitted.as_mut().map_err(|failure| failure.clone())?.take()),
                Step::ReplayHold(id) => {
                    let made = holds.get(&id).cloned();
                    let made = made.ok_or_else(|| inconsistent("reservations", "idempotency_key", id))?;
                    Outcome::Held(Answer { value: made.as_of(now), replayed: true })
                }
                Step::ReplayPay(id) => {
                    let value = payments.get(&id).cloned();
                    let value = value.ok_or_else(|| inconsistent("payments", "idempotency_key", id))?;
                    Outcome::Paid(Answer { value, replayed: true })
                }
            }))
        };
        let answers: Vec<_> = steps.into_iter().map(complete).collect();
        for failure in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            tracing::error!(%failure, queue = self.queue.0, "a command failed");
        }
        Ok(answers)
    }

    /// What the admission did. One that meets a damaged row does nothing: whoever joins waits for the clockwork, which is
    /// told.
    async fn admit(
        &self,
        conn: &AsyncPgConnection,
        batch: &mut Batch,
        turns: u32,
    ) -> Result<Result<Option<Admitted>, StoreError>, BatchError> {
        match admission::admit(conn, batch, &self.environment.rules, turns).await {
            Ok(admitted) => Ok(Ok(admitted)),
            Err(BatchError::Store(failure @ StoreError::Inconsistent { .. })) => {
                tracing::error!(%failure, queue = self.queue.0, "nobody could be admitted");
                Ok(Err(failure))
            }
            Err(error) => Err(error),
        }
    }

    /// The reservations that keys recorded: of this batch or stored.
    async fn replayed_holds(
        &self,
        conn: &AsyncPgConnection,
        set: &WorkingSet,
        steps: &[Result<Step, StoreError>],
    ) -> Result<HashMap<ReservationId, Reservation>, BatchError> {
        let (mut found, mut missing) = (HashMap::new(), Vec::new());
        for step in steps {
            let Ok(Step::ReplayHold(id)) = step else { continue };
            match set.made_reservation(*id)? {
                Some(reservation) => drop(found.insert(*id, reservation)),
                None => missing.push(*id),
            }
        }
        if !missing.is_empty() {
            found.extend(reservations(conn, self.queue, &missing).await?);
        }
        Ok(found)
    }

    /// The payments that keys recorded: of this batch or stored.
    async fn replayed_payments(
        &self,
        conn: &AsyncPgConnection,
        set: &WorkingSet,
        steps: &[Result<Step, StoreError>],
    ) -> Result<HashMap<PaymentId, Paid>, BatchError> {
        let (mut found, mut missing) = (HashMap::new(), Vec::new());
        for step in steps {
            let Ok(Step::ReplayPay(id)) = step else { continue };
            match set.made_payment(*id)? {
                Some(paid) => drop(found.insert(*id, paid)),
                None => missing.push(*id),
            }
        }
        if !missing.is_empty() {
            found.extend(paid(conn, self.queue, &missing).await?);
        }
        Ok(found)
    }
}

/// The answer to a join, after the admission of its batch; `issued` are the counters right after the token was issued, if
/// it is new.
fn joined(set: &mut WorkingSet, number: TicketNumber, issued: Option<Line>) -> Result<Joined, StoreError> {
    let token = set.token(number)?.ok_or_else(|| inconsistent("tokens", "number", number.get()))?;
    let after = set.queue()?.map(|queue| queue.line).unwrap_or_default();
    // Only after the admission is it true that the token is ACTIVE.
    let line = issued.filter(|_| token.status() == TokenStatus::Waiting).unwrap_or(after);
    Ok(Joined { token, created: issued.is_some(), line })
}
