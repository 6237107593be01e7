//! Rows of `reservations` and `reservation_seats`.

use diesel::SqliteConnection;
use domain::concert::NumberedSeat;
use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::reservation::{OwnSeats, PendingHold, Reservation, ReservationStatus};
use domain::sale::Key;
use domain::{ConcertId, IdempotencyKey, QueueNumber, ReservationId, ScheduleId, SeatId, Timestamp, UserId};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, Count, FromRow, wrong};
use crate::tables::idempotency::recorded;
use crate::tables::schedules;

macro_rules! select_reservations {
    ($index:literal, $rest:literal) => {
        concat!(
            "SELECT r.id, r.queue, r.user_id, r.schedule_id, r.amount, r.status, r.cancel_reason, r.reserved_at, ",
            "r.expires_at, s.concert_id, s.starts_at, s.offset_minutes, c.title FROM reservations r ",
            $index,
            // One that has lost its schedule is damaged, and not "not found".
            " LEFT JOIN schedules s ON s.queue = r.queue AND s.id = r.schedule_id ",
            "LEFT JOIN concerts c ON c.queue = s.queue AND c.id = s.concert_id ",
            $rest
        )
    };
}

macro_rules! own_seats {
    ($until:literal, $index:literal, $status:literal) => {
        concat!(
            "SELECT s.concert_id, r.schedule_id, ",
            $until,
            ", (SELECT COUNT(*) FROM reservation_seats x WHERE x.queue = r.queue AND x.reservation_id = r.id) ",
            "FROM reservations r INDEXED BY ",
            $index,
            " CROSS JOIN schedules s ON s.queue = r.queue AND s.id = r.schedule_id ",
            "WHERE r.queue = ? AND r.user_id = ? AND r.status = '",
            $status,
            "' AND s.concert_id = ?"
        )
    };
}

statements! {
    Find = select_reservations!("", "WHERE r.queue = ? AND r.id = ?");
    // Newest first is by id: ids grow with time.
    First = select_reservations!("INDEXED BY reservations_of_user", "WHERE r.queue = ? AND r.user_id = ? ORDER BY r.id DESC LIMIT ?");
    After = select_reservations!("INDEXED BY reservations_of_user", "WHERE r.queue = ? AND r.user_id = ? AND r.id < ? ORDER BY r.id DESC LIMIT ?");
    OfKey = "SELECT id, reserved_at, fingerprint FROM reservations INDEXED BY reservations_keys \
        WHERE queue = ? AND user_id = ? AND idempotency_key = ?";
    ForgetKey = "UPDATE reservations SET idempotency_key = NULL, fingerprint = NULL WHERE queue = ? AND id = ?";
    PendingOfUser = "SELECT id FROM reservations INDEXED BY reservations_pending \
        WHERE queue = ? AND user_id = ? AND status = 'PENDING' ORDER BY id";
    Holds = "SELECT r.id, r.expires_at, \
        (SELECT COUNT(*) FROM reservation_seats s WHERE s.queue = r.queue AND s.reservation_id = r.id) \
        FROM reservations r INDEXED BY reservations_pending \
        WHERE r.queue = ? AND r.user_id = ? AND r.status = 'PENDING'";
    HeldOfConcert = own_seats!("r.expires_at", "reservations_pending", "PENDING");
    BoughtOfConcert = own_seats!("NULL", "reservations_bought", "CONFIRMED");
    IsOwn = "SELECT COUNT(*) FROM reservations WHERE queue = ? AND id = ? AND user_id = ?";
    Due = "SELECT expires_at, queue, id FROM reservations INDEXED BY reservations_due \
        WHERE status = 'PENDING' AND expires_at <= ? AND (expires_at, queue, id) > (?, ?, ?) \
        ORDER BY expires_at, queue, id LIMIT ?";
    Seats = "SELECT seat_id, number, price FROM reservation_seats WHERE queue = ? AND reservation_id = ?";
    Insert = "INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, cancel_reason, reserved_at, \
        expires_at, idempotency_key, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    InsertSeat = "INSERT INTO reservation_seats (queue, reservation_id, seat_id, number, price) VALUES (?, ?, ?, ?, ?)";
    // PENDING is the only state that anything leaves.
    End = "UPDATE reservations SET status = ?, cancel_reason = ? WHERE queue = ? AND id = ? AND status = 'PENDING'";
}

/// Where a list of due reservations goes on. The deadline is bare microseconds: one that is no instant is one bad row's
/// fault, and the list must not end with it.
pub(crate) type DueKey = (i64, QueueNumber, ReservationId);

/// A reservation as stored, with its seats.
pub(crate) fn find(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    id: ReservationId,
) -> Result<Option<Reservation>, StoreError> {
    let mut found: Option<Reservation> = Find::row(conn, binds![queue, id])?;
    if let Some(reservation) = &mut found {
        add_seats(conn, reservation)?;
    }
    Ok(found)
}

/// A reservation whose id was just read.
pub(crate) fn stored(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    id: ReservationId,
) -> Result<Reservation, StoreError> {
    find(conn, queue, id)?.ok_or_else(|| wrong(("reservations", "id"), format!("there is no {id}")))
}

/// At most `limit` reservations of a user as stored, newest first, after `after`.
pub(crate) fn list(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
    after: Option<ReservationId>,
    limit: u32,
) -> Result<Vec<Reservation>, StoreError> {
    let mut listed: Vec<Reservation> = match after {
        Some(after) => After::rows(conn, binds![queue, user, after, limit])?,
        None => First::rows(conn, binds![queue, user, limit])?,
    };
    for reservation in &mut listed {
        add_seats(conn, reservation)?;
    }
    Ok(listed)
}

/// The user's reservations in this queue that are PENDING in the store, as the limit of seats and the end of a turn need them.
pub(crate) fn pending(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
) -> Result<Vec<PendingHold>, StoreError> {
    Holds::rows(conn, binds![queue, user])
}

/// The user's reservations of a concert that are PENDING or CONFIRMED in the store, as its limits need them.
pub(crate) fn own_seats(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
    concert: ConcertId,
) -> Result<Vec<OwnSeats>, StoreError> {
    let mut own = HeldOfConcert::rows(conn, binds![queue, user, concert])?;
    own.extend(BoughtOfConcert::rows::<OwnSeats>(conn, binds![queue, user, concert])?);
    Ok(own)
}

/// Whether a reservation is this user's.
pub(crate) fn is_own(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    id: ReservationId,
    user: &UserId,
) -> Result<bool, StoreError> {
    Ok(IsOwn::row::<Count>(conn, binds![queue, id, user])?.is_some_and(|count| count.0 > 0))
}

/// At most `limit` reservations of all queues that may be past their deadline, oldest deadline first, after `after`.
pub(crate) fn due(
    conn: &mut SqliteConnection,
    now: Timestamp,
    after: DueKey,
    limit: u32,
) -> Result<Vec<DueKey>, StoreError> {
    Due::rows(conn, binds![now, after.0, after.1, after.2, limit])
}

/// What the user's hold under `key` asked for, and the reservation that it made.
pub(crate) fn of_key(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
    key: &IdempotencyKey,
) -> Result<Option<(Recorded, ReservationId)>, StoreError> {
    OfKey::row(conn, binds![queue, user, key])
}

/// Frees the key of a reservation for another request.
pub(crate) fn forget_key(conn: &mut SqliteConnection, queue: QueueNumber, id: ReservationId) -> Result<(), StoreError> {
    ForgetKey::change_one(conn, binds![queue, id])
}

/// Inserts a reservation that was just granted, and its seats; before any seat is given to it.
pub(crate) fn insert(
    conn: &mut SqliteConnection,
    reservation: &Reservation,
    key: Option<&Key>,
) -> Result<(), StoreError> {
    let (status, reason) = reservation.status.words();
    Insert::change_one(
        conn,
        binds![
            reservation.queue,
            reservation.id,
            &reservation.user,
            reservation.schedule,
            &reservation.amount,
            status,
            reason,
            reservation.reserved_at,
            reservation.expires_at,
            key.map(|(key, _)| key),
            key.map(|(_, request)| request),
        ],
    )?;
    for seat in &reservation.seats {
        InsertSeat::change_one(conn, binds![reservation.queue, reservation.id, seat.id, seat.number, &seat.price])?;
    }
    Ok(())
}

/// Writes the end of a reservation that is PENDING in the store.
pub(crate) fn end(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    id: ReservationId,
    status: ReservationStatus,
) -> Result<(), StoreError> {
    let (status, reason) = status.words();
    End::change_one(conn, binds![status, reason, queue, id])
}

/// The user's reservations in this queue that are PENDING in the store.
pub(crate) fn pending_ids(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
) -> Result<Vec<ReservationId>, StoreError> {
    let pending: Vec<PendingId> = PendingOfUser::rows(conn, binds![queue, user])?;
    Ok(pending.into_iter().map(|pending| pending.0).collect())
}

fn add_seats(conn: &mut SqliteConnection, reservation: &mut Reservation) -> Result<(), StoreError> {
    reservation.seats = Seats::rows(conn, binds![reservation.queue, reservation.id])?;
    reservation.seats.sort_unstable_by_key(|seat| seat.number);
    if reservation.seats.is_empty() {
        return Err(wrong(("reservation_seats", "reservation_id"), format!("{} has no seats", reservation.id)));
    }
    Ok(())
}

fn status<'a>(row: &impl Columns<'a>) -> Result<ReservationStatus, StoreError> {
    let status = row.text(5, ("reservations", "status"))?;
    let reason = row.text_or_null(6, ("reservations", "cancel_reason"))?;
    ReservationStatus::of_words(&status, reason.as_deref())
        .ok_or_else(|| wrong(("reservations", "status"), format!("{status:?} with reason {reason:?}")))
}

impl FromRow for Reservation {
    /// All but its seats.
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let id = ReservationId::new(row.id(0, ("reservations", "id"))?);
        let concert = row.id_or_null(9, ("schedules", "concert_id"))?;
        let concert =
            concert.ok_or_else(|| wrong(("reservations", "schedule_id"), format!("{id} is of no schedule")))?;
        Ok(Self {
            id,
            queue: QueueNumber(row.number(1, ("reservations", "queue"))?),
            user: row.user(2, ("reservations", "user_id"))?,
            concert: ConcertId::new(concert),
            schedule: ScheduleId::new(row.id(3, ("reservations", "schedule_id"))?),
            title: row.text(12, ("concerts", "title"))?.into(),
            starts_at: schedules::start(row, 10)?,
            seats: Vec::new(),
            amount: row.money(4, ("reservations", "amount"))?,
            status: status(row)?,
            reserved_at: row.instant(7, ("reservations", "reserved_at"))?,
            expires_at: row.instant(8, ("reservations", "expires_at"))?,
        })
    }
}

impl FromRow for NumberedSeat {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            id: SeatId::new(row.id(0, ("reservation_seats", "seat_id"))?),
            number: row.number(1, ("reservation_seats", "number"))?,
            price: row.money(2, ("reservation_seats", "price"))?,
        })
    }
}

impl FromRow for PendingHold {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            reservation: ReservationId::new(row.id(0, ("reservations", "id"))?),
            expires_at: row.instant(1, ("reservations", "expires_at"))?,
            seats: row.number(2, ("reservation_seats", "number"))?,
        })
    }
}

impl FromRow for OwnSeats {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            concert: ConcertId::new(row.id(0, ("schedules", "concert_id"))?),
            schedule: ScheduleId::new(row.id(1, ("reservations", "schedule_id"))?),
            until: row.instant_or_null(2, ("reservations", "expires_at"))?,
            seats: row.number(3, ("reservation_seats", "number"))?,
        })
    }
}

impl FromRow for (Recorded, ReservationId) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let at = row.instant(1, ("reservations", "reserved_at"))?;
        let recorded = recorded(row, 2, ("reservations", "fingerprint"), at)?;
        Ok((recorded, ReservationId::new(row.id(0, ("reservations", "id"))?)))
    }
}

impl FromRow for DueKey {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok((
            row.int(0, ("reservations", "expires_at"))?,
            QueueNumber(row.number(1, ("reservations", "queue"))?),
            ReservationId::new(row.id(2, ("reservations", "id"))?),
        ))
    }
}

struct PendingId(ReservationId);

impl FromRow for PendingId {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self(ReservationId::new(row.id(0, ("reservations", "id"))?)))
    }
}
