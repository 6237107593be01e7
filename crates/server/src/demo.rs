//! The demo: one concert with a few evenings of fifty seats, so that there is something to try at once.

use std::time::Duration;

use anyhow::Context;
use app::App;
use domain::concert::{Draft, NewConcert, ScheduleDraft, SeatGroup};
use domain::ports::LoadCommand;
use domain::{LocalTime, Money, Page, QueueName, Timestamp};

/// Evenings from today on which the demo is played.
const DAYS_AHEAD: [u64; 3] = [30, 31, 37];
/// How many those are.
pub(crate) const EVENINGS: usize = DAYS_AHEAD.len();
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SEOUL_MINUTES: i16 = 9 * 60;

/// Loads the demo into an empty database: one in which nothing is on sale and nobody ever joined. Whether it did.
pub(crate) async fn load(app: &App) -> anyhow::Result<bool> {
    let first = Page::new(1, None).context("a page of one")?;
    let on_sale = !app.concerts(&first).await?.items.is_empty();
    let used = app.queue_report(&QueueName::main()).await?.line.issued > 0;
    if on_sale || used {
        return Ok(false);
    }
    let command = LoadCommand { concert: concert(app.now())?, key: None };
    app.create_concert(&command).await.context("could not load the demo concert")?;
    Ok(true)
}

fn concert(now: Timestamp) -> anyhow::Result<NewConcert> {
    let seats = [(10, "150000"), (20, "110000"), (20, "77000")];
    let groups = seats
        .iter()
        .map(|(count, price)| Some(SeatGroup::Count(*count, Money::parse(price)?)))
        .collect::<Option<Vec<_>>>()
        .context("the demo's prices")?;
    let schedules = DAYS_AHEAD
        .iter()
        .map(|days| Some(ScheduleDraft::of(evening(now, *days)?, groups.clone())))
        .collect::<Option<Vec<_>>>()
        .context("the demo's dates")?;
    Ok(NewConcert::plan(&Draft::of("Winter Night in Seoul (demo)", QueueName::main(), schedules))?)
}

/// 19:30 in Seoul, so many days after today's date there.
fn evening(now: Timestamp, days: u64) -> Option<LocalTime> {
    let seoul = Duration::from_secs(9 * 60 * 60);
    let micros_into_day = now.plus(seoul).micros().rem_euclid(i64::try_from(DAY.as_micros()).ok()?);
    let midnight = now.minus(Duration::from_micros(u64::try_from(micros_into_day).ok()?));
    let starts = midnight.plus(DAY * u32::try_from(days).ok()?).plus(Duration::from_secs(19 * 3_600 + 30 * 60));
    LocalTime::new(starts, SEOUL_MINUTES)
}

#[cfg(test)]
mod tests {
    use domain::concert::NewSchedule;

    use super::*;

    #[test]
    fn evenings_are_at_half_past_seven_in_seoul() {
        let now = LocalTime::parse("2026-11-20T23:00:00Z").unwrap().at();
        assert_eq!(evening(now, 30).unwrap().to_string(), "2026-12-21T19:30:00+09:00");
        let concert = concert(now).unwrap();
        assert_eq!(concert.schedules.iter().map(NewSchedule::seats_total).collect::<Vec<_>>(), [50, 50, 50]);
    }
}
