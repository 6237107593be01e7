//! Looking for what the queues have left to buy.

use std::sync::Arc;
use std::time::Duration;

use app::App;
use tokio::sync::watch::Receiver;
use tracing::{info, warn};

use super::{every, next};

/// How old what those who wait are told of it may be, or a little older.
const EVERY: Duration = Duration::from_secs(1);

/// Looks every second for what is left in the queues about which somebody asks, until `stop` turns true or its sender is gone.
pub async fn take_stock(app: Arc<App>, mut stop: Receiver<bool>) {
    let (mut interval, mut failing) = (every(EVERY), false);
    while next(&mut interval, &mut stop).await {
        let read = app.read_stock().await;
        match &read {
            Err(error) if !failing => {
                warn!(%error, "nobody can see what is left to buy; who waits is told what was last known");
            }
            Ok(()) if failing => info!("what is left to buy is seen again"),
            _ => {}
        }
        failing = read.is_err();
    }
}
