//! Joining and leaving the line, and what its operator changes.

use super::{Context, Effects, Facts};
use crate::line::Line;
use crate::ports::{Decided, Left};
use crate::queue::Join;
use crate::rejection::Missing;
use crate::reservation::CancelReason;
use crate::{QueueEdit, Rejection, TicketNumber, Token, TokenStatus, UserId};

/// A place in the line, before the admission that belongs to the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The user's token.
    pub token: Token,
    /// Whether it is new.
    pub created: bool,
    /// The counters right after it was issued or found.
    pub line: Line,
    /// Whether admission is due now (R3), see [`Queue::admits_at_join`](crate::Queue::admits_at_join).
    pub admits: bool,
}

/// R1, R2: a user joins.
pub fn join(facts: &mut impl Facts, user: &UserId, context: &Context<'_>) -> Decided<(Placed, Effects)> {
    let Some(mut queue) = facts.queue()? else { return Ok(Err(Rejection::NotFound(Missing::Queue))) };
    let latest = facts.newest_token(user)?;
    let admits = queue.admits_at_join();
    let (ended, token) = match queue.join(user, latest, context.now) {
        Ok(Join::Known(token)) => {
            let placed = Placed { token, created: false, line: queue.line, admits };
            return Ok(Ok((placed, Effects::default())));
        }
        Ok(Join::Issued { ended, token }) => (ended, token),
        Err(rejection) => return Ok(Err(rejection)),
    };
    let placed = Placed { token: token.clone(), created: true, line: queue.line, admits };
    let effects = Effects {
        queue: Some(queue),
        // Time had ended it, and nobody had written so yet.
        expired: u64::from(ended.is_some()),
        tokens: ended.into_iter().collect(),
        issued: Some(token),
        ..Effects::default()
    };
    Ok(Ok((placed, effects)))
}

/// R17: the user of a token leaves the queue, and gives up what they hold there.
pub fn leave(facts: &mut impl Facts, number: TicketNumber, context: &Context<'_>) -> Decided<(Left, Effects)> {
    let Some(mut token) = facts.token(number)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let Some(mut queue) = facts.queue()? else { return Ok(Err(Rejection::TokenUnknown)) };
    let mut effects = Effects::default();
    let stored = token.status();
    let left = queue.leave(&mut token, context.now);
    if left == Some(TokenStatus::Waiting) {
        effects.queue = Some(queue);
    }
    if left.is_some() {
        for mut reservation in facts.pending_reservations(&token.user)? {
            if reservation.cancel(CancelReason::Left, context.now) {
                effects.end(&reservation, &facts.seats_of(&reservation)?);
            }
        }
    }
    if stored != token.status() {
        effects.expired = u64::from(left.is_none());
        effects.tokens.push(token);
    }
    let freed = effects.seats.iter().map(|seat| seat.schedule).collect();
    Ok(Ok((Left { lived: left.is_some(), freed }, effects)))
}

/// R3, R19: the operator changes the policy, what those who wait are told, or both.
pub fn edit(facts: &mut impl Facts, edit: &QueueEdit, context: &Context<'_>) -> Decided<Effects> {
    let Some(mut queue) = facts.queue()? else { return Ok(Err(Rejection::NotFound(Missing::Queue))) };
    if let Some(change) = &edit.policy
        && let Err(rejection) = queue.change_policy(change, context.now)
    {
        return Ok(Err(rejection));
    }
    if !edit.message.keeps() {
        queue.announce();
    }
    let (new_policy, message) = (edit.policy.is_some(), edit.message.clone());
    Ok(Ok(Effects { queue: Some(queue), new_policy, message, ..Effects::default() }))
}
