//! Batches of a sale: what both lanes of a queue run.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::payment::{Payment, Receipt};
use domain::ports::{Answer, Joined, Paid, StoreError};
use domain::rejection::Kind;
use domain::reservation::{Reservation, ReservationStatus};
use domain::{PaymentId, QueueNumber, Rejection, ReservationId};

use crate::admission;
use crate::command::{Command, Outcome, Verdict};
use crate::decide::{Context, Schedules, Step};
use crate::facts::{self, Wanted};
use crate::lane::{BatchError, Decision, Executor};
use crate::locks::LockReservations;
use crate::receipts;
use crate::rows::{self, inconsistent};
use crate::schedules::ScheduleCache;
use crate::store::Environment;
use crate::working_set::WorkingSet;
use crate::write;

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

    async fn decide(&self, conn: &AsyncPgConnection, commands: &[Command]) -> Result<Decision<Self>, BatchError> {
        let mut wanted = Wanted::default();
        for command in commands {
            command.want(&mut wanted);
        }
        let fixed = self.environment.fixed_now();
        let facts = facts::read(conn, rows::queue(self.queue), &wanted, fixed).await?;
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
        let answers = self.answers(conn, &mut set, steps, &schedules).await?;
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
    /// Admits if somebody joined or asked for it, and completes the answers with what follows from that.
    async fn answers(
        &self,
        conn: &AsyncPgConnection,
        set: &mut WorkingSet,
        steps: Vec<Step>,
        schedules: &Schedules,
    ) -> Result<Vec<Verdict>, BatchError> {
        let admits = steps.iter().any(|step| matches!(step, Step::Placed(..) | Step::Admit));
        let mut admitted = if admits { admission::admit(conn, set, &self.environment.rules).await? } else { None };
        let places: Vec<_> = steps
            .iter()
            .filter_map(|step| if let Step::Placed(number, new) = step { Some((*number, *new)) } else { None })
            .collect();
        let standings =
            if places.is_empty() { HashMap::new() } else { admission::standings(conn, set, &places).await? };
        let report = if steps.iter().any(|step| matches!(step, Step::PolicyChanged)) {
            admission::report(conn, set).await?
        } else {
            None
        };
        let holds = self.replayed_holds(conn, set, &steps, schedules).await?;
        let payments = self.replayed_payments(conn, set, &steps, schedules).await?;
        let complete = |step| -> Result<Verdict, StoreError> {
            Ok(Ok(match step {
                Step::Done(verdict) => return Ok(*verdict),
                Step::Placed(number, created) => {
                    let standing = standings.get(&number).cloned();
                    let standing = standing.ok_or_else(|| inconsistent("tokens", "number", number.get()))?;
                    Outcome::Joined(Joined { standing, created })
                }
                // What was done is told once, however many asked.
                Step::Admit => Outcome::Admitted(admitted.take()),
                Step::PolicyChanged => match &report {
                    Some(report) => Outcome::Policy(report.clone()),
                    None => return Ok(Err(Rejection::NotFound(Kind::Queue))),
                },
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

/// The answer to a payment of this batch.
fn paid(set: &WorkingSet, schedules: &Schedules, payment: &Payment, seq: u64) -> Result<Paid, StoreError> {
    let entry = set.changed.entries.iter().find(|entry| entry.user == payment.user && entry.seq == seq);
    let entry = entry.ok_or_else(|| inconsistent("payments", "entry_seq", payment.id))?;
    let reservation = set.reservation(payment.reservation, schedules)?;
    let reservation = reservation.ok_or_else(|| inconsistent("payments", "reservation_id", payment.id))?;
    let receipt = Receipt { payment: payment.clone(), reservation };
    Ok(Paid { receipt, balance: entry.balance_after.clone() })
}
