//! Rows of `seats`.

use diesel::SqliteConnection;
use domain::ports::StoreError;
use domain::sale::SeatChange;
use domain::seat::{Seat, SeatChoice, Taken};
use domain::{Money, QueueNumber, ReservationId, ScheduleId, SeatId, Timestamp};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, Count, FromRow};

macro_rules! select_seats {
    ($rest:literal) => {
        concat!("SELECT s.id, s.schedule_id, s.number, s.price, s.reservation_id, s.held_until FROM ", $rest)
    };
}

statements! {
    ById = select_seats!("seats s WHERE s.queue = ? AND s.id = ?");
    ByNumber = select_seats!("seats s WHERE s.queue = ? AND s.schedule_id = ? AND s.number = ?");
    OfSchedule = select_seats!("seats s WHERE s.queue = ? AND s.schedule_id = ? ORDER BY s.number");
    OfReservation = select_seats!(
        "reservation_seats r JOIN seats s ON s.queue = r.queue AND s.id = r.seat_id \
         WHERE r.queue = ? AND r.reservation_id = ?"
    );
    Next = select_seats!(
        "seats s INDEXED BY seats_by_price \
         WHERE s.queue = ? AND s.schedule_id = ? AND (s.price, s.number) > (?, ?) ORDER BY s.price, s.number LIMIT ?"
    );
    // Mirrors `Seat::status_at`.
    Available = "SELECT COUNT(*) FROM seats \
        WHERE queue = ? AND schedule_id = ? AND (reservation_id IS NULL OR held_until <= ?)";
    Insert = "INSERT INTO seats (queue, schedule_id, number, id, price) VALUES (?, ?, ?, ?, ?)";
    // Only if the seat is as it was read, so that it is never given to two.
    Change = "UPDATE seats SET reservation_id = ?, held_until = ? \
        WHERE queue = ? AND schedule_id = ? AND number = ? AND reservation_id IS ?";
}

/// The seats of a choice that exist in a queue.
pub(crate) fn chosen(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    choice: &SeatChoice,
) -> Result<Vec<Seat>, StoreError> {
    let mut seats = Vec::with_capacity(choice.len());
    match choice {
        SeatChoice::Ids(ids) => {
            for id in ids {
                seats.extend(ById::row::<Seat>(conn, binds![queue, *id])?);
            }
        }
        SeatChoice::Numbers(schedule, numbers) => {
            for number in numbers {
                seats.extend(ByNumber::row::<Seat>(conn, binds![queue, *schedule, *number])?);
            }
        }
    }
    Ok(seats)
}

/// The seat of a number of a schedule.
pub(crate) fn numbered(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    schedule: ScheduleId,
    number: u32,
) -> Result<Option<Seat>, StoreError> {
    ByNumber::row(conn, binds![queue, schedule, number])
}

/// The seats of a schedule that come after this price and number, by price, then number, at most so many.
pub(crate) fn next_by_price(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    schedule: ScheduleId,
    after: Option<&(Money, u32)>,
    most: u32,
) -> Result<Vec<Seat>, StoreError> {
    let (price, number) = after.map_or((-1, 0), |(price, number)| (price.minor(), *number));
    Next::rows(conn, binds![queue, schedule, price, number, most])
}

/// All seats of a schedule, by number.
pub(crate) fn of_schedule(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    schedule: ScheduleId,
) -> Result<Vec<Seat>, StoreError> {
    OfSchedule::rows(conn, binds![queue, schedule])
}

/// The seats a reservation was made for, in no order, whoever has them now.
pub(crate) fn of_reservation(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    reservation: ReservationId,
) -> Result<Vec<Seat>, StoreError> {
    OfReservation::rows(conn, binds![queue, reservation])
}

/// How many seats of a schedule may be held at `now`.
pub(crate) fn available(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    schedule: ScheduleId,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let count = Available::row::<Count>(conn, binds![queue, schedule, now])?.map_or(0, |count| count.0);
    // A schedule has at most 100,000 seats.
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Inserts a free seat.
pub(crate) fn insert(conn: &mut SqliteConnection, queue: QueueNumber, seat: &Seat) -> Result<(), StoreError> {
    Insert::change_one(conn, binds![queue, seat.schedule, seat.number, seat.id, &seat.price])
}

/// Writes that a seat has changed hands; it must be as it was read.
pub(crate) fn change(conn: &mut SqliteConnection, queue: QueueNumber, seat: &SeatChange) -> Result<(), StoreError> {
    let (by, until) = (seat.taken.map(|taken| taken.by), seat.taken.and_then(|taken| taken.until));
    Change::change_one(conn, binds![by, until, queue, seat.schedule, seat.number, seat.before])
}

impl FromRow for Seat {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let by = row.id_or_null(4, ("seats", "reservation_id"))?;
        let until = row.instant_or_null(5, ("seats", "held_until"))?;
        Ok(Self {
            id: SeatId::new(row.id(0, ("seats", "id"))?),
            schedule: ScheduleId::new(row.id(1, ("seats", "schedule_id"))?),
            number: row.number(2, ("seats", "number"))?,
            price: row.money(3, ("seats", "price"))?,
            taken: by.map(|by| Taken { by: ReservationId::new(by), until }),
        })
    }
}
