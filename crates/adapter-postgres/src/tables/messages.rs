//! Rows of `messages`: what those who wait in a queue are told.

use diesel::dsl::{auto_type, delete};
use diesel::sql_types::{Nullable, Text};
use diesel::{ExpressionMethods, QueryDsl, Queryable};
use diesel_async::AsyncPgConnection;
use domain::ports::StoreError;
use domain::{Edit, Message, Timestamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use time::OffsetDateTime;

use crate::connections::statement::{run, statement};
use crate::schema::messages;
use crate::tables::columns::inconsistent;

/// The columns of [`MessageRow`].
pub(crate) type SqlMessage = (Nullable<Text>, Nullable<Text>);

/// A row of `messages`, if there is one.
#[derive(Queryable)]
pub(crate) struct MessageRow {
    ko: Option<String>,
    en: Option<String>,
}

impl MessageRow {
    pub(crate) fn message(self) -> Result<Option<Message>, StoreError> {
        let Some((ko, en)) = self.ko.zip(self.en) else { return Ok(None) };
        let message = Message::new(&ko, &en)
            .map_err(|_wrong| inconsistent("messages", "queue", "has texts that nobody may be shown"))?;
        Ok(Some(message))
    }
}

statement! {
    /// Keeps what those who wait in a queue are told. By hand, because diesel prepares a `DO UPDATE` of its own anew each time.
    KeepMessage { queue: i32, since: OffsetDateTime, ko: String, en: String } -> () =
    "INSERT INTO messages (queue, since, ko, en) VALUES (" queue ", " since ", " ko ", " en ")
     ON CONFLICT (queue) DO UPDATE SET since = excluded.since, ko = excluded.ko, en = excluded.en"
}

/// Removes what they are told.
#[auto_type(no_type_alias)]
pub(crate) fn remove_message(queue: i32) -> _ {
    delete(messages::table.filter(messages::queue.eq(queue)))
}

/// Writes what they are told from `since` on, unless that stays.
pub(crate) fn change_message<'c>(
    conn: &'c AsyncPgConnection,
    queue: i32,
    since: Timestamp,
    message: &Edit<Message>,
) -> BoxFuture<'c, diesel::QueryResult<()>> {
    match message {
        Edit::Keep => std::future::ready(Ok(())).boxed(),
        Edit::Clear => run(conn, remove_message(queue)),
        Edit::Set(message) => {
            let (ko, en) = (message.ko().to_owned(), message.en().to_owned());
            run(conn, KeepMessage { queue, since: since.to_utc(), ko, en })
        }
    }
}
