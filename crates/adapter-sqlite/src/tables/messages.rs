//! Rows of `messages`: what those who wait in a queue are told.

use diesel::SqliteConnection;
use domain::ports::StoreError;
use domain::{Edit, Message, QueueNumber, Timestamp};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow, wrong};

statements! {
    Find = "SELECT ko, en FROM messages WHERE queue = ?";
    Keep = "INSERT INTO messages (queue, since, ko, en) VALUES (?, ?, ?, ?) \
        ON CONFLICT (queue) DO UPDATE SET since = excluded.since, ko = excluded.ko, en = excluded.en";
    Remove = "DELETE FROM messages WHERE queue = ?";
}

/// What those who wait in a queue are told.
pub(crate) fn find(conn: &mut SqliteConnection, queue: QueueNumber) -> Result<Option<Message>, StoreError> {
    Find::row(conn, binds![queue])
}

/// Writes what they are told from `since` on, unless that stays.
pub(crate) fn change(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    since: Timestamp,
    message: &Edit<Message>,
) -> Result<(), StoreError> {
    match message {
        Edit::Keep => Ok(()),
        Edit::Clear => Remove::execute(conn, binds![queue]).map(drop),
        Edit::Set(message) => Keep::change_one(conn, binds![queue, since, message.ko(), message.en()]),
    }
}

impl FromRow for Message {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let (ko, en) = (row.text(0, ("messages", "ko"))?, row.text(1, ("messages", "en"))?);
        Self::new(&ko, &en).map_err(|_wrong| wrong(("messages", "queue"), "has texts that nobody may be shown"))
    }
}
