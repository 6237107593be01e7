//! Numbers, times, money and words of the columns. A row that breaks the schema's promise is never "not found".

use bigdecimal::{BigDecimal, ToPrimitive};
use diesel::dsl::SqlTypeOf;
use domain::ports::StoreError;
use domain::{Money, QueueNumber, TicketNumber, Timestamp, UserId};
use time::OffsetDateTime;

/// The type that the schema gives a column.
pub(crate) type Column<C> = SqlTypeOf<C>;

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
    UserId::stored(value).ok_or_else(|| inconsistent(table, "user_id", format!("{value:?}")))
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

pub(crate) fn decimal(money: &Money) -> BigDecimal {
    money.decimal().clone()
}
