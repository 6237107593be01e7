//! A schedule, as holders of ACTIVE tokens are shown it.

use domain::concert::Schedule;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::dates;

/// One dated performance of a concert.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleView {
    id: Uuid,
    concert_id: Uuid,
    title: String,
    /// The calendar date in the offset of `starts_at`.
    #[schema(schema_with = dates::date)]
    date: String,
    /// With the offset that it was created with.
    #[schema(schema_with = dates::date_time)]
    starts_at: String,
    seats_total: u32,
    /// How many seats may be held, at most a second ago.
    seats_available: u32,
    /// How many of its seats one user may have, held and bought; null for as many as they like.
    #[schema(required)]
    max_per_user: Option<u32>,
    /// The same for the seats of all performances of the concert together.
    #[schema(required)]
    concert_max_per_user: Option<u32>,
}

impl ScheduleView {
    /// A schedule with the count of its free seats.
    pub(crate) fn of(schedule: &Schedule, seats_available: u32) -> Self {
        Self {
            id: schedule.id.uuid(),
            concert_id: schedule.concert.uuid(),
            title: schedule.title.to_string(),
            date: schedule.starts_at.date().to_string(),
            starts_at: schedule.starts_at.to_string(),
            seats_total: schedule.seats_total,
            seats_available,
            max_per_user: schedule.max_per_user,
            concert_max_per_user: schedule.concert_max_per_user,
        }
    }
}
