//! Rows and domain values: what the columns mean. A row that breaks the schema's promise is never "not found".

use bigdecimal::{BigDecimal, ToPrimitive};
use diesel::pg::Pg;
use diesel::{Queryable, Selectable};
use domain::concert::NumberedSeat;
use domain::line::Line;
use domain::policy::Window;
use domain::ports::StoreError;
use domain::reservation::ReservationStatus;
use domain::sale::{BareReservation, Key};
use domain::seat::{Seat, Taken};
use domain::token::{Active, EndReason, TokenEnd};
use domain::{
    Money, Policy, Queue, QueueEpoch, QueueName, QueueNumber, ReservationId, ScheduleId, SeatId, Ticket, TicketNumber,
    Timestamp, Token, UserId,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::schema::seats;

#[expect(clippy::needless_pass_by_value, reason = "callers hand over what they have just made")]
pub(crate) fn inconsistent(table: &'static str, column: &'static str, detail: impl ToString) -> StoreError {
    StoreError::Inconsistent { table, column, detail: detail.to_string() }
}

pub(crate) fn money(table: &'static str, column: &'static str, value: &BigDecimal) -> Result<Money, StoreError> {
    let minor = value * BigDecimal::from(100);
    let whole = minor.is_integer().then(|| minor.to_i64()).flatten();
    whole.and_then(Money::from_minor).ok_or_else(|| inconsistent(table, column, value))
}

pub(crate) fn user(table: &'static str, value: &str) -> Result<UserId, StoreError> {
    UserId::parse(value).ok_or_else(|| inconsistent(table, "user_id", format!("{value:?}")))
}

pub(crate) fn queue_number(table: &'static str, value: i32) -> Result<QueueNumber, StoreError> {
    u16::try_from(value).map(QueueNumber).map_err(|_range| inconsistent(table, "queue", value))
}

pub(crate) fn ticket_number(value: i64) -> Result<TicketNumber, StoreError> {
    u64::try_from(value).ok().and_then(TicketNumber::new).ok_or_else(|| inconsistent("tokens", "number", value))
}

/// A count or sequence number, never negative.
pub(crate) fn count(table: &'static str, column: &'static str, value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_negative| inconsistent(table, column, value))
}

/// A small count, never negative.
pub(crate) fn small(table: &'static str, column: &'static str, value: i32) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_negative| inconsistent(table, column, value))
}

pub(crate) fn big(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn int(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

pub(crate) fn queue(number: QueueNumber) -> i32 {
    i32::from(number.0)
}

pub(crate) fn instant(at: OffsetDateTime) -> Timestamp {
    Timestamp::from_offset(at)
}

/// A row of `tokens`.
#[derive(Queryable)]
pub(crate) struct TokenRow {
    pub(crate) number: i64,
    pub(crate) user_id: String,
    status: String,
    issued_at: OffsetDateTime,
    activated_at: Option<OffsetDateTime>,
    deadline: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    end_reason: Option<String>,
    paid_reservation: Option<Uuid>,
    out_version: Option<i64>,
}

impl TokenRow {
    pub(crate) fn token(&self, queue: QueueNumber) -> Result<Token, StoreError> {
        let number = ticket_number(self.number)?;
        let bad = |column| inconsistent("tokens", column, format!("{} of queue {}", number.get(), queue.0));
        let active = match (self.activated_at, self.deadline) {
            (Some(since), Some(deadline)) => Some(Active { since: instant(since), deadline: instant(deadline) }),
            (None, None) => None,
            _ => return Err(bad("deadline")),
        };
        let end = match (self.ended_at, self.end_reason.as_deref(), self.paid_reservation) {
            (None, None, None) => None,
            (Some(at), Some(reason), paid) => {
                let reason = EndReason::of_words(reason, paid.map(ReservationId::new));
                let reason = reason.ok_or_else(|| bad("end_reason"))?;
                Some(TokenEnd { at: instant(at), reason })
            }
            _ => return Err(bad("ended_at")),
        };
        let token = Token {
            ticket: Ticket { queue, number },
            user: user("tokens", &self.user_id)?,
            issued_at: instant(self.issued_at),
            active,
            end,
            out_version: self.out_version.map(|version| count("tokens", "out_version", version)).transpose()?,
        };
        if token.status().word() == self.status { Ok(token) } else { Err(bad("status")) }
    }
}

/// A row of `seats`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = seats, check_for_backend(Pg))]
pub(crate) struct SeatRow {
    pub(crate) id: Uuid,
    pub(crate) schedule_id: Uuid,
    pub(crate) number: i32,
    price: BigDecimal,
    reservation_id: Option<Uuid>,
    held_until: Option<OffsetDateTime>,
}

impl SeatRow {
    pub(crate) fn seat(&self) -> Result<Seat, StoreError> {
        let taken = match (self.reservation_id, self.held_until) {
            (Some(by), until) => Some(Taken { by: ReservationId::new(by), until: until.map(instant) }),
            (None, None) => None,
            (None, Some(_)) => return Err(inconsistent("seats", "held_until", self.id)),
        };
        Ok(Seat {
            id: SeatId::new(self.id),
            schedule: ScheduleId::new(self.schedule_id),
            number: small("seats", "number", self.number)?,
            price: money("seats", "price", &self.price)?,
            taken,
        })
    }
}

pub(crate) type QueueRow =
    (String, Vec<u8>, i64, i64, i64, i64, i64, i32, i64, i32, OffsetDateTime, i32, i32, i32, bool);
/// A user and what they asked for: a reservation or a payment.
pub(crate) type Made = (String, Uuid);
/// The key that it was asked for with, what was asked, and when.
pub(crate) type Keyed = (Option<String>, Option<Vec<u8>>, OffsetDateTime);
pub(crate) type HoldRow = (Made, (bool, OffsetDateTime, i64), Keyed);
pub(crate) type ReservationRow =
    (Uuid, String, Uuid, bigdecimal::BigDecimal, String, Option<String>, OffsetDateTime, OffsetDateTime);
pub(crate) type ReservedSeatRow = (Uuid, Uuid, i32, bigdecimal::BigDecimal);

/// A row of `queues` with its name and the policy in force.
pub(crate) fn queue_row(number: QueueNumber, row: QueueRow) -> Result<Queue, StoreError> {
    let (
        name,
        epoch,
        version,
        issued,
        admitted,
        frontier,
        ended_beyond,
        _,
        index,
        granted,
        since,
        active,
        batch,
        interval,
        paused,
    ) = row;
    let counter = |column, value| count("queues", column, value);
    let setting = |column, value| small("policies", column, value);
    Ok(Queue {
        number,
        epoch: epoch_of(epoch)?,
        line: Line {
            issued: counter("issued", issued)?,
            admitted: counter("admitted", admitted)?,
            frontier: counter("frontier", frontier)?,
            ended_beyond: counter("ended_beyond", ended_beyond)?,
            version: counter("version", version)?,
        },
        policy: Policy {
            max_active: setting("max_active", active)?,
            batch: setting("batch", batch)?,
            interval_seconds: setting("interval_seconds", interval)?,
            paused,
        },
        policy_since: instant(since),
        window: Window { index: counter("window_index", index)?, granted: small("queues", "window_granted", granted)? },
        name: QueueName::parse(&name).ok_or_else(|| inconsistent("queue_registry", "name", name))?,
    })
}

pub(crate) fn epoch_of(bytes: Vec<u8>) -> Result<QueueEpoch, StoreError> {
    bytes
        .try_into()
        .map(QueueEpoch)
        .map_err(|bytes: Vec<u8>| inconsistent("queues", "epoch", format!("{} bytes", bytes.len())))
}

/// A row of `reservations`.
pub(crate) fn bare_reservation(row: &ReservationRow) -> Result<BareReservation, StoreError> {
    let (id, user_id, schedule, amount, status, reason, reserved_at, expires_at) = row;
    Ok(BareReservation {
        user: user("reservations", user_id)?,
        schedule: ScheduleId::new(*schedule),
        amount: money("reservations", "amount", amount)?,
        status: ReservationStatus::of_words(status, reason.as_deref())
            .ok_or_else(|| inconsistent("reservations", "status", id))?,
        reserved_at: instant(*reserved_at),
        expires_at: instant(*expires_at),
    })
}

/// A row of `reservation_seats`, but for whose it is.
pub(crate) fn reserved_seat(id: Uuid, number: i32, price: &BigDecimal) -> Result<NumberedSeat, StoreError> {
    Ok(NumberedSeat {
        id: SeatId::new(id),
        number: small("reservation_seats", "number", number)?,
        price: money("reservation_seats", "price", price)?,
    })
}

pub(crate) fn decimal(money: &Money) -> BigDecimal {
    money.decimal().clone()
}

/// The key that something was asked for with.
pub(crate) fn key_text(key: Option<&Key>) -> Option<String> {
    key.map(|(key, _)| key.as_str().to_owned())
}

/// What was asked with that key.
pub(crate) fn fingerprint(key: Option<&Key>) -> Option<Vec<u8>> {
    key.map(|(_, fingerprint)| fingerprint.0.to_vec())
}
