//! The waiting line.

use async_trait::async_trait;
use domain::line::Standing;
use domain::ports::{Admitted, Decided, Joined, QueueEntry, QueueReport, QueueRepository, StoreError};
use domain::queue::Join;
use domain::rejection::Kind;
use domain::reservation::CancelReason;
use domain::{PolicyChange, QueueNumber, Rejection, Rules, Ticket, TicketNumber, Timestamp, TokenStatus, UserId};

use super::{Reference, Sale};

#[async_trait]
impl QueueRepository for Reference {
    async fn directory(&self) -> Result<Vec<QueueEntry>, StoreError> {
        let (state, _) = self.lock();
        let entry = |sale: &Sale| QueueEntry {
            number: sale.queue.number,
            name: sale.queue.name.clone(),
            epoch: sale.queue.epoch,
        };
        Ok(state.sales.values().map(entry).collect())
    }

    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        let (mut state, now) = self.lock();
        let rules = state.rules.clone();
        let Some(sale) = state.sales.get_mut(&queue) else {
            return Ok(Err(Rejection::NotFound(Kind::Queue)));
        };
        let latest = sale.tokens.values().rev().find(|token| token.user == *user).cloned();
        let (number, created) = match sale.queue.join(user, latest, now) {
            Ok(Join::Known(token)) => (token.ticket.number, false),
            Ok(Join::Issued { ended, token }) => {
                let number = token.ticket.number;
                sale.tokens.extend(ended.into_iter().chain([token]).map(|token| (token.ticket.number, token)));
                (number, true)
            }
            Err(rejection) => return Ok(Err(rejection)),
        };
        sale.admit(&rules, now);
        Ok(Ok(Joined { standing: sale.standing(number).unwrap(), created }))
    }

    async fn find(&self, ticket: Ticket) -> Result<Option<Standing>, StoreError> {
        let (state, _) = self.lock();
        Ok(state.sales.get(&ticket.queue).and_then(|sale| sale.standing(ticket.number)))
    }

    async fn leave(&self, ticket: Ticket) -> Decided<()> {
        let (mut state, now) = self.lock();
        let Some(sale) = state.sales.get_mut(&ticket.queue) else { return Ok(Err(Rejection::TokenUnknown)) };
        let Some(token) = sale.tokens.get_mut(&ticket.number) else { return Ok(Err(Rejection::TokenUnknown)) };
        let Some(status) = token.leave(now) else { return Ok(Ok(())) };
        let user = token.user.clone();
        if status == TokenStatus::Waiting {
            sale.queue.line.leave_waiting();
        }
        for mut reservation in sale.reservations.clone().into_values().filter(|r| r.user == user) {
            if reservation.cancel(CancelReason::Left, now) {
                sale.free(&reservation);
            }
        }
        Ok(Ok(()))
    }

    async fn admit(&self) -> Result<Vec<Admitted>, StoreError> {
        let (mut state, now) = self.lock();
        let rules = state.rules.clone();
        let ticks = state.sales.values_mut().map(|sale| sale.admit(&rules, now));
        Ok(ticks.filter(|tick| tick.admitted > 0 || tick.expired > 0).collect())
    }

    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        let (state, now) = self.lock();
        Ok(state.sales.get(&queue).map(|sale| sale.report(now)).ok_or(Rejection::NotFound(Kind::Queue)))
    }

    async fn change_policy(&self, queue: QueueNumber, change: &PolicyChange) -> Decided<QueueReport> {
        let (mut state, now) = self.lock();
        let Some(sale) = state.sales.get_mut(&queue) else {
            return Ok(Err(Rejection::NotFound(Kind::Queue)));
        };
        Ok(sale.queue.change_policy(change, now).map(|()| sale.report(now)))
    }
}

impl Sale {
    fn active(&self) -> u64 {
        let active = self.tokens.values().filter(|token| token.status() == TokenStatus::Active);
        active.count().try_into().unwrap()
    }

    fn admit(&mut self, rules: &Rules, now: Timestamp) -> Admitted {
        let expired = self.tokens.values_mut().filter_map(|token| token.expire_if_due(now).then_some(())).count();
        let waiting: Vec<TicketNumber> = self
            .tokens
            .values()
            .filter(|token| token.status() == TokenStatus::Waiting)
            .map(|token| token.ticket.number)
            .collect();
        let admitted = self.queue.admit(self.active(), &waiting, now);
        for number in waiting.iter().take(admitted) {
            self.tokens.get_mut(number).unwrap().admit(rules.active, now);
        }
        Admitted {
            queue: self.queue.number,
            admitted: admitted.try_into().unwrap(),
            expired: expired.try_into().unwrap(),
            active: self.active(),
            line: self.queue.line,
        }
    }

    fn standing(&self, number: TicketNumber) -> Option<Standing> {
        let token = self.tokens.get(&number)?.clone();
        let line = self.queue.line;
        let ahead = self.tokens.range(..number).filter(|(ahead, _)| ahead.get() > line.frontier);
        let ended = ahead.filter(|(_, token)| token.status() == TokenStatus::Expired).count();
        let position = match token.status() {
            TokenStatus::Waiting => line.position(number, ended.try_into().unwrap()),
            TokenStatus::Active | TokenStatus::Expired => 0,
        };
        Some(Standing { token, position, line, paused: self.queue.policy.paused })
    }

    fn report(&self, now: Timestamp) -> QueueReport {
        let active = self.tokens.values().filter(|token| token.status_at(now) == TokenStatus::Active);
        QueueReport {
            name: self.queue.name.clone(),
            policy: self.queue.policy,
            line: self.queue.line,
            active: active.count().try_into().unwrap(),
        }
    }
}
