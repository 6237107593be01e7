//! Admission at the end of a batch that holds its queue's row (R3).

use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::Admitted;
use domain::queue::Turns;
use domain::sale::{self, Admission, Facts as _};
use domain::{Rules, TicketNumber, Token, TokenStatus};

use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::sale::batch::Batch;
use crate::sale::roll_call::RollCall;
use crate::tables::columns::{big, count, queue as queue_column};
use crate::tables::tokens::{SqlToken, TokenRow};

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
            out_version, selection_ends_at, last_paid
     FROM tokens
     WHERE queue = " queue " AND status = 'WAITING' AND number > " beyond "
     ORDER BY number
     LIMIT " limit "
     FOR NO KEY UPDATE"
}

/// Writes EXPIRED to ACTIVE tokens past their deadline, then admits whom the policy has room for, passing over the absent;
/// nothing when there was nothing to do. At most `most` have their turn; as many at most of the others were read. A damaged
/// token that is past its deadline is told of and stays as it is; one that waits cannot be passed over, and nobody is admitted
/// then.
pub(crate) async fn admit(
    conn: &AsyncPgConnection,
    batch: &mut Batch,
    rules: &Rules,
    most: u32,
) -> Result<Option<Admitted>, BatchError> {
    let now = batch.now;
    for damaged in batch.set.damaged_tokens() {
        tracing::error!(%damaged, queue = batch.set.number().0, "a token cannot be read, nor ended if it is past its deadline");
    }
    let due = batch.set.tokens().filter(|token| token.status_at(now) != token.status());
    let ended = sale::expire(due.cloned(), now);
    let expired = u64::try_from(ended.len()).unwrap_or(u64::MAX);
    let Some(mut queue) = batch.set.queue()? else { return Ok(None) };
    batch.set_back = queue.follow_clock_back(now);
    if batch.set_back.is_some() {
        batch.set.put_policy(queue.clone());
    }
    if queue.room(0, now) == 0 && expired == 0 {
        return Ok(None);
    }
    let number = batch.set.number();
    let active = CountActive { queue: queue_column(number) }.get_result::<i64>(&mut &*conn).await?;
    // Those who have ended in this batch still stand in the table.
    let ended_before = batch.set.changed_tokens().filter(|token| token.end.is_some() && token.active.is_some()).count();
    let ended_in_all = expired + u64::try_from(ended_before).unwrap_or(u64::MAX);
    let active = count("tokens", "status", active)?.saturating_sub(ended_in_all);

    let mut waiters = Waiters { beyond: queue.line.frontier, stored: batch.stored_waiters, all: false };
    let mut admission = Admission::new(queue, active, most);
    let (mut roll_call, mut turned) = (RollCall::new(number, rules, now), Vec::new());
    while let Some(size) = admission.next_page(now).filter(|_| !waiters.all) {
        let page = waiters.next(conn, batch, size).await?;
        roll_call.call(conn, &page).await?;
        turned.extend(admission.take_turns(page, roll_call.roll(), rules.active, now));
    }

    let turns = admission.turns();
    if turns != Turns::default() {
        batch.set.put_queue(admission.queue().clone());
    }
    for token in ended.into_iter().chain(turned) {
        batch.set.put_token(token);
    }
    batch.set.count_expired(expired);
    let admitted = u64::from(turns.admitted);
    batch.admitted += admitted;
    let done = Admitted {
        queue: number,
        admitted,
        absent: turns.absent.into(),
        expired,
        active: admission.active(),
        line: admission.queue().line,
        more: admission.is_cut_off(expired),
    };
    Ok((done.admitted + done.absent + done.expired > 0).then_some(done))
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
    /// The next ones, at most so many; perhaps fewer than there are, as who left in this batch still stands in the table.
    async fn next(&mut self, conn: &AsyncPgConnection, batch: &mut Batch, most: u32) -> Result<Vec<Token>, BatchError> {
        let (after, mut last) = (self.beyond, u64::MAX);
        if self.stored {
            let first =
                FirstWaiting { queue: queue_column(batch.set.number()), beyond: big(after), limit: i64::from(most) };
            let rows = first.load::<TokenRow>(&mut &*conn).await?;
            self.stored = u32::try_from(rows.len()).is_ok_and(|rows| rows == most);
            for row in rows {
                let token = row.token(batch.set.number())?;
                if self.stored {
                    last = token.ticket.number.get();
                }
                batch.set.add_token(token.ticket.number, None, Ok(token));
            }
        }
        // The batch may know of some further on, but not of those between.
        let between = |number: &TicketNumber| number.get() > after && number.get() <= last;
        let waits = |token: &&Token| token.status() == TokenStatus::Waiting && between(&token.ticket.number);
        let mut page: Vec<Token> = batch.set.tokens().filter(waits).cloned().collect();
        page.sort_unstable_by_key(|token| token.ticket.number);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        self.all = !self.stored && page.len() <= most;
        page.truncate(most);
        self.beyond = if self.stored { last } else { page.last().map_or(after, |token| token.ticket.number.get()) };
        Ok(page)
    }
}
