//! Making queues, and loading the concerts that are sold through them.

use std::sync::Arc;

use domain::concert::{CreatedConcert, Load, Loaded, NewConcert, NewSchedule, Schedule, load};
use domain::ports::{Answer, Decided, LoadCommand, StoreError};
use domain::seat::Seat;
use domain::{
    ConcertId, Edit, NewQueue, Queue, QueueEpoch, QueueName, QueueNumber, Rejection, ScheduleId, SeatId, Wrong,
};

use crate::batches::transaction::Transaction;
use crate::connections::statement::{Statement, binds, statements};
use crate::tables::{loadings, messages, queues, schedules, seats};

statements! {
    Insert = "INSERT INTO concerts (queue, id, title, created_at, max_per_user) VALUES (?, ?, ?, ?, ?)";
}

/// Creates a concert with its schedules and seats.
pub(crate) fn create(transaction: &mut Transaction<'_>, command: &LoadCommand) -> Decided<Answer<CreatedConcert>> {
    let (concert, request) = (&command.concert, command.concert.fingerprint());
    let recorded = match &command.key {
        Some(key) => loadings::find(transaction.conn, key)?,
        None => None,
    };
    let queue = queues::named(transaction.conn, &concert.queue)?;
    let queue = match load(concert, &request, recorded.as_ref(), queue, transaction.now) {
        Ok(Load::Anew(queue)) => queue,
        Ok(Load::Again(Loaded { queue, concert: id, .. })) => {
            let schedules = schedules::loaded_with(transaction.conn, queue, id)?;
            return Ok(Ok(Answer { value: CreatedConcert { id, queue, schedules }, replayed: true }));
        }
        Err(rejection) => return Ok(Err(rejection)),
    };
    let id = ConcertId::new(transaction.ids.next_id());
    let loaded = Loaded { fingerprint: request, queue, concert: id };
    if let Some(key) = &command.key {
        loadings::insert(transaction.conn, key, &loaded, transaction.now)?;
    }
    let schedules = insert(transaction, concert, &loaded)?;
    Ok(Ok(Answer { value: CreatedConcert { id, queue, schedules }, replayed: false }))
}

/// A queue with the policy that the rules have for new ones.
pub(crate) fn create_queue(transaction: &mut Transaction<'_>, name: QueueName) -> Decided<QueueNumber> {
    let policy = transaction.rules.new_queue;
    make_queue(transaction, NewQueue { name, policy, message: None })
}

/// A queue of a name that none has, under a number that was never used.
pub(crate) fn make_queue(transaction: &mut Transaction<'_>, new: NewQueue) -> Decided<QueueNumber> {
    if queues::named(transaction.conn, &new.name)?.is_some() {
        return Ok(Err(Rejection::QueueExists));
    }
    let Some(number) = queues::next_number(transaction.conn)? else {
        return Ok(Err(Rejection::invalid("queue", Wrong::NoNumberLeft)));
    };
    let epoch = QueueEpoch(transaction.ids.random());
    let queue = Queue::new(number, new.name, epoch, new.policy, transaction.now);
    queues::insert(transaction.conn, &queue)?;
    if let Some(message) = new.message {
        messages::change(transaction.conn, number, transaction.now, &Edit::Set(message))?;
    }
    Ok(Ok(number))
}

/// Inserts a concert with its schedules, whose ids these are, and their seats.
fn insert(
    transaction: &mut Transaction<'_>,
    plan: &NewConcert,
    loaded: &Loaded,
) -> Result<Vec<ScheduleId>, StoreError> {
    let (queue, now) = (loaded.queue, transaction.now);
    Insert::change_one(transaction.conn, binds![queue, loaded.concert, &*plan.title, now, plan.max_per_user])?;
    let mut made = Vec::with_capacity(plan.schedules.len());
    for schedule in &plan.schedules {
        made.push(insert_schedule(transaction, plan, loaded, schedule)?);
    }
    Ok(made)
}

fn insert_schedule(
    transaction: &mut Transaction<'_>,
    concert: &NewConcert,
    loaded: &Loaded,
    plan: &NewSchedule,
) -> Result<ScheduleId, StoreError> {
    let schedule = Schedule {
        id: ScheduleId::new(transaction.ids.next_id()),
        queue: loaded.queue,
        concert: loaded.concert,
        title: Arc::clone(&concert.title),
        starts_at: plan.starts_at,
        seats_total: plan.seats_total(),
        max_per_user: plan.max_per_user,
        concert_max_per_user: concert.max_per_user,
    };
    schedules::insert(transaction.conn, &schedule)?;
    for (number, price) in plan.seats() {
        let id = SeatId::new(transaction.ids.next_id());
        let seat = Seat { id, schedule: schedule.id, number, price: price.clone(), taken: None };
        seats::insert(transaction.conn, loaded.queue, &seat)?;
    }
    Ok(schedule.id)
}
