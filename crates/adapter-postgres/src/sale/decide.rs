//! One command after the other, decided by the domain on the working set.

use domain::concert::Found;
use domain::idempotency::{Recorded, is_replay};
use domain::line::Line;
use domain::payment::{self, PayFacts, Receipt};
use domain::ports::{Answer, HoldCommand, IdGenerator, Paid, PayCommand, StoreError};
use domain::queue::Join;
use domain::rejection::Missing;
use domain::reservation::{self, CancelReason, HoldFacts, PendingHold, Reservation, ReservationStatus};
use domain::seat::{Seat, SeatChoice, Taken};
use domain::wallet::Wallet;
use domain::{
    EntryId, Fingerprint, IdempotencyKey, PaymentId, PolicyChange, Rejection, ReservationId, Rules, Ticket,
    TicketNumber, TokenStatus, UserId,
};
use uuid::Uuid;

use crate::sale::command::{Command, Outcome, Verdict};
use crate::sale::known_schedules::Schedules;
use crate::sale::working_set::{KeyPlace, Operation, WorkingSet};
use crate::tables::rows::Held;

/// What a command came to, when that is all, or what is still missing for its answer.
pub(crate) enum Step {
    /// Decided.
    Done(Box<Verdict>),
    /// A place, which is told after the batch's admission; the counters right after it was issued if it is new.
    Placed(TicketNumber, Option<Line>),
    /// What the admission at the end of the batch did is told.
    Admit,
    /// A hold that was answered before.
    ReplayHold(ReservationId),
    /// A payment that was answered before.
    ReplayPay(PaymentId),
}

impl Step {
    fn done(outcome: Outcome) -> Self {
        Self::Done(Box::new(Ok(outcome)))
    }
}

impl From<Rejection> for Step {
    fn from(rejection: Rejection) -> Self {
        Self::Done(Box::new(Err(rejection)))
    }
}

/// What every decision needs besides the working set.
pub(crate) struct Context<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) ids: &'a dyn IdGenerator,
    pub(crate) schedules: &'a Schedules,
}

impl WorkingSet {
    /// Decides one command and notes what it changes.
    pub(crate) fn decide(&mut self, command: &Command, context: &Context<'_>) -> Result<Step, StoreError> {
        match command {
            Command::Join(user) => Ok(self.join(user)),
            Command::Admit => {
                self.admits = true;
                Ok(if self.queue.is_some() { Step::Admit } else { Rejection::NotFound(Missing::Queue).into() })
            }
            Command::ChangePolicy(change) => Ok(self.change_policy(change)),
            Command::Leave(ticket) => self.leave(*ticket, context),
            Command::Hold(command) => self.hold(command, context),
            Command::Cancel(ticket, reservation) => self.cancel(*ticket, *reservation, context),
            Command::Pay(command) => self.pay(command, context),
            Command::Release(reservation) => self.release(*reservation, context),
        }
    }

    fn join(&mut self, user: &UserId) -> Step {
        let Some(queue) = &mut self.queue else { return Rejection::NotFound(Missing::Queue).into() };
        let latest = self.newest.get(user).and_then(|number| self.tokens.get(number)).cloned();
        self.admits |= queue.admits_at_join();
        match queue.join(user, latest, self.now) {
            Ok(Join::Known(token)) => Step::Placed(token.ticket.number, None),
            Ok(Join::Issued { ended, token }) => {
                let line = queue.line;
                if let Some(ended) = ended {
                    self.put_token(ended);
                }
                let number = token.ticket.number;
                self.newest.insert(user.clone(), number);
                self.tokens.insert(number, token);
                self.changed.new_tokens.insert(number);
                self.changed.queue = true;
                Step::Placed(number, Some(line))
            }
            Err(rejection) => rejection.into(),
        }
    }

    fn change_policy(&mut self, change: &PolicyChange) -> Step {
        let Some(queue) = &mut self.queue else { return Rejection::NotFound(Missing::Queue).into() };
        match queue.change_policy(change, self.now) {
            Ok(()) => {
                self.changed.queue = true;
                self.changed.policies.push(queue.policy);
                self.policy_seq += 1;
                Step::done(Outcome::Done)
            }
            Err(rejection) => rejection.into(),
        }
    }

    fn leave(&mut self, ticket: Ticket, context: &Context<'_>) -> Result<Step, StoreError> {
        let token = self.tokens.get(&ticket.number).cloned();
        let (Some(queue), Some(mut token)) = (&mut self.queue, token) else {
            return Ok(Rejection::TokenUnknown.into());
        };
        let left = queue.leave(&mut token, self.now);
        self.changed.queue |= left == Some(TokenStatus::Waiting);
        if left.is_some() {
            let own: Vec<_> = self
                .reservations
                .iter()
                .filter(|(_, held)| held.user == token.user && held.status == ReservationStatus::Pending)
                .map(|(id, _)| *id)
                .collect();
            for id in own {
                if let Some(mut reservation) = self.reservation(id, context.schedules)?
                    && reservation.cancel(CancelReason::Left, self.now)
                {
                    self.settle(&reservation);
                }
            }
        }
        self.put_token(token);
        Ok(Step::done(Outcome::Done))
    }

    /// R15: what a key recorded; the place to record it in when it is new.
    fn replayed(
        &self,
        user: &UserId,
        operation: Operation,
        key: Option<&IdempotencyKey>,
        request: &Fingerprint,
    ) -> Result<Result<Option<KeyPlace>, Uuid>, Rejection> {
        let Some(key) = key else { return Ok(Ok(None)) };
        let place = (user.clone(), operation, key.as_str().to_owned());
        let found = self.keys.get(&place);
        if is_replay(found.map(|(recorded, _)| recorded), request, self.now)?
            && let Some((_, result)) = found
        {
            return Ok(Err(*result));
        }
        Ok(Ok(Some(place)))
    }

    fn record(&mut self, place: Option<KeyPlace>, fingerprint: Fingerprint, result: Uuid) {
        if let Some(place) = place {
            let operation = place.1;
            self.changed.keys.insert(result, (place.2.clone(), fingerprint));
            let recorded = Recorded { fingerprint, at: self.now };
            if let Some((_, forgotten)) = self.keys.insert(place, (recorded, result)) {
                self.changed.forgotten.push((operation, forgotten));
            }
        }
    }

    fn hold(&mut self, command: &HoldCommand, context: &Context<'_>) -> Result<Step, StoreError> {
        let Some(token) = self.tokens.get(&command.ticket.number).cloned() else {
            return Ok(Rejection::TokenUnknown.into());
        };
        let request = command.choice.fingerprint();
        let place = match self.replayed(&token.user, Operation::Hold, command.key.as_ref(), &request) {
            Ok(Ok(place)) => place,
            Ok(Err(result)) => return Ok(Step::ReplayHold(ReservationId::new(result))),
            Err(rejection) => return Ok(rejection.into()),
        };
        let seats = self.chosen(&command.choice);
        let schedule = match (&command.choice, seats.first()) {
            (SeatChoice::Numbers(schedule, _), _) => Some(*schedule),
            (SeatChoice::Ids(_), first) => first.map(|seat| seat.schedule),
        };
        let schedule = schedule.and_then(|id| context.schedules.get(&id)).map_or(Found::Nowhere, |found| match found {
            Found::Here(schedule) => Found::Here(&**schedule),
            Found::Elsewhere => Found::Elsewhere,
            Found::Nowhere => Found::Nowhere,
        });
        let pending: Vec<_> = self.pending.get(&token.user).into_iter().flat_map(|own| own.values().copied()).collect();
        let facts = HoldFacts { token: &token, choice: &command.choice, schedule, seats: &seats, pending: &pending };
        let hold = match reservation::hold(&facts, context.rules, ReservationId::new(context.ids.next_id()), self.now) {
            Ok(hold) => hold,
            Err(rejection) => return Ok(rejection.into()),
        };
        for old in &hold.taken_over {
            if let Some(mut old) = self.reservation(*old, context.schedules)?
                && old.expire_if_due(self.now)
            {
                // Its other seats stay as they are: the same clock has freed them.
                self.settle_status(&old);
            }
        }
        self.put_token(hold.token);
        self.record(place, request, hold.reservation.id.uuid());
        self.hold_seats(&hold.reservation);
        Ok(Step::done(Outcome::Held(Answer { value: hold.reservation, replayed: false })))
    }

    fn hold_seats(&mut self, reservation: &Reservation) {
        let mark = Taken { by: reservation.id, until: Some(reservation.expires_at) };
        self.mark(reservation, mark);
        let seats = u32::try_from(reservation.seats.len()).unwrap_or(u32::MAX);
        let hold = PendingHold { expires_at: reservation.expires_at, seats };
        self.pending.entry(reservation.user.clone()).or_default().insert(reservation.id, hold);
        self.reserved_seats.insert(reservation.id, reservation.seats.clone());
        self.reservations.insert(reservation.id, Held::of(reservation));
        self.changed.new_reservations.push(reservation.clone());
    }

    fn mark(&mut self, reservation: &Reservation, mark: Taken) {
        for reserved in &reservation.seats {
            if let Some(seat) = self.seats.get_mut(&reserved.id) {
                seat.taken = Some(mark);
                self.changed.seats.insert(reserved.id);
            }
        }
    }

    fn chosen(&self, choice: &SeatChoice) -> Vec<Seat> {
        match choice {
            SeatChoice::Ids(ids) => ids.iter().filter_map(|id| self.seats.get(id).cloned()).collect(),
            SeatChoice::Numbers(schedule, numbers) => numbers
                .iter()
                .filter_map(|number| self.seat_of.get(&(*schedule, *number)))
                .filter_map(|id| self.seats.get(id).cloned())
                .collect(),
        }
    }

    fn cancel(&mut self, ticket: Ticket, id: ReservationId, context: &Context<'_>) -> Result<Step, StoreError> {
        let Some(token) = self.tokens.get(&ticket.number).cloned() else { return Ok(Rejection::TokenUnknown.into()) };
        let mut found = self.reservation(id, context.schedules)?;
        match (reservation::cancel(found.as_mut(), &token.user, self.now), found) {
            (Ok(write), Some(reservation)) => {
                if write {
                    self.settle(&reservation);
                }
                Ok(Step::done(Outcome::Cancelled(reservation)))
            }
            (Err(rejection), _) => Ok(rejection.into()),
            (Ok(_), None) => Ok(Rejection::NotFound(Missing::Reservation).into()),
        }
    }

    fn pay(&mut self, command: &PayCommand, context: &Context<'_>) -> Result<Step, StoreError> {
        let Some(token) = self.tokens.get(&command.ticket.number).cloned() else {
            return Ok(Rejection::TokenUnknown.into());
        };
        let request = payment::fingerprint(command.reservation, command.amount.as_ref());
        let place = match self.replayed(&token.user, Operation::Pay, command.key.as_ref(), &request) {
            Ok(Ok(place)) => place,
            Ok(Err(result)) => return Ok(Step::ReplayPay(PaymentId::new(result))),
            Err(rejection) => return Ok(rejection.into()),
        };
        let reservation = self.reservation(command.reservation, context.schedules)?;
        let wallet = self.wallets.get(&token.user).cloned().unwrap_or_else(|| Wallet::empty(token.user.clone()));
        let facts = PayFacts {
            token: &token,
            asked: command.reservation,
            reservation: reservation.as_ref(),
            wallet: &wallet,
            amount: command.amount.as_ref(),
        };
        let (id, entry_id) = (PaymentId::new(context.ids.next_id()), EntryId::new(context.ids.next_id()));
        let paid = match payment::pay(&facts, id, entry_id, self.now) {
            Ok(paid) => paid,
            Err(rejection) => return Ok(rejection.into()),
        };
        self.mark(&paid.reservation, Taken { by: paid.reservation.id, until: None });
        self.settle(&paid.reservation);
        self.put_token(paid.token);
        self.record(place, request, paid.payment.id.uuid());
        self.changed.payments.push((paid.payment.clone(), paid.entry.seq));
        self.changed.entries.push(paid.entry);
        let changed = if self.wallets.contains_key(&token.user) {
            &mut self.changed.wallets
        } else {
            &mut self.changed.new_wallets
        };
        changed.insert(token.user.clone());
        let balance = paid.wallet.balance.clone();
        self.wallets.insert(paid.wallet.user.clone(), paid.wallet);
        let receipt = Receipt { payment: paid.payment, reservation: paid.reservation };
        Ok(Step::done(Outcome::Paid(Answer { value: Paid { receipt, balance }, replayed: false })))
    }

    fn release(&mut self, id: ReservationId, context: &Context<'_>) -> Result<Step, StoreError> {
        let mut released = false;
        if let Some(mut reservation) = self.reservation(id, context.schedules)?
            && reservation.expire_if_due(self.now)
        {
            self.settle(&reservation);
            released = true;
        }
        Ok(Step::done(Outcome::Released(released)))
    }
}
