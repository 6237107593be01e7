//! What a batch reads: one lock-ordered statement a table, all of them pipelined in one round trip.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::FutureExt;
use futures::future::BoxFuture;
use time::OffsetDateTime;

use crate::connections::statement::{Begin, Now};
use crate::sale::wanted::Wanted;
use crate::tables::payments::{FindPaid, PaidRow};
use crate::tables::queues::{FindQueue, LockQueue, QueueRow};
use crate::tables::reservations::{
    FindHolds, FindOwnSeats, FindReservedSeats, HoldRow, LockReservations, OwnSeatsRow, ReservationRow, ReservedSeatRow,
};
use crate::tables::seats::{LockSeats, LockedSeatRow};
use crate::tables::tokens::{LockTokens, TokenRow};
use crate::tables::wallets::{LockWallets, WalletRow};

/// What was read.
pub(crate) struct Facts {
    pub(crate) queue: Option<QueueRow>,
    pub(crate) tokens: Vec<TokenRow>,
    pub(crate) seats: Vec<LockedSeatRow>,
    pub(crate) reservations: Vec<ReservationRow>,
    pub(crate) reserved_seats: Vec<ReservedSeatRow>,
    pub(crate) holds: Vec<HoldRow>,
    pub(crate) own_seats: Vec<OwnSeatsRow>,
    pub(crate) paid: Vec<PaidRow>,
    pub(crate) wallets: Vec<WalletRow>,
    pub(crate) now: OffsetDateTime,
    pub(crate) transaction: String,
}

/// Begins the transaction and reads what is wanted, in one round trip, of tokens that time has ended at most `ended`.
/// `fixed_now` is what a test's clock shows.
pub(crate) async fn read(
    conn: &AsyncPgConnection,
    queue: i32,
    wanted: &Wanted,
    ended: u32,
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
        most: i64::from(ended),
        now: fixed_now,
    };
    let any_token = wanted.admit || !wanted.tickets.is_empty() || !wanted.users.is_empty();
    let tokens = when(any_token, tokens, conn);
    let (numbers_of, keys) = wanted.holders.iter().cloned().unzip();
    let holds = when(!wanted.holders.is_empty(), FindHolds { queue, numbers: numbers_of, keys }, conn);
    let own_seats = FindOwnSeats {
        queue,
        numbers: wanted.limited.iter().map(|limited| limited.ticket).collect(),
        schedules: wanted.limited.iter().map(|limited| limited.schedule).collect(),
        seats: wanted.limited.iter().map(|limited| limited.seat).collect(),
    };
    let own_seats = when(!wanted.limited.is_empty(), own_seats, conn);
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

    let (_, _, queue, tokens, holds, own_seats, paid, seats, reservations, reserved_seats, wallets, (now, transaction)) =
        futures::try_join!(
            begin,
            lock,
            queue_row,
            tokens,
            holds,
            own_seats,
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
        own_seats,
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
