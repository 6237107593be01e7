//! Telling the store whom this server has seen.

use std::sync::Arc;

use app::App;
use domain::presence::note_every;
use tokio::sync::watch::Receiver;

use super::{every, failed, next};

/// Tells the store every few seconds whom this server has seen, until `stop` turns true or its sender is gone. Where the
/// rules never pass anybody over it tells no more than that it is there, so that nobody renews the epochs behind its back.
pub async fn watch(app: Arc<App>, mut stop: Receiver<bool>) {
    let mut interval = every(note_every(app.rules().absence));
    while next(&mut interval, &mut stop).await {
        if let Err(error) = app.note_presence().await {
            failed("tell whom it has seen", &error);
        }
    }
}

/// Says that this server stops. To be called when nothing ticks and watches any more: either would take it back.
pub async fn say_goodbye(app: &App) {
    if let Err(error) = app.say_goodbye().await {
        failed("say goodbye", &error);
    }
}
