//! Telling the store whom this server has seen.

use std::sync::Arc;

use app::App;
use domain::presence::note_every;
use tokio::sync::watch::Receiver;

use super::{every, failed, next};

/// Tells the store every few seconds whom this server has seen, until `stop` turns true or its sender is gone; then says
/// goodbye. Does nothing where the rules never pass anybody over.
pub async fn watch(app: Arc<App>, mut stop: Receiver<bool>) {
    let absence = app.rules().absence;
    if absence.is_zero() {
        return;
    }
    let mut interval = every(note_every(absence));
    while next(&mut interval, &mut stop).await {
        if let Err(error) = app.note_presence().await {
            failed("tell whom it has seen", &error);
        }
    }
    if let Err(error) = app.say_goodbye().await {
        failed("say goodbye", &error);
    }
}
