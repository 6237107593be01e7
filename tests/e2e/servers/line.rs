//! The waiting line, when two servers give out places and two schedulers admit.

use e2e::{Settings, Storage, Visitor, until};
use futures::future::join_all;
use serde_json::{Value, json};

use super::Servers;

fn line(max_active: u32, batch: u32) -> Settings {
    Settings::line(Storage::Postgres, max_active, batch, 1)
}

/// R3, Q6: whoever is asked, never more than `max_active` are ACTIVE, and exactly that many are.
#[tokio::test]
async fn the_cap_holds_across_servers_q6() {
    let servers = Servers::open(line(7, 1_000)).await;
    let visitors = servers.join_all(200).await;
    assert_eq!(visitors.iter().filter(|visitor| visitor.joined["status"] == "ACTIVE").count(), 7);
    for turn in 0..2 {
        let queue = servers.shop(turn).queue("main").await;
        assert_eq!((&queue["active"], &queue["waiting"], &queue["issued"]), (&json!(7), &json!(193), &json!(200)));
    }
    servers.audit().await;
}

/// R1, Q3: fifty parallel joins of one user at two servers give one token.
#[tokio::test]
async fn one_user_at_two_servers_has_one_token_q3() {
    let servers = Servers::open(line(1, 1)).await;
    servers.shop(0).join("first").await;
    let visitors = join_all((0..50).map(async |n| servers.shop(n).join("ann").await)).await;
    for visitor in &visitors {
        assert_eq!((&visitor.token, &visitor.joined["position"]), (&visitors[0].token, &json!(1)));
    }
    assert_eq!(servers.shop(1).queue("main").await["issued"], 2);
    servers.audit().await;
}

/// R2: numbers are dense and follow the commits, whichever server they were given by: who joins after an answer is behind it.
#[tokio::test]
async fn numbers_are_dense_and_in_commit_order_across_servers_r2() {
    const CHAINS: usize = 8;
    const LENGTH: usize = 25;
    let servers = Servers::open(line(1, 1)).await;
    join_all((0..CHAINS).map(async |chain| {
        for n in 0..LENGTH {
            servers.shop(chain + n).join(&format!("{chain}:{n}")).await;
        }
    }))
    .await;
    let dense = "SELECT min(number) || ' to ' || max(number) AS text FROM tokens";
    assert_eq!((servers.database().text(dense).as_str(), servers.database().count("tokens")), ("1 to 200", 200));
    let order = servers.database().text("SELECT string_agg(user_id, ' ' ORDER BY number) AS text FROM tokens");
    for chain in 0..CHAINS {
        let of_chain = order.split(' ').filter_map(|user| user.strip_prefix(&format!("{chain}:")));
        let of_chain: Vec<usize> = of_chain.map(|n| n.parse().unwrap()).collect();
        assert_eq!(of_chain, (0..LENGTH).collect::<Vec<_>>(), "chain {chain}");
    }
    let back = "tokens a JOIN tokens b ON a.number < b.number AND a.issued_at > b.issued_at";
    assert_eq!(servers.database().count(back), 0, "one clock for all servers");
    servers.audit().await;
}

/// R3, Q4, Q7: two schedulers, and the joins at two servers, admit in the order of the numbers, at most a batch a window,
/// nobody twice and everybody once; that one of them is killed in the midst of it stops nothing.
#[tokio::test]
async fn two_schedulers_lose_and_double_nobody_q7() {
    let mut servers = Servers::open(line(1_000, 4)).await;
    let visitors = servers.join_all(16).await;
    for n in [6, 9] {
        servers.at(n + 1, &visitors[n]).leave().await;
    }
    admitted(&servers, 8).await;
    servers.kill_a_scheduler().await;
    let late = join_all((0..6).map(async |n| servers.shop(n).join(&format!("late-{n}")).await)).await;
    for visitor in late.iter().chain(&visitors) {
        let what = format!("{} is not waiting", visitor.user);
        until(&what, async || (visitor.status().await != "WAITING").then_some(())).await;
    }
    let database = servers.database();
    let overtaken = "tokens a JOIN tokens b ON a.number < b.number AND a.activated_at > b.activated_at";
    assert_eq!(database.count(overtaken), 0, "somebody overtook");
    let windows = "SELECT CAST(max(granted) AS text) AS text FROM (SELECT count(*) AS granted \
        FROM tokens JOIN policies ON policies.queue = tokens.queue WHERE activated_at IS NOT NULL \
        GROUP BY floor(extract(epoch FROM activated_at - since))) AS windows";
    assert_eq!(database.text(windows), "4", "a batch a window, and not one more");
    let admitted = servers.shop(0).queue("main").await["admitted"].clone();
    assert_eq!(admitted, database.count("tokens WHERE activated_at IS NOT NULL"));
    servers.audit().await;
}

async fn admitted(servers: &Servers, count: u64) {
    until("admissions", async || {
        (servers.shop(0).queue("main").await["admitted"].as_u64().unwrap() >= count).then_some(())
    })
    .await;
}

/// Q9: with both servers silent and one scheduler gone the line moves on: the work of the one goes on in the other.
#[tokio::test]
async fn a_killed_schedulers_work_goes_on_in_the_other_q9() {
    let mut servers = Servers::open(line(1, 1).with("--hold-seconds", 1)).await;
    let sale = servers.shop(0).concert(1, 10).await;
    let holder = servers.shop(0).join("holder").await;
    holder.held(&sale.schedule, &[1]).await;
    servers.kill_a_scheduler().await;
    let last = servers.join_all(3).await.pop().unwrap();
    // Only the database is looked at: no request could have done the schedulers' work. The time of the holder is up with the hold.
    let database = servers.database();
    database.execute(
        "UPDATE tokens SET (selection_ends_at, deadline) = (SELECT expires_at, expires_at FROM reservations)
         WHERE user_id = 'holder'",
    );
    until("all have had their turn", async || {
        database.time_is_up("user_id <> 'holder'");
        (database.count("tokens WHERE status <> 'EXPIRED'") == 0).then_some(())
    })
    .await;
    assert_eq!(database.count("tokens WHERE activated_at IS NULL"), 0, "each of them was admitted");
    until("the sweep", async || (database.count("reservations WHERE status = 'PENDING'") == 0).then_some(())).await;
    assert_eq!(last.status().await, "EXPIRED");
    servers.audit().await;
}

/// Q8: who is told ACTIVE by one server may act at the other at once: no refusal is based on what a server knew before.
#[tokio::test]
async fn who_is_told_active_by_one_server_may_act_at_the_other_q8() {
    let servers = Servers::open(line(1, 1)).await;
    let sale = servers.shop(0).concert(30, 1).await;
    let mut before = servers.shop(0).join("first").await;
    for (turn, seat) in (1..8).enumerate() {
        let next = servers.shop(turn).join(&format!("user-{turn}")).await;
        servers.at(turn + 1, &before).leave().await.expect(204);
        next.becomes("ACTIVE").await;
        servers.at(turn + 1, &next).held(&sale.schedule, &[seat]).await;
        before = next;
    }
    servers.audit().await;
}

/// R4, Q1: whichever server is asked, a position at an equal or later version is never higher.
#[tokio::test]
async fn positions_of_two_servers_agree_q1() {
    let servers = Servers::open(line(2, 2)).await;
    let mut line = Vec::new();
    for n in 0..20 {
        line.push(servers.shop(n).join(&format!("user-{n}")).await);
    }
    let watch = async |n: usize| {
        let seen = |place: &Value| (place["version"].as_u64().unwrap(), place["position"].as_u64());
        let mut all = vec![seen(&line[n].joined)];
        while line[19].status().await == "WAITING" {
            for turn in 0..2 {
                all.push(seen(&servers.at(turn, &line[n]).place().await));
            }
        }
        // Who is EXPIRED has no position.
        all.retain(|(_, position)| position.is_some());
        all.sort_unstable();
        let highest = all.chunk_by(|a, b| a.0 == b.0).map(|same| (same[0].1, same[same.len() - 1].1));
        for pair in highest.collect::<Vec<_>>().windows(2) {
            assert!(pair[1].1 <= pair[0].0, "user-{n}: {all:?}");
        }
    };
    let leave = async {
        for (turn, visitor) in line.iter().take(19).rev().enumerate() {
            servers.at(turn, visitor).leave().await.expect(204);
        }
    };
    futures::join!(join_all([3, 11, 19].map(watch)), leave);
    servers.audit().await;
}

/// R3: what the operator has set at one server is in force at the other with the next join.
#[tokio::test]
async fn a_pause_at_one_server_holds_at_the_other_r3() {
    let servers = Servers::open(line(100, 100)).await;
    servers.shop(0).policy("main", json!({"paused": true})).await;
    let ann: Visitor = servers.shop(1).join("ann").await;
    assert_eq!(ann.joined["status"], "WAITING");
    servers.shop(1).policy("main", json!({"paused": false})).await;
    ann.becomes("ACTIVE").await;
    assert_eq!(servers.shop(0).join("ben").await.joined["status"], "ACTIVE");
    servers.audit().await;
}
