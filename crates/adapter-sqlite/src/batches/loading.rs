//! Loading a concert: what is to be sold, and the queue in front of it.

use std::sync::Arc;

use domain::concert::{CreatedConcert, NewConcert, NewSchedule, Schedule};
use domain::ports::{Decided, StoreError};
use domain::seat::Seat;
use domain::{
    ConcertId, NewQueue, Queue, QueueEpoch, QueueName, QueueNumber, Rejection, ScheduleId, SeatId, Wrong, count,
};

use crate::batches::transaction::Transaction;
use crate::connections::statement::{Statement, binds, statements};
use crate::tables::{queues, schedules, seats};

statements! {
    Insert = "INSERT INTO concerts (queue, id, title, created_at) VALUES (?, ?, ?, ?)";
}

/// Creates a concert with its schedules and seats, and its queue where there is none of that name.
pub(crate) fn create(transaction: &mut Transaction<'_>, concert: &NewConcert) -> Decided<CreatedConcert> {
    let queue = match queues::named(transaction.conn, &concert.queue)? {
        Some(queue) => queue,
        None => match create_queue(transaction, concert.queue.clone())? {
            Ok(queue) => queue,
            Err(rejection) => return Ok(Err(rejection)),
        },
    };
    let id = ConcertId::new(transaction.ids.next_id());
    Insert::change_one(transaction.conn, binds![queue, id, &*concert.title, transaction.now])?;
    let mut made = Vec::with_capacity(concert.schedules.len());
    for schedule in &concert.schedules {
        made.push(create_schedule(transaction, queue, (id, &concert.title), schedule)?);
    }
    Ok(Ok(CreatedConcert { id, queue, schedules: made }))
}

/// A queue with the policy that the rules have for new ones.
pub(crate) fn create_queue(transaction: &mut Transaction<'_>, name: QueueName) -> Decided<QueueNumber> {
    let policy = transaction.rules.new_queue;
    make_queue(transaction, NewQueue { name, policy })
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
    Ok(Ok(number))
}

fn create_schedule(
    transaction: &mut Transaction<'_>,
    queue: QueueNumber,
    (concert, title): (ConcertId, &Arc<str>),
    plan: &NewSchedule,
) -> Result<ScheduleId, StoreError> {
    let schedule = Schedule {
        id: ScheduleId::new(transaction.ids.next_id()),
        queue,
        concert,
        title: Arc::clone(title),
        starts_at: plan.starts_at,
        seats_total: count(plan.seats.len()),
    };
    schedules::insert(transaction.conn, &schedule)?;
    for (number, price) in &plan.seats {
        let id = SeatId::new(transaction.ids.next_id());
        let seat = Seat { id, schedule: schedule.id, number: *number, price: price.clone(), taken: None };
        seats::insert(transaction.conn, queue, &seat)?;
    }
    Ok(schedule.id)
}
