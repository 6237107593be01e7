//! Admission inside a transaction (R3): the rule decides, this reads its facts and writes what it decided.

use domain::ports::{MOST_TURNS, StoreError};
use domain::presence::Roll;
use domain::queue::Turns;
use domain::{QueueNumber, Token};
use tracing::error;

use crate::batches::transaction::Transaction;
use crate::sale::roll_call::RollCall;
use crate::tables::tokens;

/// What admission did for one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Whose turn came.
    pub(crate) turns: Turns,
    /// How many ACTIVE tokens were past their deadline.
    pub(crate) expired: u32,
}

impl Admission {
    /// Whether it stopped where it had to, and there may be more to do.
    pub(crate) const fn is_cut_off(&self) -> bool {
        self.turns.admitted + self.turns.absent >= MOST_TURNS || self.expired >= MOST_TURNS
    }
}

/// Writes EXPIRED to ACTIVE tokens past their deadline, then admits the first waiters as the policy allows.
pub(crate) fn admit(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<Admission, StoreError> {
    let expired = expire(transaction, number)?;
    let turns = take_turns(transaction, number)?;
    Ok(Admission { turns, expired })
}

/// Admits a newcomer ahead of whom nobody waits, if there is room: the token as it is to be inserted. Where that cannot be
/// found out they wait for the clockwork, as the join is not to fail with what is wrong with others.
pub(crate) fn admit_newcomer(transaction: &mut Transaction<'_>, newcomer: Token) -> Result<Token, StoreError> {
    let (number, now, lasting) = (newcomer.ticket.queue, transaction.now, transaction.rules.active);
    if transaction.queue(number)?.is_none_or(|row| row.queue.room(0, now) == 0) {
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
    let mut newcomer = [newcomer];
    if let Some(row) = transaction.queue_mut(number)? {
        let turns = row.queue.admit(active, &mut newcomer, &Roll::of_all(), lasting, now);
        note(transaction, number, turns, active);
    }
    let [token] = newcomer;
    Ok(token)
}

/// Writes EXPIRED to ACTIVE tokens past their deadline; how many are ACTIVE after that.
fn make_room(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<u64, StoreError> {
    expire(transaction, number)?;
    tokens::count_active(transaction.conn, number)
}

/// Page by page, as absent ones among the first waiters leave their places to those behind them.
fn take_turns(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<Turns, StoreError> {
    let (now, lasting) = (transaction.now, transaction.rules.active);
    let mut all = Turns::default();
    // Without grants or waiters nothing need be counted.
    if transaction.queue(number)?.is_none_or(|row| row.queue.room(0, now) == 0) {
        return Ok(all);
    }
    let mut active = tokens::count_active(transaction.conn, number)?;
    let (mut present, mut page) = (RollCall::new(number), 0);
    while let Some(row) = transaction.queue(number)? {
        let (room, frontier) = (row.queue.room(active, now), row.queue.line.frontier);
        page = room.max(page * 4).min(MOST_TURNS - all.admitted - all.absent);
        if room == 0 || page == 0 {
            break;
        }
        let mut waiting = tokens::waiting(transaction.conn, number, frontier, page)?;
        let roll = present.roll_for(transaction, &waiting)?;
        let Some(row) = transaction.queue_mut(number)? else { break };
        let turns = row.queue.admit(active, &mut waiting, roll, lasting, now);
        let taken = usize::try_from(turns.admitted + turns.absent).unwrap_or(usize::MAX);
        if taken == 0 {
            break;
        }
        for token in waiting.into_iter().take(taken) {
            transaction.update_token(token)?;
        }
        note(transaction, number, turns, active);
        active += u64::from(turns.admitted);
        all = Turns { admitted: all.admitted + turns.admitted, absent: all.absent + turns.absent };
    }
    Ok(all)
}

/// Counts those admitted where `active` were ACTIVE before.
fn note(transaction: &mut Transaction<'_>, number: QueueNumber, turns: Turns, active: u64) {
    transaction.admitted += u64::from(turns.admitted);
    transaction.note_active(number, active + u64::from(turns.admitted));
}

fn expire(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<u32, StoreError> {
    let mut expired = 0;
    for mut token in tokens::due(transaction.conn, number, transaction.now, MOST_TURNS)? {
        if token.expire_if_due(transaction.now) {
            transaction.update_token(token)?;
            expired += 1;
        }
    }
    transaction.expired += u64::from(expired);
    Ok(expired)
}
