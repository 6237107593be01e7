//! The waiting line's port.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use domain::ports::{Admissions, Decided, Joined, Left, QueueChange, QueueReport, QueueRepository, StoreError};
use domain::sale::{self, Placed};
use domain::{NewQueue, Queue, QueueEdit, QueueNumber, Ticket, TicketNumber, Token, UserId};

use crate::SqliteStore;
use crate::batches::loading;
use crate::batches::transaction::Transaction;
use crate::connections::pool::Snapshot;
use crate::ports::{new_epoch, queue_report};
use crate::sale::admission;
use crate::sale::facts::Sale;
use crate::sale::write::write;
use crate::tables::{messages, queues, tokens};

#[async_trait]
impl QueueRepository for SqliteStore {
    async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError> {
        let known = known.iter().copied().collect();
        self.reads().run(move |snapshot| changes(snapshot, &known)).await
    }

    async fn make(&self, queue: &NewQueue) -> Decided<QueueReport> {
        let new = queue.clone();
        match self.writer().run(move |transaction| loading::make_queue(transaction, new)).await? {
            Ok(number) => self.report(number).await,
            Err(rejection) => Ok(Err(rejection)),
        }
    }

    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        let user = user.clone();
        self.writer().run(move |transaction| join(transaction, queue, &user)).await
    }

    async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError> {
        let numbers = numbers.to_vec();
        self.reads()
            .run(move |snapshot| {
                let found = numbers.into_iter().map(|number| tokens::find(snapshot.conn, Ticket { queue, number }));
                found.filter_map(Result::transpose).collect()
            })
            .await
    }

    async fn leave(&self, ticket: Ticket) -> Decided<Left> {
        self.writer().run(move |transaction| leave(transaction, ticket)).await
    }

    async fn admit(&self) -> Result<Admissions, StoreError> {
        self.writer().run(admit_all).await
    }

    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        self.reads().run(move |snapshot| queue_report::report(snapshot, queue)).await
    }

    async fn edit(&self, queue: QueueNumber, asked: &QueueEdit) -> Decided<QueueReport> {
        let asked = asked.clone();
        if let Err(rejection) = self.writer().run(move |transaction| edit(transaction, queue, &asked)).await? {
            return Ok(Err(rejection));
        }
        // Not in the batch: its commands need not wait for the counting.
        self.report(queue).await
    }

    async fn active(&self) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
        self.reads().run(queue_report::active).await
    }

    async fn renew_epochs(&self) -> Result<Option<u64>, StoreError> {
        self.writer().run(new_epoch::renew_all).await
    }
}

/// What is new of queues of which these versions are known.
fn changes(snapshot: &mut Snapshot<'_>, known: &HashMap<QueueNumber, u64>) -> Result<Vec<QueueChange>, StoreError> {
    let mut changes = Vec::new();
    for (number, version) in queues::versions(snapshot.conn)? {
        let known = known.get(&number).copied();
        if known.is_some_and(|known| version <= known) {
            continue;
        }
        if let Some(row) = queues::find(snapshot.conn, number)? {
            let line = row.queue.line;
            let left = tokens::left(snapshot.conn, number, known.unwrap_or(0), line.frontier)?;
            let message = messages::find(snapshot.conn, number)?;
            let Queue { name, epoch, policy, policy_since, .. } = row.queue;
            changes.push(QueueChange { number, name, epoch, policy, policy_since, message, line, left });
        }
    }
    Ok(changes)
}

/// R1, R2: the user's place, as it is right after this. A newcomer who is admitted at once is inserted so.
fn join(transaction: &mut Transaction<'_>, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
    let context = transaction.context();
    let (placed, mut effects) = match sale::join(&mut Sale { transaction, queue }, user, &context)? {
        Ok(placed) => placed,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let Placed { mut token, created, mut line, admits } = placed;
    let issued = effects.issued.take();
    write(transaction, queue, effects)?;
    if let Some(issued) = issued {
        token = issued;
        if admits {
            token = admission::admit_newcomer(transaction, token)?;
            line = transaction.queue(queue)?.map_or(line, |row| row.queue.line);
        }
        transaction.insert_token(token.clone())?;
    }
    Ok(Ok(Joined { token, created, line }))
}

/// R17: the user of a ticket leaves.
fn leave(transaction: &mut Transaction<'_>, ticket: Ticket) -> Decided<Left> {
    let (queue, context) = (ticket.queue, transaction.context());
    match sale::leave(&mut Sale { transaction, queue }, ticket.number, &context)? {
        Ok((left, effects)) => write(transaction, queue, effects).map(|()| Ok(left)),
        Err(rejection) => Ok(Err(rejection)),
    }
}

/// R3: one tick, for the queues that have something due. What is wrong in one of them does not stop the others.
fn admit_all(transaction: &mut Transaction<'_>) -> Result<Admissions, StoreError> {
    let mut admissions = Admissions::default();
    for queue in due(transaction)? {
        match transaction.part(|transaction| admission::admit(transaction, queue))? {
            Ok(done) => admissions.done.extend(done),
            Err(failure) => admissions.failed.push((queue, failure)),
        }
    }
    Ok(admissions)
}

/// The queues in which a tick may have something to do; those that this batch has changed are not written yet.
fn due(transaction: &mut Transaction<'_>) -> Result<BTreeSet<QueueNumber>, StoreError> {
    let mut due: BTreeSet<_> = queues::due(transaction.conn, transaction.now)?.into_iter().collect();
    due.extend(transaction.waited_in());
    Ok(due)
}

/// R3, R19: changes a queue, and keeps a policy that was before.
fn edit(transaction: &mut Transaction<'_>, queue: QueueNumber, asked: &QueueEdit) -> Decided<()> {
    let context = transaction.context();
    match sale::edit(&mut Sale { transaction, queue }, asked, &context)? {
        Ok(effects) => write(transaction, queue, effects).map(Ok),
        Err(rejection) => Ok(Err(rejection)),
    }
}

#[cfg(test)]
mod tests {
    use diesel::SqliteConnection;
    use domain::{Policy, QueueName, Rules, Timestamp, TokenStatus};
    use storage_contract::SeededIds;

    use super::*;
    use crate::connections::statement::{Begin, Statement};

    /// A new file, inside the transaction of a batch.
    fn begun() -> (tempfile::TempDir, SqliteConnection) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        crate::migrate(&path).unwrap();
        let mut connection = crate::open::connect(&path).unwrap();
        Begin::execute(&mut connection, &[]).unwrap();
        (directory, connection)
    }

    /// A queue in a batch of a new file, and what plays in it.
    fn in_a_batch(policy: Policy, play: impl FnOnce(&mut Transaction<'_>, QueueNumber)) {
        let (_directory, mut connection) = begun();
        let (rules, ids) = (Rules { new_queue: policy, ..Rules::default() }, SeededIds::new(1));
        let mut batch = Transaction::new(&mut connection, Timestamp::from_micros(0), &rules, &ids);
        let queue = loading::create_queue(&mut batch, QueueName::main()).unwrap().unwrap();
        play(&mut batch, queue);
    }

    fn come(batch: &mut Transaction<'_>, queue: QueueNumber, name: &str) -> Joined {
        join(batch, queue, &UserId::parse(name).unwrap()).unwrap().unwrap()
    }

    #[test]
    fn who_is_active_is_counted_once_a_batch_and_right_r3_q6() {
        in_a_batch(Policy { max_active: 2, batch: 9, ..Policy::default() }, |batch, queue| {
            let mut states = Vec::new();
            for name in ["a", "b", "c"] {
                states.push(come(batch, queue, name).token.status());
                assert_eq!(batch.known_active(queue), Some(tokens::count_active(batch.conn, queue).unwrap()));
            }
            assert_eq!(states, [TokenStatus::Active, TokenStatus::Active, TokenStatus::Waiting]);
            for number in [3, 1] {
                let ticket = Ticket { queue, number: TicketNumber::new(number).unwrap() };
                leave(batch, ticket).unwrap().unwrap();
                assert_eq!(batch.known_active(queue), Some(tokens::count_active(batch.conn, queue).unwrap()));
            }
            assert_eq!(come(batch, queue, "d").token.status(), TokenStatus::Active, "in the place that a left");
            assert_eq!(come(batch, queue, "e").token.status(), TokenStatus::Waiting);
            batch.now = batch.now.plus(batch.rules.active);
            assert_eq!(admit_all(batch).unwrap().done[0].expired, 2);
            assert_eq!(batch.known_active(queue), Some(tokens::count_active(batch.conn, queue).unwrap()));
        });
    }

    #[test]
    fn a_tick_visits_only_queues_with_something_due() {
        in_a_batch(Policy { max_active: 1, ..Policy::default() }, |batch, main| {
            let idle = loading::create_queue(batch, QueueName::parse("idle").unwrap()).unwrap().unwrap();
            let active = come(batch, main, "a").token.active.unwrap();
            batch.write_queues().unwrap();
            for (late, expected) in [(-1, vec![]), (0, vec![main]), (1, vec![main])] {
                batch.now = Timestamp::from_micros(active.deadline.micros() + late);
                assert_eq!(due(batch).unwrap().into_iter().collect::<Vec<_>>(), expected, "{late}");
            }
            batch.now = Timestamp::from_micros(0);
            come(batch, main, "b");
            assert!(due(batch).unwrap().contains(&main), "who waits since this batch");
            batch.write_queues().unwrap();
            assert!(queues::due(batch.conn, batch.now).unwrap().contains(&main), "and when it is written");
            assert!(!due(batch).unwrap().contains(&idle));
        });
    }

    #[test]
    fn who_leaves_too_late_is_counted_among_those_whom_time_ended() {
        for (late, expired) in [(false, 0), (true, 1)] {
            in_a_batch(Policy::default(), |batch, queue| {
                let given = come(batch, queue, "u").token;
                batch.now = if late { batch.now.plus(batch.rules.active) } else { batch.now };
                for _again in 0..2 {
                    leave(batch, given.ticket).unwrap().unwrap();
                    assert_eq!(batch.expired, expired);
                }
            });
        }
    }
}
