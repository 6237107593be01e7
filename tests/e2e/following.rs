//! What a server knows of the lines by itself: it follows what others commit, waits for nothing to tell a place, asks the store
//! for nothing that is forged, and lets no queue wait for another (ADR 9; R3, R4, R6).

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use e2e::{LIMIT, Proxy, Settings, Shop, Storage, Visitor, on_each_storage, room, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use test_postgres::{Server, connect};
use tokio::time::timeout;

use crate::servers::Servers;

on_each_storage![
    many_impatient_callers_share_their_refreshes_r6,
    a_number_that_was_not_issued_is_unknown_q13,
    the_operator_sees_how_a_line_stands_and_why_tokens_ended,
];

/// What one server commits shows in the other's polls, which wait for nothing.
#[tokio::test]
async fn the_other_server_follows_r4() {
    let servers = Servers::open(Settings::line(Storage::Postgres, 1, 1, 1)).await;
    let line = join(servers.shop(0), "user", 6).await;
    let there = servers.at(1, &line[5]);
    let becomes = async |position: Value| {
        until("it shows", async || (there.place().await["position"] == position).then_some(())).await;
    };
    becomes(json!(5)).await;
    line[2].leave().await.expect(204);
    becomes(json!(4)).await;
    line[0].leave().await.expect(204);
    becomes(json!(3)).await;
    servers.shop(0).policy("main", json!({"max_active": 9})).await;
    becomes(json!(0)).await;
    servers.audit().await;
}

async fn join(shop: &Shop, name: &str, count: usize) -> Vec<Visitor> {
    let mut visitors = Vec::new();
    for n in 0..count {
        visitors.push(shop.join(&format!("{name}-{n}")).await);
    }
    visitors
}

/// How often a server has looked at what changed.
async fn refreshes(shop: &Shop) -> u32 {
    let metrics = shop.request(Method::GET, "/metrics").await;
    let text = String::from_utf8(metrics.body).unwrap();
    let count = text.lines().find_map(|line| line.strip_prefix("usher_line_refresh_seconds_count "));
    count.expect("it is counted").parse().unwrap()
}

/// R6: waiting tokens in loops on guarded routes are refused each time, and all of them together cost the store little.
async fn many_impatient_callers_share_their_refreshes_r6(storage: Storage) {
    const CALLERS: u32 = 64;
    const REQUESTS: u32 = 20;
    /// So often a server looks by itself, whoever asks: that is not counted against the callers.
    const BY_ITSELF: Duration = Duration::from_millis(250);
    let shop = Settings::line(storage, 0, 1, 1).open().await;
    let sale = shop.concert(1, 1).await;
    let waiter = shop.join("waiter").await;
    let seats = format!("/schedules/{}/seats", sale.schedule);
    let (before, began) = (refreshes(&shop).await, Instant::now());
    join_all((0..CALLERS).map(async |caller| {
        for turn in 0..REQUESTS {
            let request = match (caller + turn) % 4 {
                0 => waiter.get(&seats),
                1 => waiter.get("/wallet"),
                2 => waiter.charge(5),
                _ => waiter.hold(&sale.schedule, &[1]),
            };
            request.await.refused(403, "token_not_active");
        }
    }))
    .await;
    let refreshes = refreshes(&shop).await - before;
    let by_itself = u32::try_from(began.elapsed().as_millis() / BY_ITSELF.as_millis()).unwrap() + 1;
    let most = by_itself + CALLERS * REQUESTS / 8;
    assert!((1..=most).contains(&refreshes), "{refreshes} for {CALLERS} x {REQUESTS} requests, {by_itself} by itself");
}

/// With a database that says nothing who waits is told a place, and who has forged a token is told so: neither asks it.
#[tokio::test]
async fn polls_and_forgeries_touch_no_storage_q13() {
    let postgres = Server::start().await;
    let proxy = Proxy::to(&postgres.socket());
    let shop = Settings::at(&format!("postgres://usher@{}/usher", proxy.host())).open().await;
    shop.policy("main", json!({"paused": true})).await;
    let line = join(&shop, "user", 20).await;
    let place = async |n: usize| line[n].place().await["position"].as_u64();
    until("it follows", async || (place(19).await == Some(20)).then_some(())).await;
    proxy.freeze(true);
    let silent = async {
        let joined = shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": "late"})).await;
        joined.expect(503);
        line[3].get("/wallet").await.expect(503);
    };
    let polls = join_all((0..20).map(async |n| {
        for _ in 0..50 {
            assert_eq!(place(n).await, u64::try_from(n + 1).ok());
        }
    }));
    let forged = join_all((0..20).map(async |n| {
        shop.api(Method::GET, "/wallet").bearer("").await.refused(401, "token_missing");
        for forgery in forgeries(&line[n].token, n) {
            let path = ["/queue/tokens/me", "/wallet", "/schedules"][n % 3];
            shop.api(Method::GET, path).bearer(&forgery).await.refused(401, "token_unknown");
        }
    }));
    timeout(LIMIT, async { futures::join!(silent, polls, forged) }).await.expect("nobody is left waiting");
    proxy.freeze(false);
    until("it goes on", async || (line[0].get("/wallet").await.status == 403).then_some(())).await;
}

/// Tokens that are nearly right, and some that are nothing like one.
fn forgeries(token: &str, seed: usize) -> Vec<String> {
    let hex = b"0123456789abcdef";
    let digits = (0..token.len()).filter(|place| token.as_bytes()[*place] != b'-');
    let with = |place: usize, digit: u8| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[place] = digit;
        String::from_utf8(bytes).unwrap()
    };
    let other = |place: usize, by: usize| {
        let digit = hex.iter().position(|digit| *digit == token.as_bytes()[place]).unwrap();
        with(place, hex[(digit + 1 + by % 15) % 16])
    };
    let flipped = digits.flat_map(|place| [other(place, seed), other(place, seed + 7)]);
    let versions = hex.iter().map(|digit| with(14, *digit));
    let lengths = [1, 2, 35, 37, 100, 1_000, 10_000].map(|length| token.chars().cycle().take(length).collect());
    flipped.chain(versions).chain(lengths).filter(|forgery| forgery != token).collect()
}

/// A token whose seal is right, of a number that this database has not issued: what somebody holds after a restore without
/// `--new-epoch`.
async fn a_number_that_was_not_issued_is_unknown_q13(storage: Storage) {
    let settings = || Settings::line(storage, 0, 1, 1).with("--token-key", "the secret of both servers");
    let (lost, restored) = (settings().open().await, settings().open().await);
    let hex = match storage {
        Storage::Sqlite => ("hex(epoch)", "x'EPOCH'"),
        Storage::Postgres => ("encode(epoch, 'hex')", "decode('EPOCH', 'hex')"),
    };
    let epoch = lost.database().text(&format!("SELECT {} AS text FROM queues", hex.0));
    restored.crash().await;
    restored.database().execute(&format!("UPDATE queues SET epoch = {}", hex.1.replace("EPOCH", &epoch)));
    restored.restart().await;
    let line = join(&lost, "user", 4).await;
    join(&restored, "other", 2).await;
    let there: Vec<_> = line.iter().map(|visitor| visitor.with_shop(&restored)).collect();
    assert_eq!(there[1].place().await["position"], 2, "it is the same place");
    for visitor in &there[2..] {
        for request in [visitor.get("/queue/tokens/me"), visitor.get("/wallet"), visitor.charge(5), visitor.leave()] {
            request.await.refused(401, "token_unknown");
        }
    }
}

/// Somebody keeps the row of one queue locked: nobody joins that one, and in the other one people join, are admitted and buy.
#[tokio::test]
async fn a_queue_that_is_stuck_keeps_no_other_from_selling_r3() {
    let _room = room().await;
    let shop = Settings::line(Storage::Postgres, 2, 1_000, 1).without("--patience-seconds").open().await;
    let (stuck, free) = (hall(&shop, "stuck").await, hall(&shop, "free").await);
    for queue in ["stuck", "free"] {
        shop.policy(queue, json!({"paused": true})).await;
    }
    let (first, waiter) = (shop.join_queue("ann", "stuck").await, shop.join_queue("ann", "free").await);
    let queues = "SELECT CAST(number AS text) AS text FROM queue_registry WHERE name = 'stuck'";
    let queue = shop.database().text(queues);
    let mut operator = connect(&shop.database().url()).await;
    operator.batch_execute(&format!("BEGIN; SELECT 1 FROM queues WHERE queue = {queue} FOR UPDATE")).await.unwrap();
    // The clockwork would admit in both, and cannot in one.
    shop.database().execute(&format!("UPDATE policies SET paused = false WHERE queue = {queue}"));
    shop.policy("free", json!({"paused": false})).await;
    let joining = shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": "late", "queue": "stuck"}));
    let sells = async {
        waiter.becomes("ACTIVE").await;
        for n in 0..12 {
            let buyer = shop.join_queue(&format!("buyer-{n}"), "free").await;
            buyer.becomes("ACTIVE").await;
            let held = buyer.held(&free, &[n + 1]).await;
            buyer.cancel(&held).await.expect(204);
            buyer.leave().await.expect(204);
        }
        assert_eq!(first.status().await, "WAITING");
    };
    let (joined, ()) = futures::join!(joining.into_future(), sells);
    joined.expect(503);
    operator.batch_execute("COMMIT").await.unwrap();
    let late = shop.join_queue("late", "stuck").await;
    first.becomes("ACTIVE").await;
    late.becomes("ACTIVE").await;
    late.held(&stuck, &[1]).await;
    late.hold(&free, &[1]).await.refused(403, "wrong_queue");
    shop.audit().await;
}

/// The schedule of a concert in a queue of its own.
async fn hall(shop: &Shop, queue: &str) -> String {
    shop.make_queue(json!({"name": queue})).await;
    shop.concert_in(queue, "2099-01-01T00:00:00Z", 20, 1).await.schedule
}

/// R3, Q6: what the operator sets at either server both schedulers and both servers obey, up and down, while a crowd joins and
/// leaves: nobody was ever admitted beyond the cap in force, nor while the line was paused.
#[tokio::test]
async fn a_policy_that_changes_is_obeyed_by_all_r3_q6() {
    const CAPS: [u32; 8] = [3, 9, 1, 12, 0, 5, 2, 7];
    let servers = Servers::open(Settings::line(Storage::Postgres, 3, 50, 1)).await;
    let over = std::cell::Cell::new(false);
    let crowd = join_all((0..16).map(async |n| {
        for turn in 0.. {
            let visitor = servers.shop(turn).join(&format!("user-{n}-{turn}")).await;
            // The admitted make room, and so do some in line.
            let patience = || (turn % 3 == 0).then_some(());
            until("a turn", async || {
                let active = visitor.status().await == "ACTIVE";
                (active || over.get()).then_some(()).or_else(patience)
            })
            .await;
            servers.at(turn + 1, &visitor).leave().await.expect(204);
            if over.get() {
                return;
            }
        }
    }));
    let operator = async {
        for (turn, cap) in CAPS.into_iter().enumerate() {
            let admitted = servers.shop(turn).queue("main").await["admitted"].as_u64();
            let policy = servers.shop(turn).policy("main", json!({"max_active": cap, "paused": turn == 5})).await;
            assert_eq!((&policy["max_active"], &policy["paused"]), (&json!(cap), &json!(turn == 5)));
            let queue = servers.shop(turn + 1).queue("main").await;
            assert_eq!(queue["max_active"], cap);
            let closed = cap == 0 || turn == 5;
            until("it is obeyed", async || {
                let queue = servers.shop(turn + 1).queue("main").await;
                let obeyed = if closed { queue["active"] == 0 } else { queue["admitted"].as_u64() > admitted };
                obeyed.then_some(())
            })
            .await;
        }
        over.set(true);
    };
    futures::join!(crowd, operator);
    let policy =
        "SELECT * FROM policies p WHERE p.queue = t.queue AND p.since <= t.activated_at ORDER BY p.seq DESC LIMIT 1";
    let active = "SELECT count(*) FROM tokens a WHERE a.queue = t.queue AND a.activated_at <= t.activated_at
        AND (a.ended_at IS NULL OR a.ended_at > t.activated_at)";
    let admitted = format!("tokens t CROSS JOIN LATERAL ({policy}) p WHERE t.activated_at IS NOT NULL");
    let database = servers.database();
    assert!(database.count(&admitted) > 20, "hardly anybody was admitted");
    assert_eq!(database.count(&format!("{admitted} AND (p.paused OR ({active}) > p.max_active)")), 0);
    servers.audit().await;
}

/// Everything that `GET /admin/queues/{queue}` tells of a line.
async fn the_operator_sees_how_a_line_stands_and_why_tokens_ended(storage: Storage) {
    let shop = Settings::line(storage, 2, 9, 1).with("--wallet-gate", "any").open().await;
    let sale = shop.concert(1, 10).await;
    let nobody = shop.queue("main").await;
    assert_eq!((&nobody["oldest_wait_seconds"], &nobody["recent_wait_seconds"]), (&Value::Null, &Value::Null));
    let line = join(&shop, "user", 5).await;
    let queue = shop.queue("main").await;
    let counts = ["waiting", "active", "issued", "admitted"].map(|field| queue[field].as_u64().unwrap());
    assert_eq!(counts, [3, 2, 5, 2]);
    assert!(queue["oldest_wait_seconds"].as_f64().is_some_and(|wait| wait > 0.0), "{queue}");
    line[0].charge(10).await.expect(201);
    let held = line[0].held(&sale.schedule, &[1]).await;
    line[0].pay(&held).await.expect(201);
    line[4].leave().await.expect(204);
    // One after the other has a turn, and lets it go by.
    let queue = until("all is over", async || {
        shop.database().time_is_up("true");
        let queue = shop.queue("main").await;
        (queue["active"] == 0 && queue["waiting"] == 0).then_some(queue)
    })
    .await;
    let ended = json!({"paid": 1, "left": 1, "deadline": 3, "absent": 0, "new_epoch": 0});
    assert_eq!((&queue["ended"], &queue["waiting"]), (&ended, &json!(0)));
    assert_eq!((&queue["admitted"], &queue["oldest_wait_seconds"]), (&json!(4), &Value::Null));
    let wait = |part: &str| queue["recent_wait_seconds"][part].as_f64().unwrap();
    assert!(wait("p50") <= wait("p95") && wait("p95") > 0.0, "{queue}");
    shop.audit().await;
}
