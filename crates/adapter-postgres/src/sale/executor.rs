//! Batches of a sale: what both lanes of a queue run.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::line::Line;
use domain::payment::{Payment, Receipt};
use domain::ports::{Answer, Joined, MOST_TURNS, Paid, StoreError};
use domain::reservation::{Reservation, ReservationStatus};
use domain::{PaymentId, QueueNumber, ReservationId, TicketNumber, TokenStatus};

use crate::batches::lane::{Decision, Executor};
use crate::connections::error::BatchError;
use crate::environment::Environment;
use crate::sale::command::{Command, Outcome, Verdict};
use crate::sale::decide::{Context, Step};
use crate::sale::known_schedules::Schedules;
use crate::sale::schedule_cache::ScheduleCache;
use crate::sale::wanted::Wanted;
use crate::sale::working_set::WorkingSet;
use crate::sale::{admission, facts, write};
use crate::tables::locks::LockReservations;
use crate::tables::receipts;
use crate::tables::rows::{self, inconsistent};

/// Runs the batches of one queue's sale.
pub(crate) struct Sale {
    pub(crate) queue: QueueNumber,
    pub(crate) environment: Environment,
    pub(crate) schedules: Arc<ScheduleCache>,
}

#[async_trait]
impl Executor for Sale {
    type Command = Command;
    type Answer = Verdict;
    type Changes = WorkingSet;

    async fn decide(
        &self,
        conn: &AsyncPgConnection,
        commands: &[Command],
        most: usize,
    ) -> Result<Decision<Self>, BatchError> {
        let turns = u32::try_from(most).map_or(MOST_TURNS, |most| most.min(MOST_TURNS));
        let mut wanted = Wanted::default();
        for command in commands {
            command.want(&mut wanted);
        }
        let fixed = self.environment.fixed_now();
        let facts = facts::read(conn, rows::queue(self.queue), &wanted, turns, fixed).await?;
        // A test's clock is read again, now that the locks are held.
        let now = self.environment.now(facts.now);
        let transaction = facts.transaction.clone();
        let mut set = WorkingSet::new(self.queue, now, facts)?;
        // Whoever changes one of these locks its seats first, which are locked here: nobody is waited for (W7).
        let dead = set.dead_holds();
        if !dead.is_empty() {
            let lock = LockReservations { queue: rows::queue(self.queue), ids: dead, leavers: Vec::new() };
            set.add_reservations(lock.load(&mut &*conn).await?)?;
        }
        let schedules = self.schedules.of_batch(conn, &set, commands).await?;
        let context = Context { rules: &self.environment.rules, ids: &*self.environment.ids, schedules: &schedules };
        let mut steps = Vec::with_capacity(commands.len());
        for command in commands {
            steps.push(set.decide(command, &context)?);
        }
        let answers = self.answers(conn, &mut set, steps, &schedules, turns).await?;
        Ok(Decision { answers, changes: set, transaction })
    }

    async fn commit(&self, conn: &AsyncPgConnection, changes: &WorkingSet) -> diesel::QueryResult<()> {
        write::commit(conn, changes).await?;
        metrics::counter!("usher_admitted_total").increment(changes.changed.admitted);
        metrics::counter!("usher_tokens_expired_total").increment(changes.changed.expired);
        Ok(())
    }
}

impl Sale {
    /// Admits at most `turns` if that is due, and completes the answers with what follows from it.
    async fn answers(
        &self,
        conn: &AsyncPgConnection,
        set: &mut WorkingSet,
        steps: Vec<Step>,
        schedules: &Schedules,
        turns: u32,
    ) -> Result<Vec<Verdict>, BatchError> {
        let rules = &self.environment.rules;
        let mut admitted = if set.admits { admission::admit(conn, set, rules, turns).await? } else { None };
        let holds = self.replayed_holds(conn, set, &steps, schedules).await?;
        let payments = self.replayed_payments(conn, set, &steps, schedules).await?;
        let complete = |step| -> Result<Verdict, StoreError> {
            Ok(Ok(match step {
                Step::Done(verdict) => return Ok(*verdict),
                Step::Placed(number, issued) => Outcome::Joined(joined(set, number, issued)?),
                // What was done is told once, however many asked.
                Step::Admit => Outcome::Admitted(admitted.take()),
                Step::ReplayHold(id) => {
                    let made = holds.get(&id).cloned();
                    let made = made.ok_or_else(|| inconsistent("reservations", "idempotency_key", id))?;
                    let value = Reservation { status: ReservationStatus::Pending, ..made };
                    Outcome::Held(Answer { value, replayed: true })
                }
                Step::ReplayPay(id) => {
                    let value = payments.get(&id).cloned();
                    let value = value.ok_or_else(|| inconsistent("payments", "idempotency_key", id))?;
                    Outcome::Paid(Answer { value, replayed: true })
                }
            }))
        };
        steps.into_iter().map(complete).collect::<Result<_, _>>().map_err(BatchError::from)
    }

    /// The reservations that keys recorded: of this batch or stored.
    async fn replayed_holds(
        &self,
        conn: &AsyncPgConnection,
        set: &WorkingSet,
        steps: &[Step],
        schedules: &Schedules,
    ) -> Result<HashMap<ReservationId, Reservation>, BatchError> {
        let (mut found, mut missing) = (HashMap::new(), Vec::new());
        for step in steps {
            let Step::ReplayHold(id) = step else { continue };
            if set.changed.new_reservations.iter().any(|new| new.id == *id)
                && let Some(reservation) = set.reservation(*id, schedules)?
            {
                found.insert(*id, reservation);
            } else {
                missing.push(*id);
            }
        }
        if !missing.is_empty() {
            found.extend(receipts::reservations(conn, self.queue, &missing).await?);
        }
        Ok(found)
    }

    /// The payments that keys recorded: of this batch or stored.
    async fn replayed_payments(
        &self,
        conn: &AsyncPgConnection,
        set: &WorkingSet,
        steps: &[Step],
        schedules: &Schedules,
    ) -> Result<HashMap<PaymentId, Paid>, BatchError> {
        let (mut found, mut missing) = (HashMap::new(), Vec::new());
        for step in steps {
            let Step::ReplayPay(id) = step else { continue };
            match set.changed.payments.iter().find(|(payment, _)| payment.id == *id) {
                Some((payment, seq)) => {
                    found.insert(*id, paid(set, schedules, payment, *seq)?);
                }
                None => missing.push(*id),
            }
        }
        if !missing.is_empty() {
            found.extend(receipts::paid(conn, self.queue, &missing).await?);
        }
        Ok(found)
    }
}

/// The answer to a join, after the admission of its batch; `issued` are the counters right after the token was issued, if
/// it is new.
fn joined(set: &WorkingSet, number: TicketNumber, issued: Option<Line>) -> Result<Joined, StoreError> {
    let token = set.tokens.get(&number).cloned().ok_or_else(|| inconsistent("tokens", "number", number.get()))?;
    let after = set.queue.as_ref().map(|queue| queue.line).unwrap_or_default();
    // Only after the admission is it true that the token is ACTIVE.
    let line = issued.filter(|_| token.status() == TokenStatus::Waiting).unwrap_or(after);
    Ok(Joined { token, created: issued.is_some(), line })
}

/// The answer to a payment of this batch.
fn paid(set: &WorkingSet, schedules: &Schedules, payment: &Payment, seq: u64) -> Result<Paid, StoreError> {
    let entry = set.changed.entries.iter().find(|entry| entry.user == payment.user && entry.seq == seq);
    let entry = entry.ok_or_else(|| inconsistent("payments", "entry_seq", payment.id))?;
    let reservation = set.reservation(payment.reservation, schedules)?;
    let reservation = reservation.ok_or_else(|| inconsistent("payments", "reservation_id", payment.id))?;
    let receipt = Receipt { payment: payment.clone(), reservation };
    Ok(Paid { receipt, balance: entry.balance_after.clone() })
}
