//! Rows of `servers`: what each server tells of itself.

use diesel::dsl::{AsSelect, auto_type, delete};
use diesel::pg::Pg;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use domain::presence::Watch;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::schema::servers;
use crate::tables::columns::instant;

#[derive(Queryable, Selectable)]
#[diesel(table_name = servers, check_for_backend(Pg))]
pub(crate) struct ServerRow {
    since: OffsetDateTime,
    last: OffsetDateTime,
}

impl ServerRow {
    pub(crate) fn watch(self) -> Watch {
        Watch { since: instant(self.since), last: instant(self.last) }
    }
}

/// Reads what the servers tell of themselves.
#[auto_type(no_type_alias)]
pub(crate) fn find_servers() -> _ {
    let row: AsSelect<ServerRow, Pg> = ServerRow::as_select();
    servers::table.select(row)
}

/// Locks a server's row, and reads what it has told of itself.
#[auto_type(no_type_alias)]
pub(crate) fn lock_server(server: Uuid) -> _ {
    let row: AsSelect<ServerRow, Pg> = ServerRow::as_select();
    servers::table.filter(servers::id.eq(server)).select(row).for_update()
}

statement! {
    /// Keeps what a server tells of itself. By hand, because diesel prepares a `DO UPDATE` of its own anew each time.
    KeepServer { server: Uuid, since: OffsetDateTime, last: OffsetDateTime } -> () =
    "INSERT INTO servers (id, since, last) VALUES (" server ", " since ", " last ")
     ON CONFLICT (id) DO UPDATE SET since = excluded.since, last = excluded.last"
}

/// Removes the servers that have told of themselves neither after `gone` nor before `ahead`, which is as far from now: notes of a
/// time to come are of before the clock was set back.
#[auto_type(no_type_alias)]
pub(crate) fn remove_servers(gone: OffsetDateTime, ahead: OffsetDateTime) -> _ {
    delete(servers::table.filter(servers::last.le(gone).or(servers::last.ge(ahead))))
}

/// Removes a server that stops.
#[auto_type(no_type_alias)]
pub(crate) fn remove_server(server: Uuid) -> _ {
    delete(servers::table.filter(servers::id.eq(server)))
}
