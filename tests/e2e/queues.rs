//! Queues that their operator makes, before anything is sold through them.

use e2e::{Shop, Storage, on_each_storage};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::servers::Servers;

on_each_storage![nobody_is_in_before_the_operator_opens_a_queue_made_paused,];

/// A queue can be paused before anything is loaded into it: whoever joins in the first moment waits.
async fn nobody_is_in_before_the_operator_opens_a_queue_made_paused(storage: Storage) {
    let shop = Shop::open(storage).await;
    let made = shop.make_queue(json!({"name": "tonight", "paused": true, "max_active": 2})).await;
    assert_eq!((&made["queue"], &made["paused"], &made["max_active"]), (&json!("tonight"), &json!(true), &json!(2)));
    assert_eq!(made, shop.queue("tonight").await);
    let early = shop.join_queue("early", "tonight").await;
    let sale = shop.concert_in("tonight", "2099-01-01T00:00:00Z", 3, 1).await;
    early.hold(&sale.schedule, &[1]).await.refused(403, "token_not_active");
    let again = || shop.admin(Method::POST, "/queues").json(json!({"name": "tonight"}));
    again().await.refused(409, "queue_exists");
    assert_eq!(made["paused"], shop.queue("tonight").await["paused"], "a refusal changes nothing");
    shop.policy("tonight", json!({"paused": false})).await;
    early.becomes("ACTIVE").await;
    early.held(&sale.schedule, &[1]).await;
    shop.audit().await;
}

/// Of many operators at two servers one makes a queue, and both servers know it.
#[tokio::test]
async fn of_many_who_make_a_queue_at_two_servers_one_does() {
    let servers = Servers::open(e2e::Settings::on(Storage::Postgres)).await;
    let made = join_all((0..8).map(async |n| {
        let body = json!({"name": "tonight", "max_active": n + 1});
        servers.shop(n).admin(Method::POST, "/queues").json(body).await
    }))
    .await;
    let statuses: Vec<_> = made.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 201).unwrap();
    for n in 0..2 {
        assert_eq!(servers.shop(n).queue("tonight").await["max_active"], winner + 1);
        servers.shop(n).join_queue(&format!("user-{n}"), "tonight").await;
    }
    servers.audit().await;
}
