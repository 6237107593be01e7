//! Databases with Usher's tables.

use adapter_postgres::migrate;
use test_postgres::copy_of;
pub(crate) use test_postgres::{connect, empty};
use tokio::sync::OnceCell;

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
