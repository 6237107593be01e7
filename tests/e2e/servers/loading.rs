//! Loading, when an operator asks two servers for the same.

use e2e::{Answer, Settings, Storage};
use futures::future::join_all;
use serde_json::{Value, json};

use super::Servers;

fn concert(title: &str) -> Value {
    let schedule = json!({"starts_at": "2099-12-24T19:30:00+09:00", "seats": [{"count": 2_000, "price": 10}]});
    json!({"title": title, "schedules": [schedule]})
}

/// R15: one key at both servers at once loads one concert, and all hear of the same one; another request is a 422 at either.
#[tokio::test]
async fn one_key_at_two_servers_loads_once_r15() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    for round in 0..5 {
        let (title, key) = (format!("Gala {round}"), format!("gala-{round}"));
        let load =
            async |turn: usize, title: &str| -> Answer { servers.shop(turn).loading(concert(title)).key(&key).await };
        let answers = join_all((0..10).map(|turn| load(turn, &title))).await;
        let first = answers[0].expect(201);
        assert!(answers.iter().all(|answer| answer.expect(201) == first));
        assert_eq!(answers.iter().filter(|answer| !answer.replayed()).count(), 1);
        for turn in 0..2 {
            load(turn, "another").await.refused(422, "idempotency_key_reused");
        }
    }
    assert_eq!((servers.database().count("concerts"), servers.database().count("seats")), (5, 10_000));
    servers.audit().await;
}

/// R15: two concerts race for one key at two servers: one of them is loaded, and the other is told so.
#[tokio::test]
async fn two_concerts_under_one_key_at_two_servers_r15() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    for round in 0..10 {
        let key = format!("k-{round}");
        let load = async |turn: usize| -> Answer {
            servers.shop(turn).loading(concert(&format!("Gala of server {turn}"))).key(&key).await
        };
        let (one, other) = futures::join!(load(0), load(1));
        let (done, refused) = if one.status == 201 { (one, other) } else { (other, one) };
        done.expect(201);
        refused.refused(422, "idempotency_key_reused");
    }
    assert_eq!(servers.database().count("concerts"), 10);
    servers.audit().await;
}
