//! `kill -9` under load: S13, W15, Q10. A success that was answered is there after it; nothing is there by half.

use e2e::{Settings, Storage, on_each_storage, until};
use serde_json::json;

use crate::load::{Log, PRICE, SEATS, buy_until_it_ends, nothing_is_lost};

on_each_storage![what_was_answered_survives_kill_9, each_kind_of_success_is_durable_at_once,];

/// Several rounds on one database: buy, kill, start again, find everything, audit.
async fn what_was_answered_survives_kill_9(storage: Storage) {
    let shop = Settings::on(storage).with("--wallet-gate", "any").open().await;
    let sale = shop.concert(SEATS, PRICE).await;
    let log = Log::default();
    for round in 0..4 {
        let enough = log.answered() + 120 + round * 17;
        let kill = async {
            until("the crowd buys", async || (log.answered() >= enough).then_some(())).await;
            shop.crash().await;
        };
        futures::join!(buy_until_it_ends(&shop, &sale.schedule, &log, round), kill);
        shop.audit().await;
        shop.restart().await;
        nothing_is_lost(&shop, &log).await;
        shop.audit().await;
    }
    assert_ne!(log.unanswered(), 0, "kills that interrupt nothing prove little");
}

/// S13: a single answer is enough to be durable, whatever it was: the process is killed the moment it has come.
async fn each_kind_of_success_is_durable_at_once(storage: Storage) {
    let shop = Settings::on(storage).with("--wallet-gate", "any").open().await;
    let sale = shop.concert(2, 30).await;
    shop.crash().await;
    shop.restart().await;
    let ann = shop.join("ann").await;
    shop.crash().await;
    shop.restart().await;
    assert_eq!(ann.status().await, "ACTIVE");
    ann.charge(100).await.expect(201);
    shop.crash().await;
    shop.restart().await;
    assert_eq!(ann.balance().await, 100);
    let (held, given) = (ann.held(&sale.schedule, &[1]).await, ann.held(&sale.schedule, &[2]).await);
    ann.cancel(&given).await.expect(204);
    shop.crash().await;
    shop.restart().await;
    assert_eq!(ann.reservation(&given).await.expect(200)["cancel_reason"], "USER");
    ann.pay(&held).await.expect(201);
    shop.crash().await;
    shop.restart().await;
    assert_eq!((ann.status().await.as_str(), ann.balance().await), ("EXPIRED", json!(70)));
    assert_eq!(ann.reservation(&held).await.expect(200)["status"], "CONFIRMED");
    let queue = shop.policy("main", json!({"paused": true})).await;
    let ben = shop.join("ben").await;
    ben.leave().await.expect(204);
    shop.crash().await;
    shop.restart().await;
    assert_eq!((ben.status().await.as_str(), &shop.queue("main").await["paused"]), ("EXPIRED", &queue["paused"]));
    shop.audit().await;
}
