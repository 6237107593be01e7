//! The contract suite, on a database of its own for each test.

use std::sync::Arc;

use adapter_postgres::{Migrations, Options, PostgresStore};
use domain::{Rules, Timestamp};
use storage_contract::{SeededIds, Store, TestClock};

use crate::cluster;
use crate::scene::PATIENCE;

/// 2026-11-20T00:00:00Z.
const START: i64 = 1_795_132_800_000_000;

async fn make(rules: Rules) -> Store {
    let url = cluster::migrated().await;
    let clock = Arc::new(TestClock::new(Timestamp::from_micros(START)));
    let options = Options {
        migrations: Migrations::Refuse,
        clock: Some(clock.clone()),
        ids: Arc::new(SeededIds::new(1)),
        rules,
        connections: 4,
        patience: PATIENCE,
    };
    Store::of(Arc::new(PostgresStore::open(&url, options).await.unwrap()), clock)
}

storage_contract::contract_suite!(make);
