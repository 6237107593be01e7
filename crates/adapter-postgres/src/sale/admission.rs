//! Admission at the end of a batch that holds its queue's row (R3).

use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::Admitted;
use domain::queue::Turns;
use domain::{Rules, TicketNumber, Token, TokenStatus};

use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::sale::roll_call::RollCall;
use crate::sale::working_set::WorkingSet;
use crate::tables::locks::SqlToken;
use crate::tables::rows::{TokenRow, big, count, queue as queue_column};

statement! {
    /// How many tokens are ACTIVE by stored status.
    CountActive { queue: i32 } -> BigInt =
    "SELECT count(*) FROM tokens WHERE queue = " queue " AND status = 'ACTIVE'"
}

statement! {
    /// The first waiters beyond a number. The queue's row is locked, so that nobody else ends or admits them; a hold that
    /// will be refused may have one of them locked for a moment.
    FirstWaiting { queue: i32, beyond: i64, limit: i64 } -> SqlToken =
    "SELECT number, user_id, status, issued_at, activated_at, deadline, ended_at, end_reason, paid_reservation,
            out_version
     FROM tokens
     WHERE queue = " queue " AND status = 'WAITING' AND number > " beyond "
     ORDER BY number
     LIMIT " limit "
     FOR NO KEY UPDATE"
}

/// Writes EXPIRED to ACTIVE tokens past their deadline, then admits whom the policy has room for, passing over the absent;
/// nothing when there was nothing to do. At most `most` have their turn; as many at most of the others were read.
pub(crate) async fn admit(
    conn: &AsyncPgConnection,
    set: &mut WorkingSet,
    rules: &Rules,
    most: u32,
) -> Result<Option<Admitted>, BatchError> {
    let expired = expire(set);
    let Some(queue) = &set.queue else { return Ok(None) };
    if queue.room(0, set.now) == 0 && expired == 0 {
        return Ok(None);
    }
    let active = CountActive { queue: queue_column(set.number) }.get_result::<i64>(&mut &*conn).await?;
    let active = count("tokens", "status", active)?.saturating_sub(set.ended_active());
    let turns = take_turns(conn, set, rules, active, most).await?;
    let admitted = u64::from(turns.admitted);
    set.changed.admitted += admitted;
    let done = Admitted {
        queue: set.number,
        admitted,
        absent: turns.absent.into(),
        expired,
        active: active + admitted,
        line: set.queue.as_ref().map(|queue| queue.line).unwrap_or_default(),
        more: turns.admitted + turns.absent >= most || expired >= u64::from(most),
    };
    Ok((done.admitted + done.absent + done.expired > 0).then_some(done))
}

fn expire(set: &mut WorkingSet) -> u64 {
    let now = set.now;
    let mut due: Vec<_> = set.tokens.values().cloned().collect();
    due.retain_mut(|token| token.expire_if_due(now));
    let expired = u64::try_from(due.len()).unwrap_or(u64::MAX);
    for token in due {
        set.put_token(token);
    }
    set.changed.expired += expired;
    expired
}

/// Gives the first of those who wait their turn, page by page, until there is no room beside `active`, nobody is left, or
/// `most` have had it.
async fn take_turns(
    conn: &AsyncPgConnection,
    set: &mut WorkingSet,
    rules: &Rules,
    active: u64,
    most: u32,
) -> Result<Turns, BatchError> {
    let (mut turns, mut size) = (Turns::default(), 0);
    let (mut waiters, mut roll_call) = (Waiters::of(set), RollCall::new(set.number, rules, set.now));
    loop {
        let active = active + u64::from(turns.admitted);
        let room = set.queue.as_ref().map_or(0, |queue| queue.room(active, set.now));
        // Where some were absent, more of those behind them are likely to be.
        size = room.max(size * 2).min(most - turns.admitted - turns.absent);
        if room == 0 || size == 0 || waiters.all {
            return Ok(turns);
        }
        let mut page = waiters.next(conn, set, size).await?;
        roll_call.call(conn, &page).await?;
        let Some(queue) = &mut set.queue else { return Ok(turns) };
        let of_page = queue.admit(active, &mut page, roll_call.roll(), rules.active, set.now);
        set.changed.queue |= of_page != Turns::default();
        turns.admitted += of_page.admitted;
        turns.absent += of_page.absent;
        for token in page {
            set.put_token(token);
        }
    }
}

/// Those who wait, in their order: of the table, and of the batch.
struct Waiters {
    /// All up to this number were given out.
    beyond: u64,
    /// Whether the table has more of them.
    stored: bool,
    /// Whether all were given out.
    all: bool,
}

impl Waiters {
    fn of(set: &WorkingSet) -> Self {
        let beyond = set.queue.as_ref().map_or(0, |queue| queue.line.frontier);
        Self { beyond, stored: set.stored_waiters, all: false }
    }

    /// The next ones, at most so many; perhaps fewer than there are, as who left in this batch still stands in the table.
    async fn next(
        &mut self,
        conn: &AsyncPgConnection,
        set: &mut WorkingSet,
        most: u32,
    ) -> Result<Vec<Token>, BatchError> {
        let (after, mut last) = (self.beyond, u64::MAX);
        if self.stored {
            let first = FirstWaiting { queue: queue_column(set.number), beyond: big(after), limit: i64::from(most) };
            let rows = first.load::<TokenRow>(&mut &*conn).await?;
            self.stored = u32::try_from(rows.len()).is_ok_and(|rows| rows == most);
            for row in rows {
                let token = row.token(set.number)?;
                if self.stored {
                    last = token.ticket.number.get();
                }
                set.tokens.entry(token.ticket.number).or_insert(token);
            }
        }
        // The batch may know of some further on, but not of those between.
        let between = |number: &TicketNumber| number.get() > after && number.get() <= last;
        let waits = |token: &&Token| token.status() == TokenStatus::Waiting && between(&token.ticket.number);
        let mut page: Vec<Token> = set.tokens.values().filter(waits).cloned().collect();
        page.sort_unstable_by_key(|token| token.ticket.number);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        self.all = !self.stored && page.len() <= most;
        page.truncate(most);
        self.beyond = if self.stored { last } else { page.last().map_or(after, |token| token.ticket.number.get()) };
        Ok(page)
    }
}
