//! What a batch reads: one lock-ordered statement a table, all of them pipelined in one round trip.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::MOST_TURNS;
use futures::FutureExt;
use futures::future::BoxFuture;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::Begin;
use crate::tables::locks::{
    FindHolds, FindPaid, FindQueue, FindReservedSeats, LockQueue, LockReservations, LockSeats, LockTokens, LockWallets,
    Now,
};
use crate::tables::rows::{SeatRow, TokenRow};
use crate::tables::wallet_rows::WalletRow;

/// What a batch needs to be read, collected from its commands.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Whether it changes the line, so that the queue's row is locked.
    pub(crate) line: bool,
    /// Whether it admits. A batch of joins may, too, see [`Wanted::admits_when_waiting`].
    pub(crate) admit: bool,
    /// Tickets that commands come with.
    pub(crate) tickets: Vec<i64>,
    /// Users who join.
    pub(crate) users: Vec<String>,
    /// Tickets that leave.
    pub(crate) leavers: Vec<i64>,
    /// Tickets that hold, each with its idempotency key.
    pub(crate) holders: Vec<(i64, Option<String>)>,
    /// Tickets that pay, each with its idempotency key.
    pub(crate) payers: Vec<(i64, Option<String>)>,
    /// Seats by id.
    pub(crate) seats: Vec<Uuid>,
    /// Seats by schedule and number.
    pub(crate) numbered: Vec<(Uuid, i32)>,
    /// Reservations to pay, cancel or release.
    pub(crate) reservations: Vec<Uuid>,
}

impl Wanted {
    /// There may be an admission, so that tokens past their deadline are wanted, when at most so many wait: joins admit
    /// when nobody does, which may be so once all who leave in the same batch have left.
    fn admits_when_waiting(&self) -> Option<i64> {
        let joins = !self.users.is_empty();
        let leavers = || i64::try_from(self.leavers.len()).unwrap_or(i64::MAX);
        if self.admit { Some(i64::MAX) } else { joins.then(leavers) }
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

/// What was read.
pub(crate) struct Facts {
    pub(crate) queue: Option<QueueRow>,
    pub(crate) tokens: Vec<TokenRow>,
    pub(crate) seats: Vec<SeatRow>,
    pub(crate) reservations: Vec<ReservationRow>,
    pub(crate) reserved_seats: Vec<ReservedSeatRow>,
    pub(crate) holds: Vec<HoldRow>,
    pub(crate) paid: Vec<(Made, Keyed)>,
    pub(crate) wallets: Vec<WalletRow>,
    pub(crate) now: OffsetDateTime,
    pub(crate) transaction: String,
}

/// Begins the transaction and reads what is wanted, in one round trip. `fixed_now` is what a test's clock shows.
pub(crate) async fn read(
    conn: &AsyncPgConnection,
    queue: i32,
    wanted: &Wanted,
    fixed_now: Option<OffsetDateTime>,
) -> diesel::QueryResult<Facts> {
    let (schedules, numbers): (Vec<_>, Vec<_>) = wanted.numbered.iter().copied().unzip();
    let by_seat = !wanted.seats.is_empty() || !wanted.numbered.is_empty();
    let by_reservation = !wanted.reservations.is_empty() || !wanted.leavers.is_empty();

    let begin = Begin {}.execute(&mut &*conn);
    let lock = when::<_, i32>(wanted.line, LockQueue { queue }, conn);
    let queue_row = when(wanted.line, FindQueue { queue }, conn);
    let tokens = LockTokens {
        queue,
        numbers: wanted.tickets.clone(),
        users: wanted.users.clone(),
        waiting: wanted.admits_when_waiting().unwrap_or(-1),
        most: i64::from(MOST_TURNS),
        now: fixed_now,
    };
    let any_token = wanted.admit || !wanted.tickets.is_empty() || !wanted.users.is_empty();
    let tokens = when(any_token, tokens, conn);
    let (numbers_of, keys) = wanted.holders.iter().cloned().unzip();
    let holds = when(!wanted.holders.is_empty(), FindHolds { queue, numbers: numbers_of, keys }, conn);
    let (payers, keys): (Vec<_>, Vec<_>) = wanted.payers.iter().cloned().unzip();
    let pays_with_key = keys.iter().any(Option::is_some);
    let paid = when(pays_with_key, FindPaid { queue, numbers: payers.clone(), keys }, conn);
    let seats = LockSeats {
        queue,
        ids: wanted.seats.clone(),
        schedules,
        numbers,
        reservations: wanted.reservations.clone(),
        leavers: wanted.leavers.clone(),
    };
    let seats = when(by_seat || by_reservation, seats, conn);
    let reservations = LockReservations { queue, ids: wanted.reservations.clone(), leavers: wanted.leavers.clone() };
    let reservations = when(by_reservation, reservations, conn);
    let reserved_seats =
        FindReservedSeats { queue, reservations: wanted.reservations.clone(), leavers: wanted.leavers.clone() };
    let reserved_seats = when(by_reservation, reserved_seats, conn);
    let wallets = when(!payers.is_empty(), LockWallets { queue, numbers: payers.clone() }, conn);
    let now = Now {}.get_result::<(OffsetDateTime, String)>(&mut &*conn);

    let (_, _, queue, tokens, holds, paid, seats, reservations, reserved_seats, wallets, (now, transaction)) = futures::try_join!(
        begin,
        lock,
        queue_row,
        tokens,
        holds,
        paid,
        seats,
        reservations,
        reserved_seats,
        wallets,
        now
    )?;
    Ok(Facts {
        queue: queue.into_iter().next(),
        tokens,
        holds,
        paid,
        seats,
        reservations,
        reserved_seats,
        wallets,
        now,
        transaction,
    })
}

/// Runs a statement if it is wanted at all.
fn when<'c, S, R>(wanted: bool, statement: S, conn: &'c AsyncPgConnection) -> BoxFuture<'c, diesel::QueryResult<Vec<R>>>
where
    S: diesel_async::methods::LoadQuery<'static, &'c AsyncPgConnection, R> + Send + 'static,
    R: Send + 'static,
{
    if wanted {
        async move { statement.load(&mut &*conn).await }.boxed()
    } else {
        std::future::ready(Ok(Vec::new())).boxed()
    }
}
