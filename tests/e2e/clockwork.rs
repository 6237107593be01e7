//! A clockwork that has died, or was forgotten, is missed by every server.

use e2e::{Settings, Shop, Storage, on_each_storage, room, until};
use reqwest::Method;
use serde_json::json;

on_each_storage![a_clockwork_that_ticks_is_not_missed];

async fn warnings(shop: &Shop) -> serde_json::Value {
    shop.request(Method::GET, "/readyz").await.expect(200)["warnings"].clone()
}

async fn warn_of(shop: &Shop, expected: serde_json::Value) {
    until("what the server warns of", async || (warnings(shop).await == expected).then_some(())).await;
}

async fn says(shop: &Shop, words: &str) {
    until(words, async || shop.output().contains(words).then_some(())).await;
}

/// Wherever it ticks, and however long.
async fn a_clockwork_that_ticks_is_not_missed(storage: Storage) {
    let shop = Shop::open(storage).await;
    assert_eq!(warnings(&shop).await, json!([]));
    let ticked = "SELECT CAST(ticked_at AS TEXT) AS text FROM clockwork WHERE ticked_at IS NOT NULL";
    until("it ticks", async || (shop.database().count("clockwork WHERE ticked_at IS NOT NULL") == 1).then_some(()))
        .await;
    let first = shop.database().text(ticked);
    until("it goes on", async || (shop.database().text(ticked) != first).then_some(())).await;
    let metrics = shop.request(Method::GET, "/metrics").await;
    let metrics = String::from_utf8(metrics.body.clone()).unwrap();
    assert!(metrics.contains("usher_clockwork_last_tick_seconds "), "{metrics}");
}

/// The only scheduler is killed: the server says so, goes on, and says that there is one again.
#[tokio::test]
async fn a_clockwork_that_is_killed_is_missed_until_there_is_another() {
    let _room = room().await;
    let shop = Settings::on(Storage::Postgres).with("--scheduler", "off").open().await;
    let scheduler = shop.settings().spawn_scheduler();
    until("it ticks", async || (shop.database().count("clockwork WHERE ticked_at IS NOT NULL") == 1).then_some(()))
        .await;
    scheduler.kill().await;
    warn_of(&shop, json!(["clockwork_silent"])).await;
    says(&shop, "no clockwork has ticked for 1").await;
    shop.join("ann").await;
    let _scheduler = shop.settings().spawn_scheduler();
    warn_of(&shop, json!([])).await;
    says(&shop, "a clockwork ticks again").await;
}
