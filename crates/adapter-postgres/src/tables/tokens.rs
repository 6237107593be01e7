//! Rows of `tokens`.

use diesel::Queryable;
use domain::ports::StoreError;
use domain::token::{Active, EndReason, TokenEnd};
use domain::{QueueNumber, ReservationId, Ticket, Token};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::schema::tokens;
use crate::tables::columns::{Column, big, count, inconsistent, instant, ticket_number, user};

/// The columns of [`TokenRow`].
pub(crate) type SqlToken = (
    Column<tokens::number>,
    Column<tokens::user_id>,
    Column<tokens::status>,
    Column<tokens::issued_at>,
    Column<tokens::activated_at>,
    Column<tokens::deadline>,
    Column<tokens::ended_at>,
    Column<tokens::end_reason>,
    Column<tokens::paid_reservation>,
    Column<tokens::out_version>,
    Column<tokens::selection_ends_at>,
    Column<tokens::last_paid>,
);

/// A row of `tokens`.
#[derive(Queryable)]
pub(crate) struct TokenRow {
    pub(crate) number: i64,
    pub(crate) user_id: String,
    status: String,
    issued_at: OffsetDateTime,
    activated_at: Option<OffsetDateTime>,
    deadline: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    end_reason: Option<String>,
    paid_reservation: Option<Uuid>,
    out_version: Option<i64>,
    /// None also in a row of an older program, which let its token begin holds until the deadline.
    selection_ends_at: Option<OffsetDateTime>,
    last_paid: Option<Uuid>,
}

impl TokenRow {
    pub(crate) fn token(&self, queue: QueueNumber) -> Result<Token, StoreError> {
        let number = ticket_number(self.number)?;
        let bad = |column| inconsistent("tokens", column, format!("{} of queue {}", number.get(), queue.0));
        let active = match (self.activated_at, self.deadline) {
            (Some(since), Some(deadline)) => Some(Active {
                since: instant(since),
                selection_ends_at: instant(self.selection_ends_at.unwrap_or(deadline)),
                deadline: instant(deadline),
                last_paid: self.last_paid.map(ReservationId::new),
            }),
            (None, None) => None,
            _ => return Err(bad("deadline")),
        };
        let end = match (self.ended_at, self.end_reason.as_deref(), self.paid_reservation) {
            (None, None, None) => None,
            (Some(at), Some(reason), paid) => {
                let reason = EndReason::of_words(reason, paid.map(ReservationId::new));
                let reason = reason.ok_or_else(|| bad("end_reason"))?;
                Some(TokenEnd { at: instant(at), reason })
            }
            _ => return Err(bad("ended_at")),
        };
        let token = Token {
            ticket: Ticket { queue, number },
            user: user("tokens", &self.user_id)?,
            issued_at: instant(self.issued_at),
            active,
            end,
            out_version: self.out_version.map(|version| count("tokens", "out_version", version)).transpose()?,
        };
        if token.status().word() == self.status { Ok(token) } else { Err(bad("status")) }
    }
}

statement! {
    /// The tokens of these numbers, the live ones of these users, and, when at most `waiting` wait so that there may be an
    /// admission, the first `most` of those whose deadline is over.
    LockTokens {
        queue: i32, numbers: Vec<i64>, users: Vec<String>, waiting: i64, most: i64, now: Option<OffsetDateTime>,
    } -> SqlToken =
    "SELECT t.number, t.user_id, t.status, t.issued_at, t.activated_at, t.deadline, t.ended_at, t.end_reason,
            t.paid_reservation, t.out_version, t.selection_ends_at, t.last_paid
     FROM (SELECT n FROM (
              SELECT unnest(" numbers ")
              UNION
              SELECT (SELECT m.number FROM tokens m
                      WHERE m.queue = " queue " AND m.user_id = u AND m.ended_at IS NULL)
              FROM unnest(" users ") AS u
              UNION
              SELECT d.number
              FROM (SELECT number FROM tokens
                    WHERE (SELECT issued - frontier - ended_beyond FROM queues WHERE queue = " queue ") <= " waiting "
                      AND queue = " queue " AND status = 'ACTIVE' AND deadline <= coalesce(" now ", statement_timestamp())
                    ORDER BY deadline
                    LIMIT " most ") AS d
           ) AS wanted (n)
           ORDER BY n) AS a
     CROSS JOIN LATERAL (
         SELECT * FROM tokens WHERE queue = " queue " AND number = a.n FOR NO KEY UPDATE) AS t"
}

statement! {
    /// Rows that are there and locked: the conflict finds them by their key, whatever a planner knows of the table.
    UpdateTokens {
        queue: i32, numbers: Vec<i64>, users: Vec<String>, issued: Vec<OffsetDateTime>, statuses: Vec<String>,
        activated: Vec<Option<OffsetDateTime>>,
        deadlines: Vec<Option<OffsetDateTime>>, ended: Vec<Option<OffsetDateTime>>, reasons: Vec<Option<String>>,
        paid: Vec<Option<Uuid>>, out: Vec<Option<i64>>, selections: Vec<Option<OffsetDateTime>>,
        last_paid: Vec<Option<Uuid>>,
    } -> () =
    "INSERT INTO tokens (queue, number, user_id, issued_at, status, activated_at, deadline, ended_at, end_reason,
                         paid_reservation, out_version, selection_ends_at, last_paid)
     SELECT " queue ", n.*
     FROM unnest(" numbers ", " users ", " issued ", " statuses ", " activated ", " deadlines ", " ended ", " reasons ", " paid ", " out ",
                 " selections ", " last_paid ") AS n
     ON CONFLICT (queue, number) DO UPDATE
     SET status = excluded.status, activated_at = excluded.activated_at, deadline = excluded.deadline,
         ended_at = excluded.ended_at, end_reason = excluded.end_reason, paid_reservation = excluded.paid_reservation,
         out_version = excluded.out_version, selection_ends_at = excluded.selection_ends_at,
         last_paid = excluded.last_paid"
}

statement! {
    InsertTokens {
        queue: i32, numbers: Vec<i64>, users: Vec<String>, statuses: Vec<String>, issued: Vec<OffsetDateTime>,
        activated: Vec<Option<OffsetDateTime>>, deadlines: Vec<Option<OffsetDateTime>>, out: Vec<Option<i64>>,
        selections: Vec<Option<OffsetDateTime>>,
    } -> () =
    "INSERT INTO tokens (queue, number, user_id, status, issued_at, activated_at, deadline, out_version, selection_ends_at)
     SELECT " queue ", n.*
     FROM unnest(" numbers ", " users ", " statuses ", " issued ", " activated ", " deadlines ", " out ", " selections ") AS n"
}

pub(crate) fn update_tokens(queue: i32, tokens: &[&Token]) -> UpdateTokens {
    let reason = |t: &&Token| t.end.map(|end| end.reason.words());
    UpdateTokens {
        queue,
        numbers: tokens.iter().map(|t| big(t.ticket.number.get())).collect(),
        users: tokens.iter().map(|t| t.user.as_str().to_owned()).collect(),
        issued: tokens.iter().map(|t| t.issued_at.to_utc()).collect(),
        statuses: tokens.iter().map(|t| t.status().word().to_owned()).collect(),
        activated: tokens.iter().map(|t| t.active.map(|a| a.since.to_utc())).collect(),
        deadlines: tokens.iter().map(|t| t.active.map(|a| a.deadline.to_utc())).collect(),
        ended: tokens.iter().map(|t| t.end.map(|end| end.at.to_utc())).collect(),
        reasons: tokens.iter().map(|t| reason(t).map(|(reason, _)| reason.to_owned())).collect(),
        paid: tokens.iter().map(|t| reason(t).and_then(|(_, paid)| paid).map(ReservationId::uuid)).collect(),
        out: tokens.iter().map(|t| t.out_version.map(big)).collect(),
        selections: tokens.iter().map(|t| t.active.map(|a| a.selection_ends_at.to_utc())).collect(),
        last_paid: tokens.iter().map(|t| t.active.and_then(|a| a.last_paid).map(ReservationId::uuid)).collect(),
    }
}

pub(crate) fn insert_tokens(queue: i32, tokens: &[&Token]) -> InsertTokens {
    InsertTokens {
        queue,
        numbers: tokens.iter().map(|t| big(t.ticket.number.get())).collect(),
        users: tokens.iter().map(|t| t.user.as_str().to_owned()).collect(),
        statuses: tokens.iter().map(|t| t.status().word().to_owned()).collect(),
        issued: tokens.iter().map(|t| t.issued_at.to_utc()).collect(),
        activated: tokens.iter().map(|t| t.active.map(|a| a.since.to_utc())).collect(),
        deadlines: tokens.iter().map(|t| t.active.map(|a| a.deadline.to_utc())).collect(),
        out: tokens.iter().map(|t| t.out_version.map(big)).collect(),
        selections: tokens.iter().map(|t| t.active.map(|a| a.selection_ends_at.to_utc())).collect(),
    }
}
