//! Admission at the end of a batch that holds its queue's row (R3), and what joiners are told of it (R4).

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::line::Standing;
use domain::ports::{Admitted, QueueReport};
use domain::{Rules, TicketNumber, TokenStatus};
use time::OffsetDateTime;

use crate::lane::BatchError;
use crate::rows::{TokenRow, big, count, inconsistent, queue as queue_column};
use crate::statement::statement;
use crate::working_set::WorkingSet;

type SqlUuid = diesel::sql_types::Uuid;

statement! {
    /// How many tokens are ACTIVE by stored status.
    CountActive { queue: i32 } -> BigInt =
    "SELECT count(*) FROM tokens WHERE queue = " queue " AND status = 'ACTIVE'"
}

statement! {
    /// The first waiters. The queue's row is locked, so that nobody else ends or admits them; a hold that will be refused
    /// may have one of them locked for a moment.
    FirstWaiting { queue: i32, frontier: i64, limit: i64 } -> (
        BigInt, Text, Text, Timestamptz, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Timestamptz>,
        Nullable<Text>, Nullable<SqlUuid>,
    ) =
    "SELECT number, user_id, status, issued_at, activated_at, deadline, ended_at, end_reason, paid_reservation
     FROM tokens
     WHERE queue = " queue " AND status = 'WAITING' AND number > " frontier "
     ORDER BY number
     LIMIT " limit "
     FOR NO KEY UPDATE"
}

statement! {
    /// How many tokens are ACTIVE at this moment.
    CountActiveAt { queue: i32, now: OffsetDateTime } -> BigInt =
    "SELECT count(*) FROM tokens WHERE queue = " queue " AND status = 'ACTIVE' AND deadline > " now
}

statement! {
    /// How many numbers between the frontier and each of these ended while they waited.
    CountLeft { queue: i32, frontier: i64, numbers: Vec<i64> } -> (BigInt, BigInt) =
    "SELECT n, (SELECT count(*) FROM tokens t
                WHERE t.queue = " queue " AND t.status = 'EXPIRED' AND t.activated_at IS NULL
                  AND t.number > " frontier " AND t.number < n)
     FROM unnest(" numbers ") AS n"
}

/// Writes EXPIRED to ACTIVE tokens past their deadline, then admits whom the policy has room for; nothing when there was
/// nothing to do.
pub(crate) async fn admit(
    conn: &AsyncPgConnection,
    set: &mut WorkingSet,
    rules: &Rules,
) -> Result<Option<Admitted>, BatchError> {
    let expired = expire(set);
    let Some(queue) = &set.queue else { return Ok(None) };
    let (number, most, frontier) = (queue_column(set.number), queue.room(0, set.now), big(queue.line.frontier));
    if most == 0 && expired == 0 {
        return Ok(None);
    }
    // Whoever left in this batch still stands in the table as WAITING.
    let limit = u64::from(most).saturating_add(set.left_between(0, u64::MAX));
    let active = CountActive { queue: number }.get_result::<i64>(&mut &*conn);
    let waiting = FirstWaiting { queue: number, frontier, limit: big(limit) }.load::<TokenRow>(&mut &*conn);
    let (active, waiting) = futures::try_join!(active, waiting)?;
    let active = count("tokens", "status", active)?.saturating_sub(set.ended_active(None));
    for row in waiting {
        let token = row.token(set.number)?;
        set.tokens.entry(token.ticket.number).or_insert(token);
    }
    let admitted = admit_first(set, rules, active);
    set.changed.admitted += admitted;
    let line = set.queue.as_ref().map(|queue| queue.line).unwrap_or_default();
    let done = Admitted { queue: set.number, admitted, expired, active: active + admitted, line };
    Ok((admitted > 0 || expired > 0).then_some(done))
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

/// Admits the first of those who wait, as many as there is room for beside `active`; how many those are.
fn admit_first(set: &mut WorkingSet, rules: &Rules, active: u64) -> u64 {
    let waiting = set.tokens.values().filter(|token| token.status() == TokenStatus::Waiting);
    let mut first: Vec<TicketNumber> = waiting.map(|token| token.ticket.number).collect();
    first.sort_unstable();
    let now = set.now;
    let Some(queue) = &mut set.queue else { return 0 };
    let admitted = queue.admit(active, &first, now);
    set.changed.queue |= admitted > 0;
    for number in first.iter().take(admitted) {
        if let Some(mut token) = set.tokens.get(number).cloned() {
            token.admit(rules.active, now);
            set.put_token(token);
        }
    }
    u64::try_from(admitted).unwrap_or(u64::MAX)
}

/// Where these tickets stand after the batch; each with whether it is new.
pub(crate) async fn standings(
    conn: &AsyncPgConnection,
    set: &WorkingSet,
    places: &[(TicketNumber, bool)],
) -> Result<HashMap<TicketNumber, Standing>, BatchError> {
    let Some(queue) = &set.queue else { return Ok(HashMap::new()) };
    let line = queue.line;
    let waits = |number: &TicketNumber| set.tokens.get(number).is_some_and(|t| t.status() == TokenStatus::Waiting);
    let known: Vec<_> = places.iter().filter(|(n, new)| !new && waits(n)).map(|(n, _)| big(n.get())).collect();
    let left: HashMap<i64, i64> = if known.is_empty() {
        HashMap::new()
    } else {
        let left = CountLeft { queue: queue_column(set.number), frontier: big(line.frontier), numbers: known };
        left.load::<(i64, i64)>(&mut &*conn).await?.into_iter().collect()
    };
    let mut standings = HashMap::new();
    for (number, new) in places {
        let token = set.tokens.get(number).cloned();
        let token = token.ok_or_else(|| inconsistent("tokens", "number", number.get()))?;
        let position = match (token.status(), new) {
            // All who ended beyond the frontier ended before this number was issued, so they are ahead of it.
            (TokenStatus::Waiting, true) => line.position_at_tail(*number),
            (TokenStatus::Waiting, false) => {
                let left = left.get(&big(number.get())).copied().unwrap_or(0);
                let left = count("tokens", "number", left)? + set.left_between(line.frontier, number.get());
                line.position(*number, left)
            }
            (TokenStatus::Active | TokenStatus::Expired, _) => 0,
        };
        standings.insert(*number, Standing { token, position, line, paused: queue.policy.paused });
    }
    Ok(standings)
}

/// What an operator is told after a change of policy.
pub(crate) async fn report(conn: &AsyncPgConnection, set: &WorkingSet) -> Result<Option<QueueReport>, BatchError> {
    let Some(queue) = &set.queue else { return Ok(None) };
    let active = CountActiveAt { queue: queue_column(set.number), now: set.now.to_utc() };
    let active = active.get_result::<i64>(&mut &*conn).await?;
    let active = count("tokens", "status", active)?.saturating_sub(set.ended_active(Some(set.now)));
    let active = active + set.changed.admitted;
    Ok(Some(QueueReport { name: queue.name.clone(), policy: queue.policy, line: queue.line, active }))
}
