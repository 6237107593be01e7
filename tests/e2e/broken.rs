//! A store that is slow, locked or damaged: the three codes that no caller can bring about (ADR 1).

use std::cell::Cell;
use std::time::Duration;

use e2e::{Answer, Request, Settings, Shop, Storage, on_each_storage, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::codes::speaks;

on_each_storage![
    a_locked_database_is_unavailable_and_recovers,
    one_damaged_reservation_does_not_stop_the_sweep,
    a_payment_that_fails_changes_nothing,
    who_waited_too_long_is_told_that_nothing_was_done,
    a_damaged_row_is_internal_and_told_to_the_log_only,
];

/// Somebody else holds the database's write lock: writes are answered `unavailable`, reads go on, and when the lock is
/// gone the same key executes what was not, once.
async fn a_locked_database_is_unavailable_and_recovers(storage: Storage) {
    // What a server has to tell of itself stands in line for the file as well: whoever comes behind it must wait their turn.
    let patience = if storage == Storage::Sqlite { 600 } else { 5 };
    let shop = Settings::on(storage).with("--patience-seconds", patience).with("--scheduler", "off").open().await;
    let ann = shop.join("ann").await;
    let lock = shop.database().lock().await;
    tried(|| shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": "ben"}))).await;
    let english = tried(|| ann.charge(5).key("k")).await;
    let korean = tried(|| ann.charge(5).key("k").header("Accept-Language", "ko")).await;
    speaks("unavailable", &english, &korean);
    assert_eq!((ann.status().await.as_str(), ann.balance().await), ("ACTIVE", json!(0)));
    lock.release().await;
    ann.charge(5).key("k").await.expect(201);
    assert!(ann.charge(5).key("k").await.replayed());
    assert_eq!(ann.balance().await, 5);
    // Q17: the join that failed locks nobody out.
    assert_eq!(shop.join("ben").await.joined["status"], "ACTIVE");
    assert_eq!(shop.queue("main").await["issued"], 2);
    shop.audit().await;
}

/// Asks until it was tried in vain. What a server has to tell of itself may stand in line for the lock before it: then it was not
/// executed, which is another answer, and as right.
async fn tried(ask: impl Fn() -> Request) -> Answer {
    until("it is tried", async || {
        let answer = ask().await;
        assert!(answer.status == 503 && ["overloaded", "unavailable"].contains(&answer.code().as_str()), "{answer}");
        (answer.code() == "unavailable").then_some(answer)
    })
    .await
}

/// S8, R10: a row that cannot be read does not keep the sweeper from the others.
async fn one_damaged_reservation_does_not_stop_the_sweep(storage: Storage) {
    let shop = Settings::on(storage).with("--hold-seconds", 1).with("--scheduler", "off").open().await;
    let sale = shop.concert(3, 10).await;
    let users = shop.join_all(["ann", "ben", "cem"].map(str::to_owned)).await;
    for (seat, user) in (1..).zip(&users) {
        user.held(&sale.schedule, &[seat]).await;
    }
    shop.database().execute("UPDATE reservations SET user_id = '' WHERE user_id = 'ann'");
    shop.crash().await;
    let sweeping = shop.settings().clone().with("--scheduler", "embedded").open().await;
    let left = "SELECT string_agg(user_id || '.', '') AS text FROM reservations WHERE status = 'PENDING'";
    until("the sweep of the others", async || (sweeping.database().text(left) == ".").then_some(())).await;
    users[1].with_shop(&sweeping).held(&sale.schedule, &[2, 3]).await;
}

/// W14: a payment that fails half-way changes nothing, and the next one is not in its way.
async fn a_payment_that_fails_changes_nothing(storage: Storage) {
    let shop = Settings::on(storage).with("--scheduler", "off").open().await;
    let sale = shop.concert(1, 30).await;
    let ann = shop.join("ann").await;
    ann.charge(100).await.expect(201);
    let id = ann.held(&sale.schedule, &[1]).await;
    // The last thing that a payment writes cannot be written.
    shop.database().execute(match storage {
        Storage::Sqlite => {
            "CREATE TRIGGER trap BEFORE UPDATE OF status ON tokens BEGIN SELECT RAISE(ABORT, 'trap'); END"
        }
        Storage::Postgres => {
            "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trap'; END $$; \
             CREATE TRIGGER trap BEFORE UPDATE OF status ON tokens FOR EACH ROW EXECUTE FUNCTION trap()"
        }
    });
    let before = shop.database().dump();
    let failed = ann.pay(&id).await;
    assert!([500, 503].contains(&failed.status), "{failed}");
    assert_eq!(shop.database().dump(), before);
    shop.database().execute(match storage {
        Storage::Sqlite => "DROP TRIGGER trap",
        Storage::Postgres => "DROP TRIGGER trap ON tokens",
    });
    ann.pay(&id).await.expect(201);
    shop.audit().await;
}

/// A command that waited 5 s unstarted is answered `overloaded` and was not executed: the process stands still under
/// load, as on a machine that has no time for it, until some were.
async fn who_waited_too_long_is_told_that_nothing_was_done(storage: Storage) {
    let shop = Settings::on(storage).without("--patience-seconds").open().await;
    let users = shop.join_all((0..64).map(|n| format!("user-{n}"))).await;
    let mut charged = 0;
    until("an overload", async || {
        let answered = Cell::new(0);
        let load = join_all(users.iter().map(async |user| {
            let mut answers = Vec::new();
            for _ in 0..20 {
                answers.push(user.charge(1).header("Accept-Language", "ko").await);
                answered.set(answered.get() + 1);
            }
            answers
        }));
        let pause = async {
            // Some way into the load: a batch is being committed, and others wait for the next.
            until("the load", async || (answered.get() > 100).then_some(())).await;
            shop.freeze();
            tokio::time::sleep(Duration::from_millis(5_200)).await;
            shop.thaw();
        };
        let (answers, ()) = futures::join!(load, pause);
        let answers = answers.concat();
        charged += answers.iter().filter(|answer| answer.status == 201).count();
        let late: Vec<_> = answers.iter().filter(|answer| answer.status != 201).collect();
        for answer in &late {
            answer.refused(503, "overloaded");
        }
        (!late.is_empty()).then_some(())
    })
    .await;
    assert_eq!(shop.database().count("entries"), charged, "what was refused was not executed");
    shop.audit().await;
}

/// A row that is not what the schema promises is `internal`, never "not found"; what is wrong is for the log alone.
async fn a_damaged_row_is_internal_and_told_to_the_log_only(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    shop.database().execute("UPDATE tokens SET user_id = ''");
    let english = ann.get("/queue/tokens/me").await;
    let korean = ann.get("/queue/tokens/me").header("Accept-Language", "ko").await;
    speaks("internal", &english, &korean);
    let told = String::from_utf8(english.body.clone()).unwrap();
    assert!(!told.contains("user_id") && !told.contains("tokens"), "{told}");
    let id = english.header("X-Request-Id").to_owned();
    until("the log", async || {
        shop.output().lines().any(|line| line.contains(&id) && line.contains("user_id")).then_some(())
    })
    .await;
    // Everybody else is served.
    shop.database().execute("UPDATE tokens SET user_id = 'ann'");
    assert_eq!(ann.status().await, "ACTIVE");
}
