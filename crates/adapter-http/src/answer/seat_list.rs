//! A seat map as the bytes that are sent: written once, compressed once, for all who ask while it is fresh.

use std::io::Write;
use std::sync::Arc;

use actix_web::web::{self, Bytes};
use domain::concert::SeatMap;
use domain::seat::{Seat, SeatStatus, Taken};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use tokio::sync::OnceCell;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::points::Points;
use crate::answer::problem::Problem;
use crate::answer::schedule::ScheduleView;
use crate::shared_reads::Read;

/// All seats of a schedule at one moment, with whose they are.
#[derive(Serialize, ToSchema)]
pub(crate) struct SeatList {
    schedule: ScheduleView,
    /// The seats by number.
    items: Vec<SeatView>,
}

/// A seat.
#[derive(Serialize, ToSchema)]
#[schema(as = Seat)]
struct SeatView {
    id: Uuid,
    number: u32,
    price: Points,
    status: SeatState,
    /// Whether the status is another than AVAILABLE.
    occupied: bool,
}

/// The state of a seat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SeatState {
    /// May be held.
    Available,
    /// Somebody has five minutes to pay it.
    Held,
    /// Paid.
    Sold,
}

impl SeatView {
    fn of(seat: &Seat, status: SeatStatus) -> Self {
        let state = match status {
            SeatStatus::Available => SeatState::Available,
            SeatStatus::Held => SeatState::Held,
            SeatStatus::Sold => SeatState::Sold,
        };
        Self {
            id: seat.id.uuid(),
            number: seat.number,
            price: Points::from(&seat.price),
            status: state,
            occupied: status != SeatStatus::Available,
        }
    }
}

/// A seat map and, once somebody has asked for them, its representations.
pub(crate) struct SeatBytes {
    map: SeatMap,
    all: OnceCell<Written>,
    available: OnceCell<Written>,
}

/// A list of seats as it is sent.
pub(crate) struct Written {
    /// What tells it from every other list, without quotes.
    pub(crate) tag: String,
    /// The JSON.
    pub(crate) plain: Bytes,
    gzip: OnceCell<Bytes>,
}

impl SeatBytes {
    /// What was read, good until the first of its holds is over.
    pub(crate) fn read(map: SeatMap) -> Read<Arc<Self>> {
        let live = map.seats.iter().filter(|(_, status)| *status == SeatStatus::Held);
        let until = live.filter_map(|(seat, _)| seat.taken.and_then(|Taken { until, .. }| until)).min();
        Read { value: Arc::new(Self { map, all: OnceCell::new(), available: OnceCell::new() }), until }
    }

    /// Whether it calls one of these seats free.
    pub(crate) fn offers(&self, numbers: &[u32]) -> bool {
        numbers.iter().any(|number| {
            let place = self.map.seats.binary_search_by_key(number, |(seat, _)| seat.number).ok();
            let seat = place.and_then(|place| self.map.seats.get(place));
            seat.is_some_and(|(_, status)| *status == SeatStatus::Available)
        })
    }

    /// The list of all seats, or of those that may be held only.
    pub(crate) async fn written(self: &Arc<Self>, only_available: bool) -> Result<&Written, Problem> {
        let cell = if only_available { &self.available } else { &self.all };
        cell.get_or_try_init(|| async {
            let seats = Arc::clone(self);
            // A hundred thousand seats take longer to write than a worker may be away from its other callers.
            web::block(move || seats.write(only_available))
                .await
                .map_err(|error| Problem::internal(error.to_string()))?
        })
        .await
    }

    fn write(&self, only_available: bool) -> Result<Written, Problem> {
        let free = domain::count(self.map.available());
        let shown = self.map.seats.iter().filter(|(_, status)| !only_available || *status == SeatStatus::Available);
        let list = SeatList {
            schedule: ScheduleView::of(&self.map.schedule, free),
            items: shown.map(|(seat, status)| SeatView::of(seat, *status)).collect(),
        };
        let plain = serde_json::to_vec(&list).map_err(|error| Problem::internal(error.to_string()))?;
        let tag = blake3::hash(&plain).to_hex().chars().take(32).collect();
        Ok(Written { tag, plain: Bytes::from(plain), gzip: OnceCell::new() })
    }
}

impl Written {
    /// The JSON, compressed.
    pub(crate) async fn gzip(&self) -> Result<Bytes, Problem> {
        let compressed = self.gzip.get_or_try_init(|| async {
            let plain = self.plain.clone();
            let work = web::block(move || {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&plain)?;
                encoder.finish()
            });
            let done = work.await.map_err(|error| Problem::internal(error.to_string()))?;
            done.map(Bytes::from).map_err(|error| Problem::internal(error.to_string()))
        });
        Ok(compressed.await?.clone())
    }
}
