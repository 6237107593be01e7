//! The contract suite on a file of its own for each test.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in what it is made of too")]

use std::sync::Arc;
use std::time::Duration;

use adapter_sqlite::{Migrations, SqliteStore};
use domain::{Rules, Timestamp};
use storage_contract::{SeededIds, Store, TestClock};

/// 2026-11-20T00:00:00Z.
const START: i64 = 1_795_132_800_000_000;

/// How long a store waits: so long that nobody is refused on a slow machine.
const PATIENCE: Duration = Duration::from_secs(600);

async fn make(rules: Rules) -> Store {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new(Timestamp::from_micros(START)));
    let path = directory.path().join("usher.db");
    let ids = Arc::new(SeededIds::new(1));
    let store = SqliteStore::open(&path, Migrations::Apply, clock.clone(), ids, rules, PATIENCE).unwrap();
    Store { keep: Some(Box::new(directory)), ..Store::of(Arc::new(store), clock) }
}

storage_contract::contract_suite!(make);
