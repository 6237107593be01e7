//! A reservation, as holders and payers are shown it.

use domain::Timestamp;
use domain::concert::NumberedSeat;
use domain::reservation::{CancelReason, Reservation, ReservationStatus};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::dates;
use crate::answer::points::Points;

/// Seats of one schedule, held or bought.
#[derive(Serialize, ToSchema)]
#[schema(as = Reservation)]
pub(crate) struct ReservationView {
    id: Uuid,
    user_id: String,
    schedule_id: Uuid,
    concert_id: Uuid,
    title: String,
    #[schema(schema_with = dates::date_time)]
    starts_at: String,
    /// By number, at the prices of the moment they were held.
    seats: Vec<ReservedSeat>,
    /// The sum of those prices.
    amount: Points,
    status: ReservationState,
    /// Why it is CANCELLED; null otherwise.
    #[schema(required)]
    cancel_reason: Option<CancelledBy>,
    #[schema(schema_with = dates::date_time)]
    reserved_at: String,
    /// When the hold ends.
    #[schema(schema_with = dates::date_time)]
    expires_at: String,
    /// This server's time, to count down from: the caller's clock may be wrong.
    #[schema(schema_with = dates::date_time)]
    server_time: String,
}

/// A seat of a reservation.
#[derive(Serialize, ToSchema)]
struct ReservedSeat {
    id: Uuid,
    number: u32,
    price: Points,
}

/// The state of a reservation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ReservationState {
    /// Held and not yet paid (대기).
    Pending,
    /// Paid (완료).
    Confirmed,
    /// Given up or run out (취소).
    Cancelled,
}

/// Why a reservation was cancelled.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum CancelledBy {
    /// The hold ran out.
    Expired,
    /// Its user gave it up.
    User,
    /// Its user left the queue.
    Left,
}

impl ReservationView {
    /// A reservation as it is shown at `now`.
    pub(crate) fn of(reservation: &Reservation, now: Timestamp) -> Self {
        let (status, cancel_reason) = match reservation.status {
            ReservationStatus::Pending => (ReservationState::Pending, None),
            ReservationStatus::Confirmed => (ReservationState::Confirmed, None),
            ReservationStatus::Cancelled(reason) => (
                ReservationState::Cancelled,
                Some(match reason {
                    CancelReason::Expired => CancelledBy::Expired,
                    CancelReason::User => CancelledBy::User,
                    CancelReason::Left => CancelledBy::Left,
                }),
            ),
        };
        let seat = |seat: &NumberedSeat| ReservedSeat {
            id: seat.id.uuid(),
            number: seat.number,
            price: Points::from(&seat.price),
        };
        Self {
            id: reservation.id.uuid(),
            user_id: reservation.user.to_string(),
            schedule_id: reservation.schedule.uuid(),
            concert_id: reservation.concert.uuid(),
            title: reservation.title.to_string(),
            starts_at: reservation.starts_at.to_string(),
            seats: reservation.seats.iter().map(seat).collect(),
            amount: Points::from(&reservation.amount),
            status,
            cancel_reason,
            reserved_at: reservation.reserved_at.to_string(),
            expires_at: reservation.expires_at.to_string(),
            server_time: now.to_string(),
        }
    }
}

/// A reservation, as examples show it.
pub(crate) fn example() -> Value {
    json!({
        "id": "0193a5b2-7c00-7000-8000-000000000010", "user_id": "alice",
        "schedule_id": "0193a5b2-7c00-7000-8000-000000000002", "concert_id": "0193a5b2-7c00-7000-8000-000000000001",
        "title": "Winter Gala", "starts_at": "2026-12-24T19:30:00+09:00",
        "seats": [{"id": "0193a5b2-7c00-7000-8000-000000000003", "number": 7, "price": 12000}], "amount": 12000,
        "status": "PENDING", "cancel_reason": null, "reserved_at": "2026-12-01T10:01:00Z",
        "expires_at": "2026-12-01T10:06:00Z", "server_time": "2026-12-01T10:01:00Z"
    })
}
