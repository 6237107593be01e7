//! Rows of `schedules`, each with its concert's title.

use std::sync::Arc;

use diesel::dsl::{AsSelect, IntoBoxed, auto_type, now};
use diesel::pg::Pg;
use diesel::sql_types::{self, Record, Timestamptz};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, JoinOnDsl, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use domain::concert::{Schedule, ScheduleFilter};
use domain::ports::StoreError;
use domain::{ConcertId, LocalTime, QueueNumber, ScheduleId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::schema::{concerts, schedules};
use crate::tables::columns::{self, inconsistent, small};

#[derive(Queryable, Selectable)]
#[diesel(table_name = schedules, check_for_backend(Pg))]
pub(crate) struct ScheduleRow {
    id: Uuid,
    concert_id: Uuid,
    starts_at: OffsetDateTime,
    offset_minutes: i32,
    seats_total: i32,
    max_per_user: Option<i32>,
    #[diesel(select_expression = concerts::title)]
    title: String,
    #[diesel(select_expression = concerts::max_per_user)]
    concert_max_per_user: Option<i32>,
}

impl ScheduleRow {
    /// The schedule, which is of this queue.
    pub(crate) fn schedule(self, queue: QueueNumber) -> Result<Arc<Schedule>, StoreError> {
        let limit = |table, max: Option<i32>| max.map(|max| small(table, "max_per_user", max)).transpose();
        Ok(Arc::new(Schedule {
            id: ScheduleId::new(self.id),
            queue,
            concert: ConcertId::new(self.concert_id),
            title: self.title.into(),
            starts_at: start(self.starts_at, self.offset_minutes)?,
            seats_total: small("schedules", "seats_total", self.seats_total)?,
            max_per_user: limit("schedules", self.max_per_user)?,
            concert_max_per_user: limit("concerts", self.concert_max_per_user)?,
        }))
    }
}

/// The schedules of a queue.
#[auto_type]
fn schedules_of(queue: i32) -> _ {
    let row: AsSelect<ScheduleRow, Pg> = ScheduleRow::as_select();
    schedules::table
        .inner_join(concerts::table.on(concerts::queue.eq(queue).and(concerts::id.eq(schedules::concert_id))))
        .filter(schedules::queue.eq(queue))
        .select(row)
}

/// Reads schedules of a queue.
#[auto_type(no_type_alias)]
pub(crate) fn find_schedules(queue: i32, ids: Vec<Uuid>) -> _ {
    let sold: schedules_of = schedules_of(queue);
    sold.filter(schedules::id.eq_any(ids))
}

/// Reads which of these are schedules of any queue.
#[auto_type(no_type_alias)]
pub(crate) fn find_anywhere(ids: Vec<Uuid>) -> _ {
    schedules::table.filter(schedules::id.eq_any(ids)).select(schedules::id).distinct()
}

/// Reads a page of a queue's schedules by start, then id: those that have not started, that the filter lets through and that
/// come after `after`. `fixed_now` is what a test's clock shows.
pub(crate) fn list_schedules(
    queue: i32,
    filter: &ScheduleFilter,
    after: Option<(OffsetDateTime, Uuid)>,
    fixed_now: Option<OffsetDateTime>,
    limit: i64,
) -> IntoBoxed<'static, schedules_of, Pg> {
    let mut list = schedules_of(queue).into_boxed().order((schedules::starts_at, schedules::id)).limit(limit);
    list = match fixed_now {
        Some(at) => list.filter(schedules::starts_at.gt(at)),
        None => list.filter(schedules::starts_at.gt(now.into_sql::<Timestamptz>())),
    };
    if let Some(concert) = filter.concert {
        list = list.filter(schedules::concert_id.eq(concert.uuid()));
    }
    if let Some(from) = filter.from {
        list = list.filter(schedules::local_date.ge(from));
    }
    if let Some(to) = filter.to {
        list = list.filter(schedules::local_date.le(to));
    }
    if let Some(after) = after {
        let place = (schedules::starts_at, schedules::id).into_sql::<Record<(Timestamptz, sql_types::Uuid)>>();
        list = list.filter(place.gt(after));
    }
    list
}

/// A start with the offset it was written with.
pub(crate) fn start(at: OffsetDateTime, offset_minutes: i32) -> Result<LocalTime, StoreError> {
    let offset = i16::try_from(offset_minutes).ok();
    let start = offset.and_then(|offset| LocalTime::new(columns::instant(at), offset));
    start.ok_or_else(|| inconsistent("schedules", "offset_minutes", offset_minutes))
}
