//! Databases with Usher's tables.

use std::path::{Path, PathBuf};

use adapter_postgres::migrate;
pub(crate) use test_postgres::{connect, empty};
use test_postgres::{copy_of, empty_throw_away};
use tokio::sync::OnceCell;

/// The folders of a dialect's migrations, in their order.
pub(crate) fn migrations(dialect: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(dialect);
    let mut folders: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// The URL of a new database with all migrations.
pub(crate) async fn migrated() -> String {
    let template = TEMPLATE.get_or_init(|| async {
        let url = empty().await;
        migrate(&url).await.unwrap();
        url
    });
    copy_of(template.await).await
}

/// The same on a throw-away cluster, where the tests are superuser and a standby is waited for that never comes.
pub(crate) async fn migrated_throw_away() -> String {
    let url = empty_throw_away().await;
    migrate(&url).await.unwrap();
    url
}
