//! The waiting line.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::ports::{
    Admissions, Admitted, Decided, Endings, IdGenerator, Joined, Left, MOST_TURNS, QueueChange, QueueReport,
    QueueRepository, StoreError,
};
use domain::presence::Roll;
use domain::queue::Join;
use domain::rejection::Missing;
use domain::reservation::CancelReason;
use domain::token::EndReason;
use domain::{
    NewQueue, QueueEdit, QueueEpoch, QueueNumber, Rejection, Rules, Ticket, TicketNumber, Timestamp, Token,
    TokenStatus, UserId,
};

use super::{Reference, Sale, State};

#[async_trait]
impl QueueRepository for Reference {
    async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError> {
        let (state, _) = self.lock();
        let changed = state.sales.values().filter_map(|sale| {
            let known = known.iter().find(|(number, _)| *number == sale.queue.number).map(|(_, version)| *version);
            known.is_none_or(|known| sale.queue.line.version > known).then(|| sale.change(known.unwrap_or(0)))
        });
        Ok(changed.collect())
    }

    async fn make(&self, queue: &NewQueue) -> Decided<QueueReport> {
        let (mut state, now) = self.lock();
        if state.find_queue(&queue.name).is_some() {
            return Ok(Err(Rejection::QueueExists));
        }
        let number = state.make_queue(queue, now);
        Ok(Ok(state.sales[&number].report(now)))
    }

    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        let (mut state, now) = self.lock();
        let State { sales, presence, rules, .. } = &mut *state;
        let Some(sale) = sales.get_mut(&queue) else {
            return Ok(Err(Rejection::NotFound(Missing::Queue)));
        };
        let latest = sale.tokens.values().rev().find(|token| token.user == *user).cloned();
        let alone = sale.queue.admits_at_join();
        let (number, created) = match sale.queue.join(user, latest, now) {
            Ok(Join::Known(token)) => (token.ticket.number, false),
            Ok(Join::Issued { ended, token }) => {
                let number = token.ticket.number;
                sale.tokens.extend(ended.into_iter().chain([token]).map(|token| (token.ticket.number, token)));
                (number, true)
            }
            Err(rejection) => return Ok(Err(rejection)),
        };
        if alone {
            sale.admit(&presence.roll(queue, rules, now), rules, now);
        }
        let token = sale.tokens[&number].clone();
        Ok(Ok(Joined { token, created, line: sale.queue.line }))
    }

    async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError> {
        let (state, _) = self.lock();
        let Some(sale) = state.sales.get(&queue) else { return Ok(Vec::new()) };
        Ok(numbers.iter().filter_map(|number| sale.tokens.get(number)).cloned().collect())
    }

    async fn leave(&self, ticket: Ticket) -> Decided<Left> {
        let (mut state, now) = self.lock();
        let Some(sale) = state.sales.get_mut(&ticket.queue) else { return Ok(Err(Rejection::TokenUnknown)) };
        let Some(token) = sale.tokens.get_mut(&ticket.number) else { return Ok(Err(Rejection::TokenUnknown)) };
        let mut left = Left { lived: sale.queue.leave(token, now).is_some(), freed: BTreeSet::new() };
        if left.lived {
            let user = token.user.clone();
            for mut reservation in sale.reservations.clone().into_values().filter(|r| r.user == user) {
                if reservation.cancel(CancelReason::Left, now) && sale.free(&reservation) {
                    left.freed.insert(reservation.schedule);
                }
            }
        }
        Ok(Ok(left))
    }

    async fn admit(&self) -> Result<Admissions, StoreError> {
        let (mut state, now) = self.lock();
        let State { sales, presence, rules, .. } = &mut *state;
        let ticks =
            sales.values_mut().map(|sale| sale.admit(&presence.roll(sale.queue.number, rules, now), rules, now));
        let done = ticks.filter(|tick| tick.admitted > 0 || tick.absent > 0 || tick.expired > 0).collect();
        Ok(Admissions { done, failed: Vec::new() })
    }

    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        let (state, now) = self.lock();
        Ok(state.sales.get(&queue).map(|sale| sale.report(now)).ok_or(Rejection::NotFound(Missing::Queue)))
    }

    async fn edit(&self, queue: QueueNumber, edit: &QueueEdit) -> Decided<QueueReport> {
        let (mut state, now) = self.lock();
        let Some(sale) = state.sales.get_mut(&queue) else {
            return Ok(Err(Rejection::NotFound(Missing::Queue)));
        };
        if let Some(change) = &edit.policy
            && let Err(rejection) = sale.queue.change_policy(change, now)
        {
            return Ok(Err(rejection));
        }
        if !edit.message.keeps() {
            sale.queue.announce();
            sale.message = edit.message.clone().apply(sale.message.take());
        }
        Ok(Ok(sale.report(now)))
    }

    async fn active(&self) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
        let (state, now) = self.lock();
        let active = state.sales.values().map(|sale| (sale.queue.number, sale.active_at(now)));
        Ok(active.filter(|(_, active)| *active > 0).collect())
    }

    async fn renew_epochs(&self) -> Result<Option<u64>, StoreError> {
        let (mut state, now) = self.lock();
        let State { sales, presence, ids, .. } = &mut *state;
        if presence.is_watched(now) {
            return Ok(None);
        }
        let mut ended = 0;
        for Sale { queue, tokens, .. } in sales.values_mut() {
            queue.renew(QueueEpoch(ids.random()));
            ended += tokens.values_mut().map(|token| u64::from(queue.expel(token, now))).sum::<u64>();
        }
        Ok(Some(ended))
    }
}

impl Sale {
    fn count(&self, has: impl Fn(&Token) -> bool) -> u64 {
        self.tokens.values().filter(|token| has(token)).count().try_into().unwrap()
    }

    /// Those ACTIVE by stored status.
    fn active(&self) -> u64 {
        self.count(|token| token.status() == TokenStatus::Active)
    }

    /// Those ACTIVE and not past their deadline.
    fn active_at(&self, now: Timestamp) -> u64 {
        self.count(|token| token.status_at(now) == TokenStatus::Active)
    }

    /// What a server has not seen that knows this version.
    fn change(&self, known: u64) -> QueueChange {
        let line = self.queue.line;
        let left = self.tokens.values().filter(|token| {
            let waited = token.end.is_some_and(|end| end.reason == EndReason::Left) && token.active.is_none();
            waited && token.ticket.number.get() > line.frontier && token.out_version.is_some_and(|out| out > known)
        });
        QueueChange {
            number: self.queue.number,
            name: self.queue.name.clone(),
            epoch: self.queue.epoch,
            policy: self.queue.policy,
            policy_since: self.queue.policy_since,
            message: self.message.clone(),
            line,
            left: left.map(|token| token.ticket.number).collect(),
        }
    }

    fn admit(&mut self, roll: &Roll, rules: &Rules, now: Timestamp) -> Admitted {
        let most = usize::try_from(MOST_TURNS).unwrap();
        self.queue.follow_clock_back(now);
        let due = self.tokens.values_mut().filter(|token| token.status_at(now) != token.status());
        let expired = due.take(most).filter_map(|token| token.expire_if_due(now).then_some(())).count();
        let waiting = self.tokens.values().filter(|token| token.status() == TokenStatus::Waiting);
        let mut waiting: Vec<Token> = waiting.take(most).cloned().collect();
        let turns = self.queue.admit(self.active(), &mut waiting, roll, rules.active, now);
        self.tokens.extend(waiting.into_iter().map(|token| (token.ticket.number, token)));
        Admitted {
            queue: self.queue.number,
            admitted: turns.admitted.into(),
            absent: turns.absent.into(),
            expired: expired.try_into().unwrap(),
            active: self.active(),
            line: self.queue.line,
            more: turns.admitted + turns.absent == MOST_TURNS || expired == most,
        }
    }

    fn report(&self, now: Timestamp) -> QueueReport {
        let ended = |reason: fn(EndReason) -> bool| self.count(|token| token.end.is_some_and(|end| reason(end.reason)));
        // Over by time, and not written so yet.
        let over = |paid: bool| {
            let has_paid = |token: &Token| token.active.is_some_and(|turn| turn.last_paid.is_some());
            self.count(|token| token.status_at(now) != token.status() && has_paid(token) == paid)
        };
        let first = self.tokens.values().find(|token| token.status() == TokenStatus::Waiting);
        let line = self.queue.line;
        let newest = self.tokens.values().rev().skip_while(|token| token.ticket.number.get() > line.frontier);
        let newest = newest.take(usize::try_from(QueueReport::MOST_WAITS).unwrap());
        let recent = newest.filter_map(|token| {
            let since = token.active.map(|active| active.since)?;
            (since >= now.minus(QueueReport::RECENT)).then(|| since.since(token.issued_at))
        });
        QueueReport {
            name: self.queue.name.clone(),
            policy: self.queue.policy,
            message: self.message.clone(),
            line,
            active: self.active_at(now),
            ended: Endings {
                paid: ended(|reason| matches!(reason, EndReason::Paid(_))) + over(true),
                left: ended(|reason| reason == EndReason::Left),
                deadline: ended(|reason| reason == EndReason::Deadline) + over(false),
                absent: ended(|reason| reason == EndReason::Absent),
                new_epoch: ended(|reason| reason == EndReason::NewEpoch),
            },
            oldest_wait: first.map(|token| now.since(token.issued_at)),
            waits: recent.collect(),
        }
    }
}
