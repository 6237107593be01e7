//! Where a token stands, as its holder is told: phase, position, wait, and when to ask again (R4).

use std::sync::Arc;
use std::time::Duration;

use domain::line::{self, poll_after};
use domain::seal::SealedToken;
use domain::token::EndReason;
use domain::{Phase, Rejection, Timestamp, Token, TokenStatus};

use crate::lines::{FollowedQueue, Known};
use crate::{App, Bulletin, Failure, Holder};

/// How old a server's knowledge of a line may be before a poll says that it is stale.
const STALE: Duration = Duration::from_secs(2);

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The token, for its holder only.
    pub token: SealedToken,
    /// What all who ask about its queue are told alike.
    pub bulletin: Arc<Bulletin>,
    /// How far it has come.
    pub phase: Phase,
    /// Its state at `server_time`.
    pub status: TokenStatus,
    /// Live waiters ahead + 1; 0 when ACTIVE; `None` when EXPIRED.
    pub position: Option<u64>,
    /// The version of the line that the position is exact at.
    pub version: u64,
    /// How long the wait will be, as far as anybody can know; `None` while paused, where nobody is admitted, and when it does not
    /// wait.
    pub estimated_wait: Option<Duration>,
    /// Between which bounds the wait will be; `None` as `estimated_wait` is.
    pub wait_range: Option<(Duration, Duration)>,
    /// When to ask again; `None` when there is nothing to wait for.
    pub poll_after: Option<Duration>,
    /// When it was admitted.
    pub activated_at: Option<Timestamp>,
    /// From when on no hold begins (R5); `None` while it waits.
    pub selection_ends_at: Option<Timestamp>,
    /// When ACTIVE is over; `None` while it waits.
    pub expires_at: Option<Timestamp>,
    /// Why it ended; `None` while it lives.
    pub end_reason: Option<EndReason>,
    /// This server's time.
    pub server_time: Timestamp,
    /// The position was true at this moment, if not later.
    pub as_of: Timestamp,
    /// Whether that is too long ago to be trusted: the position may be too high, never too low.
    pub stale: bool,
}

impl App {
    /// Tells the holder of a token, in any state, where it stands. Whoever waits is told from memory, without any access
    /// to the store, also while that is away.
    pub async fn standing(&self, holder: Holder) -> Result<Standing, Failure> {
        match self.standing_in_line(holder) {
            Ok(Some(standing)) => Ok(standing),
            Ok(None) => self.standing_passed(holder).await,
            // Another server may just have issued it.
            Err(_unknown) => self.standing_after_refresh(holder, &*self.queue(holder.ticket.queue)?).await,
        }
    }

    /// The standing of a token that is in line, or that ended there. `None` when its turn has come, `TokenUnknown` when this
    /// server knows no such number. One snapshot tells all of it. This is what a crowd asks for.
    fn standing_in_line(&self, holder: Holder) -> Result<Option<Standing>, Rejection> {
        let lines = self.lines.load();
        let queue = lines.queue(holder.ticket.queue).ok_or(Rejection::TokenUnknown)?;
        queue.ask();
        let known = queue.known();
        match known.snapshot.place(holder.ticket.number) {
            line::Place::Waiting(position) => {
                self.see(queue, holder.ticket.number);
                Ok(Some(self.waiting(holder, &known, queue, position)))
            }
            line::Place::Ended => Ok(Some(Self::over(holder, &known, self.ports.clock.now()))),
            line::Place::Passed => Ok(None),
            line::Place::Unissued => Err(Rejection::TokenUnknown),
        }
    }

    /// As [`App::standing`], by a refresh that begins now: for a number that another server may just have issued, and for a
    /// place that the store has just told of. A number that is not issued by then does not exist.
    pub(crate) async fn standing_after_refresh(
        &self,
        holder: Holder,
        queue: &FollowedQueue,
    ) -> Result<Standing, Failure> {
        self.up_to_date(queue).await?;
        match self.standing_in_line(holder)? {
            Some(standing) => Ok(standing),
            None => self.standing_passed(holder).await,
        }
    }

    /// Where a token stands whose turn has come.
    async fn standing_passed(&self, holder: Holder) -> Result<Standing, Failure> {
        let token = self.token(holder.ticket).await?;
        Ok(self.passed(holder, &self.queue(holder.ticket.queue)?.known(), &token))
    }

    /// A place in line.
    fn waiting(&self, holder: Holder, known: &Known, queue: &FollowedQueue, position: u64) -> Standing {
        let version = known.snapshot.line().version;
        self.waiting_at(holder, known, position, version, queue.as_of())
    }

    /// A place in line whose position is exact at `version`, and was so at `as_of`.
    pub(crate) fn waiting_at(
        &self,
        holder: Holder,
        known: &Known,
        position: u64,
        version: u64,
        as_of: Timestamp,
    ) -> Standing {
        let now = self.ports.clock.now();
        let (outlook, jitter) = (&known.outlook, line::jitter(holder.ticket.number, now));
        Standing {
            token: holder.token,
            bulletin: Arc::clone(&known.bulletin),
            phase: Phase::of(TokenStatus::Waiting, &outlook.policy, now),
            status: TokenStatus::Waiting,
            position: Some(position),
            version,
            estimated_wait: outlook.wait(position, now),
            wait_range: outlook.range(position, now),
            poll_after: Some(poll_after(outlook, position, jitter, self.rules.absence, now)),
            activated_at: None,
            selection_ends_at: None,
            expires_at: None,
            end_reason: None,
            server_time: now,
            as_of,
            stale: now.since(as_of) > STALE,
        }
    }

    /// A place whose turn has come, or that came to an end otherwise, as the store has it now.
    pub(crate) fn passed(&self, holder: Holder, known: &Known, token: &Token) -> Standing {
        let now = self.ports.clock.now();
        let status = token.status_at(now);
        Standing {
            status,
            phase: Phase::of(status, &known.outlook.policy, now),
            end_reason: token.end_reason_at(now),
            position: (status == TokenStatus::Active).then_some(0),
            activated_at: token.active.map(|active| active.since),
            selection_ends_at: token.active.map(|active| active.selection_ends_at),
            expires_at: token.active.map(|active| active.deadline),
            ..Self::over(holder, known, now)
        }
    }

    /// A place that ended while it was in line: its user left, as nothing else ends a place there.
    fn over(holder: Holder, known: &Known, now: Timestamp) -> Standing {
        Standing {
            token: holder.token,
            bulletin: Arc::clone(&known.bulletin),
            phase: Phase::Ended,
            status: TokenStatus::Expired,
            position: None,
            version: known.snapshot.line().version,
            estimated_wait: None,
            wait_range: None,
            poll_after: None,
            activated_at: None,
            selection_ends_at: None,
            expires_at: None,
            end_reason: Some(EndReason::Left),
            server_time: now,
            as_of: now,
            stale: false,
        }
    }
}

#[cfg(test)]
mod tests;
