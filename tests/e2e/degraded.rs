//! The line when its storage or its server goes away, and when a backup takes its place: nobody loses a place, nobody is told
//! one that is too good, and what must not be honoured is not.

use std::cell::{Cell, RefCell};

use e2e::{Settings, Shop, Storage, Visitor, on_each_storage, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use test_postgres::Server;

use crate::crowd::Crowd;

on_each_storage![a_killed_server_loses_no_place, a_new_epoch_ends_every_place];

/// While the database is away who waits is told the last known place, as of when; whoever joins, leaves or wants what is for the
/// admitted is told to come back; and nothing is out of order when it is there again.
#[tokio::test]
async fn a_stopped_database_stops_no_poll_r4() {
    let postgres = Server::start().await;
    let shop = Settings::at(&postgres.url("usher")).open().await;
    let crowd = Crowd::at(&shop).await;
    let course = async {
        for _ in 0..2 {
            crowd.more_leave();
            futures::join!(crowd.joins.succeed(), crowd.guarded.succeed(), crowd.is_fresh());
            postgres.crash().await;
            crowd.more_leave();
            futures::join!(crowd.joins.fail(), crowd.leaves.fail(), crowd.guarded.fail(), crowd.is_stale());
            postgres.restart().await;
            crowd.more_leave();
            futures::join!(crowd.joins.succeed(), crowd.leaves.succeed(), crowd.guarded.succeed());
        }
        crowd.is_fresh().await;
    };
    crowd.during(course).await;
    crowd.adds_up().await;
}

/// Who joined, and who left, as the server answered before it was gone.
#[derive(Default)]
struct Answered {
    joined: RefCell<Vec<Visitor>>,
    left: RefCell<Vec<Visitor>>,
    count: Cell<usize>,
}

/// S13, R4: a server that is killed under load has every place again when it is back, and no position is higher than it was.
async fn a_killed_server_loses_no_place(storage: Storage) {
    let shop = Settings::line(storage, 20, 2, 1).open().await;
    let answered = Answered::default();
    for round in 1..=3 {
        let killed = async {
            until("the crowd joins", async || (answered.count.get() >= round * 150).then_some(())).await;
            shop.crash().await;
        };
        futures::join!(join_all((0..8).map(|n| join_until_it_ends(&shop, &answered, round * 8 + n))), killed);
        shop.restart().await;
        for visitor in &answered.left.take() {
            assert_eq!(visitor.status().await, "EXPIRED", "{} has left", visitor.user);
        }
        let mut joined = answered.joined.take();
        for visitor in &mut joined {
            let place = visitor.place().await;
            let seen =
                |place: &serde_json::Value| (place["version"].as_u64().unwrap(), place["position"].as_u64().unwrap());
            assert_ne!(place["status"], "EXPIRED", "{place}");
            let (before, now) = (seen(&visitor.joined), seen(&place));
            assert!(now.0 >= before.0 && now.1 <= before.1, "{}: {before:?}, then {now:?}", visitor.user);
            visitor.joined = place;
        }
        answered.joined.replace(joined);
        shop.audit().await;
    }
    let waiting = answered.joined.borrow().iter().filter(|visitor| visitor.joined["position"] != 0).count();
    assert!(waiting > 200, "{waiting} waiting are not many");
}

/// Joins over and over, and every fourth leaves again, until nobody answers.
async fn join_until_it_ends(shop: &Shop, answered: &Answered, seed: usize) -> Option<()> {
    for n in 0.. {
        let user = json!({"user_id": format!("user-{seed}-{n}")});
        let joined = shop.api(Method::POST, "/queue/tokens").json(user).answer().await?.expect(201);
        answered.count.set(answered.count.get() + 1);
        let visitor = Visitor::new(shop, &joined);
        if n % 4 == 3 {
            visitor.leave().answer().await?.expect(204);
            answered.left.borrow_mut().push(visitor);
        } else {
            answered.joined.borrow_mut().push(visitor);
        }
    }
    None
}

/// ADR 2: after `usher migrate --new-epoch`, which no server may be there for, no token of before is honoured; everybody joins
/// anew, behind the numbers that were given out.
async fn a_new_epoch_ends_every_place(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).open().await;
    let mut line = Vec::new();
    for n in 0..6 {
        line.push(shop.join(&format!("user-{n}")).await);
    }
    assert_eq!(
        (line[0].joined["status"].as_str(), line[5].joined["status"].as_str()),
        (Some("ACTIVE"), Some("WAITING"))
    );
    line[5].leave().await.expect(204);
    if storage == Storage::Postgres {
        until("it tells of itself", async || (shop.database().count("servers") == 1).then_some(())).await;
    }
    let renew = ["migrate", "--new-epoch"];
    let refused = shop.settings().run(&renew).await;
    assert_eq!((refused.code, refused.stderr.trim_end().lines().count()), (Some(1), 1), "{refused:#?}");
    for visitor in &line[..5] {
        assert_ne!(visitor.status().await, "EXPIRED", "nothing has changed");
    }
    shop.terminate();
    shop.finished().await;
    let renewed = shop.settings().run(&renew).await;
    assert_eq!((renewed.code, renewed.stderr.as_str()), (Some(0), ""), "{renewed:#?}");
    assert!(renewed.stdout.contains("ended: 5"), "{renewed:#?}");
    shop.audit().await;
    shop.restart().await;
    for visitor in &line {
        for request in [visitor.get("/queue/tokens/me"), visitor.get("/wallet"), visitor.leave()] {
            request.await.refused(401, "token_unknown");
        }
    }
    let anew = [shop.join("user-3").await, shop.join("user-0").await, shop.join("user-1").await];
    anew[0].becomes("ACTIVE").await;
    assert_eq!(anew[2].place().await["position"], 2);
    let numbers = "SELECT min(number) || ' to ' || max(number) AS text FROM tokens WHERE ended_at IS NULL";
    assert_eq!(shop.database().text(numbers), "7 to 9");
    let queue = shop.queue("main").await;
    assert_eq!((&queue["ended"]["new_epoch"], &queue["ended"]["left"]), (&json!(5), &json!(1)));
    shop.audit().await;
}
