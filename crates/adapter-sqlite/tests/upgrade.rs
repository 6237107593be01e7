//! Rows of the version before, which had the file first (`docs/operations.md`, "Upgrade").
#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in what it is made of too")]

use std::path::Path;
use std::sync::Arc;

use adapter_sqlite::{Migrations, SqliteStore};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use domain::ports::{PATIENCE, QueueRepository};
use domain::{QueueNumber, Rules, Timestamp, UserId};
use storage_contract::{SeededIds, TestClock};

const MAIN: QueueNumber = QueueNumber(1);

fn open(path: &Path) -> SqliteStore {
    let clock = Arc::new(TestClock::new(Timestamp::from_micros(1_795_132_800_000_000)));
    SqliteStore::open(path, Migrations::Apply, clock, Arc::new(SeededIds::new(1)), Rules::default(), PATIENCE).unwrap()
}

#[tokio::test]
async fn who_is_within_during_the_upgrade_begins_holds_until_the_deadline_r5() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usher.db");
    let store = open(&path);
    let mut numbers = Vec::new();
    for name in ["within", "gone"] {
        numbers.push(store.join(MAIN, &UserId::parse(name).unwrap()).await.unwrap().unwrap().token.ticket);
    }
    store.leave(*numbers.last().unwrap()).await.unwrap().unwrap();
    store.shutdown();
    let mut older = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    older.batch_execute(include_str!("../../../migrations/sqlite/2026-11-27-000001_turn/down.sql")).unwrap();
    older.batch_execute(include_str!("../../../migrations/sqlite/2026-11-27-000001_turn/up.sql")).unwrap();
    drop(older);
    let store = open(&path);
    let numbers: Vec<_> = numbers.iter().map(|ticket| ticket.number).collect();
    let tokens = store.tokens(MAIN, &numbers).await.unwrap();
    assert_eq!(tokens.len(), 2);
    for token in tokens {
        let active = token.active.unwrap();
        assert_eq!((active.selection_ends_at, active.last_paid), (active.deadline, None));
    }
}
