//! The statements in diesel's typed language, as they are sent.

use std::collections::BTreeMap;

use diesel::debug_query;
use diesel::pg::Pg;
use diesel::query_builder::{DebugQuery, QueryFragment};
use domain::concert::{Loaded, NewSchedule, ScheduleFilter};
use domain::seal::{ServerKey, StoredKey};
use domain::{ConcertId, Fingerprint, IdempotencyKey, LocalTime, QueueNumber, Timestamp};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::sources::shape;
use crate::batches::loading;
use crate::ports::{clockwork, concerts, new_epoch, token_keys};
use crate::tables::{loadings, messages, payments, schedules, servers, wallets};

/// The functions that make a part of a statement and none that is sent.
pub(super) const PARTS: [&str; 1] = ["schedules_of"];

const ID: Uuid = Uuid::nil();
const AT: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const DATE: Date = Date::MIN;

/// The functions that make a statement, each with what it makes: more than one where it leaves filters out.
pub(super) fn statements() -> BTreeMap<&'static str, Vec<String>> {
    let user = || "user".to_owned();
    let now = Timestamp::from_micros(0);
    let schedule = NewSchedule { starts_at: LocalTime::new(now, 0).unwrap(), max_per_user: None, seats: Vec::new() };
    let fingerprint = Fingerprint::of([]);
    let loaded = Loaded { fingerprint, queue: QueueNumber(1), concert: ConcertId::new(ID) };
    let load_key = IdempotencyKey::parse("k").unwrap();
    let key = StoredKey { fingerprint: ServerKey::from_bytes([1; 32]).fingerprint(), generated: None };
    BTreeMap::from([
        ("find_anywhere", vec![sql(&schedules::find_anywhere(vec![ID]))]),
        ("find_concert", vec![sql(&concerts::find_concert(ID))]),
        ("find_key", vec![sql(&token_keys::find_key())]),
        ("find_loaded_schedules", vec![sql(&loadings::find_loaded_schedules(1, ID))]),
        ("find_loading", vec![sql(&loadings::find_loading("k".to_owned()))]),
        ("find_number", vec![sql(&loading::find_number("main".to_owned()))]),
        ("find_schedules", vec![sql(&schedules::find_schedules(1, vec![ID]))]),
        ("find_servers", vec![sql(&servers::find_servers())]),
        ("find_tick", vec![sql(&clockwork::find_tick())]),
        ("find_wallet", vec![sql(&wallets::find_wallet(user()))]),
        ("insert_concert", vec![sql(&loading::insert_concert(1, ID, "Concert".to_owned(), AT, None))]),
        ("insert_first_policy", vec![sql(&loading::insert_first_policy(1, AT, 1, 1, 1, false, Some(AT)))]),
        ("insert_loading", vec![sql(&loadings::insert_loading(&load_key, &loaded, now))]),
        ("insert_name", vec![sql(&loading::insert_name(1, "main".to_owned(), AT))]),
        ("insert_queue", vec![sql(&loading::insert_queue(1, Vec::new()))]),
        ("insert_schedule", vec![sql(&loading::insert_schedule(1, ID, ID, &schedule))]),
        ("keep_first", vec![sql(&token_keys::keep_first(&key))]),
        ("list_entries", vec![sql(&wallets::list_entries(user(), 1, 1))]),
        ("list_payments", vec![sql(&payments::list_payments(1, user(), ID, 1))]),
        ("list_schedules", lists_of_schedules()),
        ("list_seats", vec![sql(&concerts::list_seats(1, ID))]),
        ("lock_queues", vec![sql(&new_epoch::lock_queues())]),
        ("lock_server", vec![sql(&servers::lock_server(ID))]),
        ("newest_number", vec![sql(&loading::newest_number())]),
        ("remove_message", vec![sql(&messages::remove_message(1))]),
        ("remove_server", vec![sql(&servers::remove_server(ID))]),
        ("remove_servers", vec![sql(&servers::remove_servers(AT, AT))]),
    ])
}

/// With and without each of the filters.
fn lists_of_schedules() -> Vec<String> {
    let lists = (0..32).map(|given| {
        let has = |filter: u32| given & (1 << filter) != 0;
        let filter = ScheduleFilter {
            concert: has(0).then_some(ConcertId::new(ID)),
            from: has(1).then_some(DATE),
            to: has(2).then_some(DATE),
        };
        sql(&schedules::list_schedules(1, &filter, has(3).then_some((AT, ID)), has(4).then_some(AT), 1))
    });
    lists.collect()
}

fn sql<T>(statement: &T) -> String
where
    for<'a> DebugQuery<'a, T, Pg>: std::fmt::Display,
    T: QueryFragment<Pg>,
{
    let text = debug_query::<Pg, _>(statement).to_string();
    text.split(" -- binds:").next().unwrap_or_default().trim().to_owned()
}

#[test]
fn the_filters_that_are_left_out_make_statements_of_their_own() {
    let mut lists: Vec<_> = lists_of_schedules().iter().map(|list| shape(list)).collect();
    lists.sort_unstable();
    lists.dedup();
    assert_eq!(lists.len(), 32);
}
