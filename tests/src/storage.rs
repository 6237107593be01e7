//! The storages that a server can be started on, and how a test runs on each of them.

use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

/// Where a server keeps what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A file.
    Sqlite,
    /// A database on a server.
    Postgres,
}

/// Makes of each function `async fn name(storage: Storage)` two tests: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! on_each_storage {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test]
            async fn sqlite() {
                Box::pin(super::$name($crate::Storage::Sqlite)).await;
            }

            #[tokio::test]
            async fn postgres() {
                let _room = $crate::room().await;
                Box::pin(super::$name($crate::Storage::Postgres)).await;
            }
        }
    )+};
}

/// The most connections that one test has at once: two servers, two schedulers, and its own.
const CONNECTIONS_OF_A_TEST: usize = 48;

/// Waits until the PostgreSQL server has connections for one more test, however many run at once.
pub async fn room() -> SemaphorePermit<'static> {
    static ROOM: OnceCell<Semaphore> = OnceCell::const_new();
    let room = ROOM.get_or_init(async || {
        let tests = test_postgres::max_connections().await / CONNECTIONS_OF_A_TEST;
        Semaphore::new(tests.max(1))
    });
    room.await.acquire().await.expect("nobody closes it")
}
