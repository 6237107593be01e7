//! How many commands a second the store takes: `cargo run --release -p adapter-postgres --example load_postgres -- URL [CALLERS]...`.
//!
//! The URL is that of an empty database, which is filled: by each number of callers twice, without and with idempotency keys. `bench/storage` compares the figures with pgbench on the same server;
//! what a sync costs on the server's disk decides those of few callers.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that measures: it prints, and a failure ends it"
)]

use std::sync::Arc;

use adapter_postgres::{Migrations, Options, PostgresStore};
use domain::Rules;
use domain::ports::PATIENCE;
use storage_contract::SeededIds;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let callers: Vec<usize> = std::env::args().skip(2).map(|callers| callers.parse().unwrap()).collect();
    let callers = if callers.is_empty() { vec![1, 64, 256] } else { callers };
    println!("callers keys joins charges holds pays");
    for (callers, keyed) in callers.into_iter().flat_map(|callers| [(callers, false), (callers, true)]) {
        let options = Options {
            migrations: Migrations::Apply,
            clock: None,
            ids: Arc::new(SeededIds::new(u64::try_from(callers).unwrap() * 2 + u64::from(keyed))),
            rules: Rules::default(),
            connections: 8,
            patience: PATIENCE,
        };
        let store = PostgresStore::open(&url, options).await.unwrap();
        let rates = storage_contract::rates(store.clone(), &format!("load-{callers}-{keyed}"), callers, keyed).await;
        let keys = if keyed { "yes" } else { "no" };
        println!("{callers} {keys} {:.0} {:.0} {:.0} {:.0}", rates.joins, rates.charges, rates.holds, rates.pays);
        store.shutdown().await;
    }
}
