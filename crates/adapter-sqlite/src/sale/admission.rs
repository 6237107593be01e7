//! Admission inside a transaction (R3): the rule decides, this reads its facts and writes what it decided.

use domain::ports::{Admitted, MOST_TURNS, StoreError};
use domain::presence::Roll;
use domain::queue::Turns;
use domain::sale::{self, Admission, Effects};
use domain::{QueueNumber, Token, count};
use tracing::{error, warn};

use crate::batches::transaction::Transaction;
use crate::sale::roll_call::RollCall;
use crate::sale::write::write;
use crate::tables::tokens;

/// Writes EXPIRED to ACTIVE tokens past their deadline, then admits the first waiters as the policy allows; nothing when
/// there was nothing to do.
pub(crate) fn admit(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<Option<Admitted>, StoreError> {
    let expired = expire(transaction, number)?;
    let now = transaction.now;
    follow_clock_back(transaction, number)?;
    let Some(queue) = transaction.queue(number)?.map(|row| row.queue.clone()) else { return Ok(None) };
    // Without grants or waiters nothing need be counted.
    if queue.room(0, now) == 0 && expired == 0 {
        return Ok(None);
    }
    let active = tokens::count_active(transaction.conn, number)?;
    let mut admission = Admission::new(queue, active, MOST_TURNS);
    take_turns(transaction, &mut admission)?;
    let turns = admission.turns();
    if turns != Turns::default() {
        keep(transaction, &admission)?;
    }
    let done = Admitted {
        queue: number,
        admitted: turns.admitted.into(),
        absent: turns.absent.into(),
        expired,
        active: admission.active(),
        line: admission.queue().line,
        more: admission.is_cut_off(expired),
    };
    Ok((done.admitted + done.absent + done.expired > 0).then_some(done))
}

/// Begins the policy anew where the clock was set back.
fn follow_clock_back(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<(), StoreError> {
    let now = transaction.now;
    let Some(mut queue) = transaction.queue(number)?.map(|row| row.queue.clone()) else { return Ok(()) };
    let Some(behind) = queue.follow_clock_back(now) else { return Ok(()) };
    warn!(queue = %queue.name, ?behind, "the clock was set back; the queue's policy begins anew, so that it goes on");
    write(transaction, number, Effects { queue: Some(queue), new_policy: true, ..Effects::default() })
}

/// Admits a newcomer ahead of whom nobody waits, if there is room: the token as it is to be inserted. Where that cannot be
/// found out they wait for the clockwork, as the join is not to fail with what is wrong with others.
pub(crate) fn admit_newcomer(transaction: &mut Transaction<'_>, newcomer: Token) -> Result<Token, StoreError> {
    let (number, now, lasting) = (newcomer.ticket.queue, transaction.now, transaction.rules.active);
    let Some(queue) = transaction.queue(number)?.map(|row| row.queue.clone()) else { return Ok(newcomer) };
    if queue.room(0, now) == 0 {
        return Ok(newcomer);
    }
    let active = match transaction.known_active(number) {
        Some(active) => active,
        None => match transaction.part(|transaction| make_room(transaction, number))? {
            Ok(active) => active,
            Err(failure) => {
                error!(%failure, queue = number.0, "nobody could be admitted");
                return Ok(newcomer);
            }
        },
    };
    let mut admission = Admission::new(queue, active, MOST_TURNS);
    let turned = admission.take_turns(vec![newcomer.clone()], &Roll::of_all(), lasting, now).pop();
    keep(transaction, &admission)?;
    Ok(turned.unwrap_or(newcomer))
}

/// Writes EXPIRED to ACTIVE tokens past their deadline; how many are ACTIVE after that.
fn make_room(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<u64, StoreError> {
    expire(transaction, number)?;
    tokens::count_active(transaction.conn, number)
}

/// Page by page, as absent ones among the first waiters leave their places to those behind them.
fn take_turns(transaction: &mut Transaction<'_>, admission: &mut Admission) -> Result<(), StoreError> {
    let (number, now, lasting) = (admission.queue().number, transaction.now, transaction.rules.active);
    let mut present = RollCall::new(number);
    while let Some(page) = admission.next_page(now) {
        let waiting = tokens::waiting(transaction.conn, number, admission.queue().line.frontier, page)?;
        let roll = present.roll_for(transaction, &waiting)?;
        let turned = admission.take_turns(waiting, roll, lasting, now);
        if turned.is_empty() {
            break;
        }
        for token in turned {
            transaction.update_token(token)?;
        }
    }
    Ok(())
}

/// Keeps the queue as the admission left it, and counts whom it admitted.
fn keep(transaction: &mut Transaction<'_>, admission: &Admission) -> Result<(), StoreError> {
    let queue = admission.queue();
    if let Some(row) = transaction.queue_mut(queue.number)? {
        row.queue = queue.clone();
    }
    transaction.admitted += u64::from(admission.turns().admitted);
    transaction.note_active(queue.number, admission.active());
    Ok(())
}

/// How many tokens it wrote EXPIRED to. A damaged one stays as it is, and counts as ACTIVE until it is mended.
fn expire(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<u64, StoreError> {
    let due = tokens::due(transaction.conn, number, transaction.now, MOST_TURNS)?;
    let readable = due.into_iter().filter_map(|token| {
        token
            .inspect_err(|damaged| error!(%damaged, queue = number.0, "a token past its deadline cannot be ended"))
            .ok()
    });
    let ended = sale::expire(readable, transaction.now);
    let expired = u64::from(count(ended.len()));
    for token in ended {
        transaction.update_token(token)?;
    }
    transaction.expired += expired;
    Ok(expired)
}
