//! The waiting line's port.

use async_trait::async_trait;
use domain::line::Standing;
use domain::ports::{Admitted, Decided, Joined, QueueEntry, QueueReport, QueueRepository, StoreError};
use domain::queue::Join;
use domain::rejection::Kind;
use domain::{PolicyChange, QueueNumber, Rejection, Ticket, Token, TokenStatus, UserId};
use tracing::error;

use crate::transaction::Transaction;
use crate::{SqliteStore, admission, queue_rows, reservation_rows, tokens};

#[async_trait]
impl QueueRepository for SqliteStore {
    async fn directory(&self) -> Result<Vec<QueueEntry>, StoreError> {
        self.reads().run(|snapshot| queue_rows::directory(snapshot.conn)).await
    }

    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        let user = user.clone();
        self.writer()
            .run_then(
                move |transaction| join(transaction, queue, &user),
                |place, transaction| match place {
                    Ok((token, created)) => joined(transaction, token, created).map(Ok),
                    Err(rejection) => Ok(Err(rejection)),
                },
            )
            .await
    }

    async fn find(&self, ticket: Ticket) -> Result<Option<Standing>, StoreError> {
        self.reads()
            .run(move |snapshot| {
                let Some(token) = tokens::find(snapshot.conn, ticket)? else { return Ok(None) };
                let Some(row) = queue_rows::find(snapshot.conn, ticket.queue)? else { return Ok(None) };
                let line = row.queue.line;
                let position = match token.status() {
                    TokenStatus::Waiting => {
                        let left = tokens::count_left(snapshot.conn, ticket.queue, line.frontier, ticket.number)?;
                        line.position(ticket.number, left)
                    }
                    TokenStatus::Active | TokenStatus::Expired => 0,
                };
                Ok(Some(Standing { token, position, line, paused: row.queue.policy.paused }))
            })
            .await
    }

    async fn leave(&self, ticket: Ticket) -> Decided<()> {
        self.writer().run(move |transaction| leave(transaction, ticket)).await
    }

    async fn admit(&self) -> Result<Vec<Admitted>, StoreError> {
        self.writer().run(admit_all).await
    }

    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        self.reads()
            .run(move |snapshot| {
                let Some(row) = queue_rows::find(snapshot.conn, queue)? else {
                    return Ok(Err(Rejection::NotFound(Kind::Queue)));
                };
                let active = tokens::count_live(snapshot.conn, queue, snapshot.now)?;
                let queue = row.queue;
                Ok(Ok(QueueReport { name: queue.name, policy: queue.policy, line: queue.line, active }))
            })
            .await
    }

    async fn change_policy(&self, queue: QueueNumber, change: &PolicyChange) -> Decided<QueueReport> {
        let change = *change;
        self.writer().run(move |transaction| change_policy(transaction, queue, &change)).await
    }
}

/// R1, R2: the user's place and whether it is new.
fn join(transaction: &mut Transaction<'_>, queue: QueueNumber, user: &UserId) -> Decided<(Token, bool)> {
    let live = tokens::live(transaction.conn, queue, user)?;
    let now = transaction.now;
    let Some(row) = transaction.queue_mut(queue)? else { return Ok(Err(Rejection::NotFound(Kind::Queue))) };
    let join = match row.queue.join(user, live, now) {
        Ok(join) => join,
        Err(rejection) => return Ok(Err(rejection)),
    };
    transaction.joined(queue);
    match join {
        Join::Known(token) => Ok(Ok((token, false))),
        Join::Issued { ended, token } => {
            if let Some(ended) = ended {
                transaction.update_token(ended)?;
                transaction.expired += 1;
            }
            transaction.insert_token(token.clone())?;
            Ok(Ok((token, true)))
        }
    }
}

/// The answer to a join, after the admission of its batch. A place that ended later in the batch is told as it was when
/// it was given: no order of the two commands answers a join with a place that is over (R1).
fn joined(transaction: &mut Transaction<'_>, given: Token, created: bool) -> Result<Joined, StoreError> {
    let ticket = given.ticket;
    let gone = || StoreError::Unavailable(format!("{ticket:?} vanished within its transaction"));
    let last = transaction.token(ticket)?.ok_or_else(gone)?;
    let token = if last.status() == TokenStatus::Expired { given } else { last };
    let row = transaction.queue(ticket.queue)?.ok_or_else(gone)?;
    let (line, paused) = (row.queue.line, row.queue.policy.paused);
    let position = match token.status() {
        TokenStatus::Active | TokenStatus::Expired => 0,
        // All who ended beyond the frontier ended before this number was issued, so they are ahead of it.
        TokenStatus::Waiting if created && !transaction.has_left(ticket.queue) => line.position_at_tail(ticket.number),
        TokenStatus::Waiting => {
            let left = tokens::count_left(transaction.conn, ticket.queue, line.frontier, ticket.number)?;
            line.position(ticket.number, left)
        }
    };
    Ok(Joined { standing: Standing { token, position, line, paused }, created })
}

/// R17: ends the token and cancels its user's PENDING reservations.
fn leave(transaction: &mut Transaction<'_>, ticket: Ticket) -> Decided<()> {
    let Some(mut token) = transaction.token(ticket)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let stored = token.status();
    let left = token.leave(transaction.now);
    let user = token.user.clone();
    if stored != token.status() {
        transaction.update_token(token)?;
        // Time had ended it, and nobody had written so yet.
        transaction.expired += u64::from(left.is_none());
    }
    if left == Some(TokenStatus::Waiting) {
        if let Some(row) = transaction.queue_mut(ticket.queue)? {
            row.queue.line.leave_waiting();
        }
        transaction.left(ticket.queue);
    }
    if left.is_some() {
        reservation_rows::cancel_all(transaction, ticket.queue, &user)?;
    }
    Ok(Ok(()))
}

/// R3: one tick, for the queues that have something due. What is wrong in one of them does not stop the others.
fn admit_all(transaction: &mut Transaction<'_>) -> Result<Vec<Admitted>, StoreError> {
    let mut lines = Vec::new();
    for QueueEntry { number: queue, .. } in queue_rows::directory(transaction.conn)? {
        match transaction.part(|transaction| admit(transaction, queue))? {
            Ok(line) => lines.extend(line),
            Err(failure) => error!(%failure, queue = queue.0, "nobody could be admitted"),
        }
    }
    Ok(lines)
}

/// What a tick did for one queue, if anything.
fn admit(transaction: &mut Transaction<'_>, queue: QueueNumber) -> Result<Option<Admitted>, StoreError> {
    let done = admission::admit(transaction, queue)?;
    if done == admission::Admission::default() {
        return Ok(None);
    }
    let active = tokens::count_active(transaction.conn, queue)?;
    let Some(row) = transaction.queue(queue)? else { return Ok(None) };
    Ok(Some(Admitted { queue, admitted: done.admitted, expired: done.expired, active, line: row.queue.line }))
}

/// R3: changes a policy and keeps the one before.
fn change_policy(transaction: &mut Transaction<'_>, queue: QueueNumber, change: &PolicyChange) -> Decided<QueueReport> {
    let now = transaction.now;
    let Some(row) = transaction.queue_mut(queue)? else { return Ok(Err(Rejection::NotFound(Kind::Queue))) };
    if let Err(rejection) = row.queue.change_policy(change, now) {
        return Ok(Err(rejection));
    }
    row.policy_seq += 1;
    let (changed, seq) = (row.queue.clone(), row.policy_seq);
    queue_rows::insert_policy(transaction.conn, &changed, seq)?;
    let active = tokens::count_live(transaction.conn, queue, now)?;
    Ok(Ok(QueueReport { name: changed.name, policy: changed.policy, line: changed.line, active }))
}

#[cfg(test)]
mod tests {
    use diesel::SqliteConnection;
    use domain::{Policy, QueueName, Rules, Timestamp};
    use storage_contract::SeededIds;

    use super::*;
    use crate::{Begin, Statement, concerts};

    /// A new file, inside the transaction of a batch.
    fn begun() -> (tempfile::TempDir, SqliteConnection) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        crate::migrate(&path).unwrap();
        let mut connection = crate::open::connect(&path).unwrap();
        Begin::execute(&mut connection, &[]).unwrap();
        (directory, connection)
    }

    #[test]
    fn a_place_that_ends_in_the_batch_of_its_join_is_told_as_it_was_r1() {
        for (max_active, expected) in [(0, (TokenStatus::Waiting, 1)), (1, (TokenStatus::Active, 0))] {
            let (_directory, mut connection) = begun();
            let rules = Rules { new_queue: Policy { max_active, ..Policy::default() }, ..Rules::default() };
            let ids = SeededIds::new(1);
            let mut batch = Transaction::new(&mut connection, Timestamp::from_micros(0), &rules, &ids);
            let queue = concerts::create_queue(&mut batch, QueueName::main()).unwrap().unwrap();
            let user = UserId::parse("u").unwrap();
            let (first, _) = join(&mut batch, queue, &user).unwrap().unwrap();
            batch.admit_joined().unwrap();

            let (again, created) = join(&mut batch, queue, &user).unwrap().unwrap();
            leave(&mut batch, first.ticket).unwrap().unwrap();
            let told = joined(&mut batch, again, created).unwrap().standing;
            assert_eq!((told.token.ticket, told.token.status(), told.position), (first.ticket, expected.0, expected.1));
        }
    }

    #[test]
    fn who_leaves_too_late_is_counted_among_those_whom_time_ended() {
        for (late, expired) in [(false, 0), (true, 1)] {
            let (_directory, mut connection) = begun();
            let (rules, ids) = (Rules::default(), SeededIds::new(1));
            let mut batch = Transaction::new(&mut connection, Timestamp::from_micros(0), &rules, &ids);
            let queue = concerts::create_queue(&mut batch, QueueName::main()).unwrap().unwrap();
            let (given, _) = join(&mut batch, queue, &UserId::parse("u").unwrap()).unwrap().unwrap();
            batch.admit_joined().unwrap();
            batch.now = if late { batch.now.plus(rules.active) } else { batch.now };
            for _again in 0..2 {
                leave(&mut batch, given.ticket).unwrap().unwrap();
                assert_eq!(batch.expired, expired);
            }
        }
    }
}
