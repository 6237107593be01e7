//! What every history plays with: few users, few seats, a narrow line, so that everybody is in everybody's way.

use std::time::Duration;

use domain::concert::{CreatedConcert, NewConcert, NewSchedule, SeatRun};
use domain::{LocalTime, Money, Policy, Rules, Timestamp};

use crate::Store;
use crate::scene::{concert, load, make_queue};

pub(crate) const QUEUES: [&str; 2] = ["main", "other"];
pub(crate) const USERS: usize = 7;
pub(crate) const SEATS: u32 = 8;
pub(crate) const MAX_SEATS: usize = 4;
pub(crate) const MAX_ACTIVE: u32 = 4;
pub(crate) const BATCH: u32 = 2;
/// In microseconds, as everything here that is a time.
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const INTERVAL: u32 = 10;
pub(crate) const HOLD: i64 = 300 * SECOND;
pub(crate) const ACTIVE: i64 = 600 * SECOND;
/// How far back a report looks at waits.
pub(crate) const RECENT: i64 = 300 * SECOND;
pub(crate) const DAY: i64 = 86_400 * SECOND;
/// The year 2200, in which no queue opens any more.
pub(crate) const TOO_LATE: i64 = 7_258_118_400 * SECOND;
pub(crate) const MAX_CHARGE: i64 = 500_000;
/// How many seats of the concert of each queue one user may have.
pub(crate) const OF_CONCERTS: [usize; 2] = [5, 3];
/// How many seats of each schedule one user may have.
pub(crate) const OF_SCHEDULES: [Option<usize>; 3] = [None, Some(4), None];
/// Queue of each schedule, and how long after the beginning of a history it starts.
pub(crate) const SCHEDULES: [(usize, i64); 3] = [(0, 900 * SECOND), (0, 30 * DAY), (1, 30 * DAY)];

/// What a seat costs, in hundredths.
pub(crate) fn price(seat: u32) -> i64 {
    i64::from(seat) * 40_000 + 25
}

pub(crate) fn rules() -> Rules {
    let span = |micros| Duration::from_micros(u64::try_from(micros).unwrap());
    Rules {
        hold: span(HOLD),
        active: span(ACTIVE),
        absence: Duration::from_secs(120),
        max_seats: u32::try_from(MAX_SEATS).unwrap(),
        max_charge: Money::from_minor(MAX_CHARGE).unwrap(),
        new_queue: Policy { max_active: MAX_ACTIVE, batch: BATCH, interval_seconds: INTERVAL, ..Policy::default() },
    }
}

/// Loads a concert for each queue, with the schedules of the queue in their order.
pub(crate) async fn set(store: &Store, began: i64) -> Vec<CreatedConcert> {
    let most = |seats: usize| Some(u32::try_from(seats).unwrap());
    let schedule = |index: usize| {
        let (_, after) = SCHEDULES[index];
        let starts_at = LocalTime::new(Timestamp::from_micros(began + after), 540).unwrap();
        let seat = |first| SeatRun { first, count: 1, price: Money::from_minor(price(first)).unwrap() };
        let max_per_user = OF_SCHEDULES[index].and_then(most);
        NewSchedule { starts_at, max_per_user, seats: (1..=SEATS).map(seat).collect() }
    };
    let mut created = Vec::new();
    for (queue, name) in QUEUES.iter().enumerate() {
        // The first one is always there.
        if queue > 0 {
            make_queue(store, name).await;
        }
        let own = (0..SCHEDULES.len()).filter(|index| SCHEDULES[*index].0 == queue);
        let played = concert("History", name, own.map(schedule).collect());
        created.push(load(store, NewConcert { max_per_user: most(OF_CONCERTS[queue]), ..played }).await);
    }
    created
}
