//! Admission at the end of a batch that holds its queue's row (R3), and what joiners are told of it (R4).

use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::line::Standing;
use domain::ports::{Admitted, QueueReport, StoreError};
use domain::{Rules, TicketNumber, TokenStatus};

use crate::lane::BatchError;
use crate::rows::{big, count, inconsistent, queue as queue_column, TokenRow};
use crate::statement::statement;
use crate::working_set::WorkingSet;

type SqlUuid = diesel::sql_types::Uuid;

statement! {
    /// How many tokens are ACTIVE by stored status.
    CountActive { queue: i32 } -> BigInt =
    "SELECT count(*) FROM tokens WHERE queue = " queue " AND status = 'ACTIVE'"
}

statement! {
    /// The first waiters. The queue's row is locked, so that nobody else ends or admits them.
    FirstWaiting { queue: i32, limit: i64 } -> (
        BigInt, Text, Text, Timestamptz, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Timestamptz>,
        Nullable<Text>, Nullable<SqlUuid>,
    ) =
    "SELECT number, user_id, status, issued_at, activated_at, deadline, ended_at, end_reason, paid_reservation
     FROM tokens
     WHERE queue = " queue " AND status = 'WAITING'
     ORDER BY number
     LIMIT " limit
}

statement! {
    /// How many numbers between the frontier and each of these ended while they waited.
    CountLeft { queue: i32, frontier: i64, numbers: Vec<i64> } -> (BigInt, BigInt) =
    "SELECT n, (SELECT count(*) FROM tokens t
                WHERE t.queue = " queue " AND t.status = 'EXPIRED' AND t.activated_at IS NULL
                  AND t.number > " frontier " AND t.number < n)
     FROM unnest(" numbers ") AS n"
}

/// Writes EXPIRED to ACTIVE tokens past their deadline, then admits whom the policy has room for.
pub(crate) async fn admit(
    conn: &AsyncPgConnection,
    set: &mut WorkingSet,
    rules: &Rules,
) -> Result<Option<Admitted>, BatchError> {
    let due: Vec<_> = set
        .tokens
        .values()
        .cloned()
        .filter_map(|mut token| token.expire_if_due(set.now).then_some(token))
        .collect();
    let expired = due.len();
    for token in due {
        set.put_token(token);
    }
    let Some(queue) = &set.queue else { return Ok(None) };
    let (number, most) = (queue_column(set.number), queue.room(0, set.now));
    if most == 0 && expired == 0 {
        return Ok(None);
    }
    // Whoever left in this batch still stands in the table as WAITING.
    let left = set.changed.tokens.iter().filter(|n| set.tokens.get(n).is_some_and(|t| t.active.is_none())).count();
    let limit = i64::from(most).saturating_add(i64::try_from(left).unwrap_or(i64::MAX));
    let active = CountActive { queue: number }.get_result::<i64>(&mut &*conn);
    let waiting = FirstWaiting { queue: number, limit }.load::<TokenRow>(&mut &*conn);
    let (active, waiting) = futures::try_join!(active, waiting)?;
    let active = count("tokens", "status", active)?.saturating_sub(set.changed.ended_active);
    for row in waiting {
        let token = row.token(set.number)?;
        set.tokens.entry(token.ticket.number).or_insert(token);
    }
    let mut first: Vec<TicketNumber> = set
        .tokens
        .values()
        .filter(|token| token.status() == TokenStatus::Waiting)
        .map(|token| token.ticket.number)
        .collect();
    first.sort_unstable();
    let now = set.now;
    let Some(queue) = &mut set.queue else { return Ok(None) };
    let admitted = queue.admit(active, &first, now);
    let line = queue.line;
    set.changed.queue |= admitted > 0;
    for number in first.iter().take(admitted) {
        if let Some(mut token) = set.tokens.get(number).cloned() {
            token.admit(rules.active, now);
            set.put_token(token);
        }
    }
    let admitted = u64::try_from(admitted).unwrap_or(u64::MAX);
    let expired = u64::try_from(expired).unwrap_or(u64::MAX);
    Ok(Some(Admitted { queue: set.number, admitted, expired, active: active + admitted, line }))
}

/// Where these tickets stand after the batch.
pub(crate) async fn standings(
    conn: &AsyncPgConnection,
    set: &WorkingSet,
    numbers: &[(TicketNumber, bool)],
) -> Result<Vec<Standing>, BatchError> {
    let Some(queue) = &set.queue else { return Ok(Vec::new()) };
    let line = queue.line;
    let waits = |number: &TicketNumber| set.tokens.get(number).is_some_and(|t| t.status() == TokenStatus::Waiting);
    let known: Vec<_> = numbers.iter().filter(|(n, new)| !new && waits(n)).map(|(n, _)| big(n.get())).collect();
    let stored: std::collections::HashMap<i64, i64> = if known.is_empty() {
        std::collections::HashMap::new()
    } else {
        let left = CountLeft { queue: queue_column(set.number), frontier: big(line.frontier), numbers: known };
        left.load::<(i64, i64)>(&mut &*conn).await?.into_iter().collect()
    };
    let place = |(number, new): &(TicketNumber, bool)| {
        let token = set.tokens.get(number).cloned().ok_or_else(|| inconsistent("tokens", "number", number.get()))?;
        let position = match (token.status(), new) {
            (TokenStatus::Waiting, true) => line.position_at_tail(*number),
            (TokenStatus::Waiting, false) => {
                let stored = stored.get(&big(number.get())).copied().unwrap_or(0);
                line.position(*number, count("tokens", "number", stored)? + set.left_between(line.frontier, *number))
            }
            _ => 0,
        };
        Ok(Standing { token, position, line, paused: queue.policy.paused })
    };
    numbers.iter().map(place).collect::<Result<_, StoreError>>().map_err(BatchError::from)
}

/// What an operator is told after a change of policy.
pub(crate) async fn report(conn: &AsyncPgConnection, set: &WorkingSet) -> Result<Option<QueueReport>, BatchError> {
    let Some(queue) = &set.queue else { return Ok(None) };
    let active = crate::reads::CountActiveAt { queue: queue_column(set.number), now: set.now.to_utc() };
    let active = active.get_result::<i64>(&mut &*conn).await?;
    Ok(Some(QueueReport {
        name: queue.name.clone(),
        policy: queue.policy,
        line: queue.line,
        active: count("tokens", "status", active)?,
    }))
}
