//! Rows of `tokens`.

use diesel::SqliteConnection;
use domain::ports::StoreError;
use domain::token::{Active, EndReason, TokenEnd};
use domain::{QueueNumber, ReservationId, Ticket, TicketNumber, Timestamp, Token, UserId};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, Count, FromRow, wrong};

macro_rules! select_tokens {
    ($rest:literal) => {
        concat!(
            "SELECT queue, number, user_id, status, issued_at, activated_at, deadline, ended_at, end_reason, ",
            "paid_reservation, out_version, selection_ends_at, last_paid FROM tokens ",
            $rest
        )
    };
}

statements! {
    Find = select_tokens!("WHERE queue = ? AND number = ?");
    Live = select_tokens!("INDEXED BY tokens_live WHERE queue = ? AND user_id = ? AND status <> 'EXPIRED'");
    Due = select_tokens!("INDEXED BY tokens_active WHERE queue = ? AND status = 'ACTIVE' AND deadline <= ? ORDER BY deadline, number LIMIT ?");
    // By the primary key: beyond the frontier stand waiters and those who left, and it moves on over the latter when
    // somebody behind them is admitted, so that they are walked over once.
    Waiting = select_tokens!("WHERE queue = ? AND status = 'WAITING' AND number > ? ORDER BY number LIMIT ?");
    CountActive: Walks, IndexAlone = "SELECT COUNT(*) FROM tokens INDEXED BY tokens_active \
        WHERE queue = ? AND status = 'ACTIVE'";
    CountLive: IndexAlone = "SELECT COUNT(*) FROM tokens INDEXED BY tokens_active \
        WHERE queue = ? AND status = 'ACTIVE' AND deadline > ?";
    // Over by time and not written so yet: few.
    CountPaidDue = "SELECT COUNT(*) FROM tokens INDEXED BY tokens_active \
        WHERE queue = ? AND status = 'ACTIVE' AND deadline <= ? AND last_paid IS NOT NULL";
    // What followers have seen is not walked again; what the frontier has passed since matters to nobody.
    Left: IndexAlone = "SELECT number FROM tokens INDEXED BY tokens_left WHERE queue = ? AND end_reason = 'LEFT' \
        AND activated_at IS NULL AND out_version > ? AND number > ?";
    Lives = select_tokens!("WHERE queue = ? AND status <> 'EXPIRED' AND number > ? ORDER BY number LIMIT ?");
    Insert = "INSERT INTO tokens (queue, number, user_id, status, issued_at, activated_at, deadline, ended_at, \
        end_reason, paid_reservation, out_version, selection_ends_at, last_paid) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    Update = "UPDATE tokens SET status = ?, activated_at = ?, deadline = ?, ended_at = ?, end_reason = ?, \
        paid_reservation = ?, out_version = ?, selection_ends_at = ?, last_paid = ? WHERE queue = ? AND number = ?";
}

/// The token of `ticket`; `None` when no such number was issued.
pub(crate) fn find(conn: &mut SqliteConnection, ticket: Ticket) -> Result<Option<Token>, StoreError> {
    Find::row(conn, binds![ticket.queue, ticket.number])
}

/// The token of a user in a queue that is not EXPIRED in the store.
pub(crate) fn live(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
) -> Result<Option<Token>, StoreError> {
    Live::row(conn, binds![queue, user])
}

/// At most `limit` tokens that may be past their deadline though stored ACTIVE, the oldest deadlines first; of a damaged one
/// what is wrong with it.
pub(crate) fn due(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Result<Token, StoreError>>, StoreError> {
    Due::each_row(conn, binds![queue, now, limit])
}

/// At most `limit` tokens behind number `after` that are not EXPIRED in the store, in the order of their numbers.
pub(crate) fn lives(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    after: u64,
    limit: u32,
) -> Result<Vec<Token>, StoreError> {
    Lives::rows(conn, binds![queue, after, limit])
}

/// The first `limit` waiting tokens beyond `frontier`.
pub(crate) fn waiting(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    frontier: u64,
    limit: u32,
) -> Result<Vec<Token>, StoreError> {
    Waiting::rows(conn, binds![queue, frontier, limit])
}

/// How many tokens are ACTIVE by stored status.
pub(crate) fn count_active(conn: &mut SqliteConnection, queue: QueueNumber) -> Result<u64, StoreError> {
    Ok(CountActive::row::<Count>(conn, binds![queue])?.map_or(0, |count| count.0))
}

/// How many tokens are ACTIVE at `now`.
pub(crate) fn count_live(conn: &mut SqliteConnection, queue: QueueNumber, now: Timestamp) -> Result<u64, StoreError> {
    Ok(CountLive::row::<Count>(conn, binds![queue, now])?.map_or(0, |count| count.0))
}

/// How many tokens that have paid are over at `now` by their deadline, though stored ACTIVE.
pub(crate) fn count_paid_due(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    now: Timestamp,
) -> Result<u64, StoreError> {
    Ok(CountPaidDue::row::<Count>(conn, binds![queue, now])?.map_or(0, |count| count.0))
}

/// The numbers beyond `frontier` that left at a version later than `known`.
pub(crate) fn left(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    known: u64,
    frontier: u64,
) -> Result<Vec<TicketNumber>, StoreError> {
    Left::rows(conn, binds![queue, known, frontier])
}

/// Inserts a token that was just issued.
pub(crate) fn insert(conn: &mut SqliteConnection, token: &Token) -> Result<(), StoreError> {
    let (reason, paid) = end_columns(token);
    Insert::change_one(
        conn,
        binds![
            token.ticket.queue,
            token.ticket.number,
            &token.user,
            token.status().word(),
            token.issued_at,
            token.active.map(|active| active.since),
            token.active.map(|active| active.deadline),
            token.end.map(|end| end.at),
            reason,
            paid,
            token.out_version,
            token.active.map(|active| active.selection_ends_at),
            token.active.and_then(|active| active.last_paid),
        ],
    )
}

/// Writes what may change of a token.
pub(crate) fn update(conn: &mut SqliteConnection, token: &Token) -> Result<(), StoreError> {
    let (reason, paid) = end_columns(token);
    Update::change_one(
        conn,
        binds![
            token.status().word(),
            token.active.map(|active| active.since),
            token.active.map(|active| active.deadline),
            token.end.map(|end| end.at),
            reason,
            paid,
            token.out_version,
            token.active.map(|active| active.selection_ends_at),
            token.active.and_then(|active| active.last_paid),
            token.ticket.queue,
            token.ticket.number,
        ],
    )
}

fn end_columns(token: &Token) -> (Option<&'static str>, Option<ReservationId>) {
    token.end.map(|end| end.reason.words()).map_or((None, None), |(reason, paid)| (Some(reason), paid))
}

impl FromRow for TicketNumber {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let number = row.number(0, ("tokens", "number"))?;
        Self::new(number).ok_or_else(|| wrong(("tokens", "number"), number))
    }
}

impl FromRow for Token {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let since = row.instant_or_null(5, ("tokens", "activated_at"))?;
        let deadline = row.instant_or_null(6, ("tokens", "deadline"))?;
        // None also in a row of an older program, which let its token begin holds until the deadline.
        let selection = row.instant_or_null(11, ("tokens", "selection_ends_at"))?;
        let last_paid = row.id_or_null(12, ("tokens", "last_paid"))?.map(ReservationId::new);
        let ended_at = row.instant_or_null(7, ("tokens", "ended_at"))?;
        let token = Self {
            ticket: row.ticket(0, ("tokens", "number"))?,
            user: row.user(2, ("tokens", "user_id"))?,
            issued_at: row.instant(4, ("tokens", "issued_at"))?,
            active: since.zip(deadline).map(|(since, deadline)| Active {
                since,
                selection_ends_at: selection.unwrap_or(deadline),
                deadline,
                last_paid,
            }),
            end: match ended_at {
                Some(at) => Some(TokenEnd { at, reason: end_reason(row)? }),
                None => None,
            },
            out_version: row.number_or_null(10, ("tokens", "out_version"))?,
        };
        let status = row.text(3, ("tokens", "status"))?;
        if status != token.status().word() {
            return Err(wrong(
                ("tokens", "status"),
                format!("{status:?} of {:?} is not what its times say", token.ticket),
            ));
        }
        Ok(token)
    }
}

fn end_reason<'a>(row: &impl Columns<'a>) -> Result<EndReason, StoreError> {
    let paid = row.id_or_null(9, ("tokens", "paid_reservation"))?.map(ReservationId::new);
    let reason = row.text(8, ("tokens", "end_reason"))?;
    EndReason::of_words(&reason, paid).ok_or_else(|| wrong(("tokens", "end_reason"), format!("{reason:?}")))
}
