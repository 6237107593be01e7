//! Starting on one database, and what servers must have in common.

use std::net::{TcpListener, TcpStream};

use diesel_async::SimpleAsyncConnection;
use e2e::{Process, Settings, Shop, Storage, Visitor, room, until};
use futures::future::join_all;

use super::{Servers, ticks};

/// On an empty database servers and schedulers that start at once migrate once, agree on one queue `main` and on one key for
/// the tokens, and all come up.
#[tokio::test]
async fn all_come_up_on_an_empty_database_at_once() {
    let _room = room().await;
    let settings = Settings::on_empty(Storage::Postgres).with("--scheduler", "off");
    let schedulers = [settings.spawn_scheduler(), settings.spawn_scheduler()];
    let shops: Vec<Shop> = join_all((0..2).map(|_| settings.clone().open())).await;
    until("the schedulers", async || schedulers.iter().all(ticks).then_some(())).await;
    let database = settings.database();
    let migrations = std::fs::read_dir(crate::docs::root().join("migrations/postgres")).unwrap().count();
    let kept = [("__diesel_schema_migrations", migrations), ("queue_registry", 1), ("policies", 1), ("token_keys", 1)];
    for (rows, count) in kept {
        assert_eq!(database.count(rows), count, "{rows}");
    }
    works_everywhere(&shops).await;
    shops[0].audit().await;
}

/// A token that one server has issued works on the other, and the reverse.
async fn works_everywhere(shops: &[Shop]) {
    let sale = shops[0].concert(2, 10).await;
    for (turn, seat) in (1..=2).enumerate() {
        let ann: Visitor = shops[turn].join(&format!("user-{turn}")).await;
        let there = ann.with_shop(&shops[1 - turn]);
        assert_eq!(there.status().await, "ACTIVE");
        there.charge(10).await.expect(201);
        let id = there.held(&sale.schedule, &[seat]).await;
        ann.pay(&id).await.expect(201);
    }
}

/// The key that was generated is kept in the database: a server that starts later takes it.
#[tokio::test]
async fn tokens_work_on_every_server_with_the_key_of_the_database() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    works_everywhere(&servers.shops).await;
    let ann = servers.shop(0).join("ann").await;
    servers.shop(1).crash().await;
    servers.shop(1).restart().await;
    assert_eq!(servers.at(1, &ann).status().await, "ACTIVE");
}

/// The operator's key, the same at both; and changed one server after the other, as `usher --help` tells.
#[tokio::test]
async fn tokens_work_on_every_server_with_the_key_of_the_operator() {
    const OLD: &str = "an old secret of the operator";
    const NEW: &str = "a new secret of the operator";
    let servers = Servers::open(Settings::on(Storage::Postgres).with("--token-key", OLD)).await;
    works_everywhere(&servers.shops).await;
    let ann = servers.shop(0).join("ann").await;
    servers.shop(1).crash().await;
    let changed = servers.shop(1).settings().clone().with("--token-key", format!("{OLD},{NEW}")).open().await;
    assert_eq!(ann.with_shop(&changed).status().await, "ACTIVE");
    // The one that does not know the new secret yet still verifies what the other seals.
    let ben = changed.join("ben").await;
    assert_eq!(servers.at(0, &ben).status().await, "ACTIVE");
}

/// Somebody looks at the tables, for as long as they like: a server that is to start waits, says so, lets nobody in who would wait
/// with it, and ends when it is told to.
#[tokio::test]
async fn a_server_that_waits_for_another_lets_nobody_in_and_can_be_stopped() {
    let _room = room().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings::on_empty(Storage::Postgres).with("--listen", free);
    let mut other = test_postgres::connect(&settings.database().url()).await;
    other.batch_execute("SELECT pg_advisory_lock(x'7573686572'::bigint)").await.unwrap();
    let told = async |process: &Process| {
        until("it says that it waits", async || process.output().contains("waiting for another process").then_some(()))
            .await;
    };
    let (server, migration) = (settings.spawn(), settings.spawn_migration());
    let scheduler = settings.spawn_scheduler();
    for process in [server, migration, scheduler] {
        told(&process).await;
        assert!(TcpStream::connect(free).is_err(), "nobody is let in");
        process.terminate();
        let finished = process.finished().await;
        assert!(finished.code.is_some(), "it obeyed, and was not killed: {finished:#?}");
        assert_eq!(finished.stdout, "");
    }
    let server = settings.spawn();
    told(&server).await;
    other.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    server.address();
    assert!(TcpStream::connect(free).is_ok());
}

/// R1: a queue that was made at one server can be sold through and joined at the other, which learns of it by itself.
#[tokio::test]
async fn a_queue_made_at_one_server_is_joined_at_the_other_r1() {
    let servers = Servers::open(Settings::on(Storage::Postgres)).await;
    servers.shop(0).make_queue(serde_json::json!({"name": "late"})).await;
    let sale = servers.shop(1).concert_in("late", "2099-01-01T00:00:00Z", 1, 1).await;
    let join = serde_json::json!({"user_id": "ann", "queue": "late"});
    let joined = until("the other server learns of the queue", async || {
        let answer = servers.shop(1).api(reqwest::Method::POST, "/queue/tokens").json(join.clone()).await;
        (answer.status == 201).then(|| answer.json())
    })
    .await;
    Visitor::new(servers.shop(1), &joined).held(&sale.schedule, &[1]).await;
    servers.audit().await;
}
