//! How many commands a second the store takes: `cargo run --release -p adapter-sqlite --example load_sqlite -- [DIRECTORY [CALLERS]...]`.
//!
//! Every answer is on disk, and every charge, hold and payment has a key. The directory is where the file is made, the system's temporary one if none is named: what a
//! sync costs there decides the figures of few callers.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that measures: it prints, and a failure ends it"
)]

use std::path::PathBuf;
use std::sync::Arc;

use adapter_sqlite::{Migrations, SqliteStore};
use domain::ports::PATIENCE;
use domain::{Rules, Timestamp};
use storage_contract::{SeededIds, TestClock};

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let directory = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let callers: Vec<usize> = std::env::args().skip(2).map(|callers| callers.parse().unwrap()).collect();
    println!("callers joins charges holds pays");
    for callers in if callers.is_empty() { vec![1, 64, 256] } else { callers } {
        let scratch = tempfile::tempdir_in(&directory).unwrap();
        let clock = Arc::new(TestClock::new(Timestamp::from_micros(1_795_132_800_000_000)));
        let (path, ids) = (scratch.path().join("usher.db"), Arc::new(SeededIds::new(1)));
        let store = SqliteStore::open(&path, Migrations::Apply, clock, ids, Rules::default(), PATIENCE).unwrap();
        let rates = storage_contract::rates(store.clone(), "load", callers, true).await;
        println!("{callers} {:.0} {:.0} {:.0} {:.0}", rates.joins, rates.charges, rates.holds, rates.pays);
        store.shutdown();
    }
}
