//! Traps of the waiting line: order, positions, caps, silence.

use e2e::{Settings, Shop, Storage, Visitor, on_each_storage, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

on_each_storage![
    fifty_joins_of_one_user_give_one_token,
    a_join_says_whether_the_place_is_new,
    the_cap_holds_under_parallel_joins,
    positions_count_live_waiters_ahead,
    admission_is_in_ticket_order,
    a_position_never_rises,
    a_new_queue_can_be_joined_at_once,
    a_newcomer_never_overtakes_a_waiter,
    who_is_told_active_may_act_at_once,
    silent_users_do_not_block_the_line,
    the_dead_ahead_delay_nobody,
    counters_survive_a_restart,
    every_active_token_is_accepted_and_no_pattern_is,
    a_policy_changes_only_what_it_names,
];

/// R1, Q3: fifty parallel joins of one user give one token and one rank.
async fn fifty_joins_of_one_user_give_one_token(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).open().await;
    shop.join("first").await;
    let visitors = shop.join_all(std::iter::repeat_n("ann".to_owned(), 50)).await;
    for visitor in &visitors {
        assert_eq!(visitor.token, visitors[0].token);
        assert_eq!(visitor.joined["position"], 1);
    }
    assert_eq!(shop.queue("main").await["issued"], 2);
    shop.audit().await;
}

/// The created token is told from the one that was there: 201, then 200.
async fn a_join_says_whether_the_place_is_new(storage: Storage) {
    let shop = Shop::open(storage).await;
    let join = || shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": "ann"}));
    let first = join().await.expect(201);
    let second = join().await.expect(200);
    assert_eq!(first["token"], second["token"]);
    assert_eq!(first["issued_at"], second["issued_at"]);
    shop.api(Method::POST, "/queue/tokens")
        .json(json!({"user_id": "ann", "queue": "nowhere"}))
        .await
        .refused(404, "not_found");
}

/// R3, Q6: a crowd joins at once; never more than `max_active` are ACTIVE, and exactly that many are.
async fn the_cap_holds_under_parallel_joins(storage: Storage) {
    let shop = Settings::line(storage, 7, 1_000, 1).open().await;
    let visitors = shop.join_all((0..200).map(|n| format!("user-{n}"))).await;
    let active = visitors.iter().filter(|visitor| visitor.joined["status"] == "ACTIVE").count();
    assert_eq!(active, 7);
    let queue = shop.queue("main").await;
    assert_eq!((&queue["active"], &queue["waiting"], &queue["issued"]), (&json!(7), &json!(193), &json!(200)));
    shop.audit().await;
}

/// R4, Q1: after admissions and departures every position is the number of live waiters ahead plus one, and none rose.
async fn positions_count_live_waiters_ahead(storage: Storage) {
    let shop = Settings::line(storage, 3, 3, 1).open().await;
    let mut line = Vec::new();
    for n in 0..12 {
        line.push(shop.join(&format!("user-{n}")).await);
    }
    // Two waiters leave, from the middle and right behind the frontier; two who are admitted make room.
    for n in [7, 3, 0, 1] {
        line[n].leave().await.expect(204);
    }
    line[5].becomes("ACTIVE").await;
    let waiting = [6, 8, 9, 10, 11];
    for (ahead, n) in waiting.into_iter().enumerate() {
        let place = line[n].place().await;
        assert_eq!(place["position"], ahead + 1, "user-{n}: {place}");
        assert!(place["position"].as_u64() <= line[n].joined["position"].as_u64(), "user-{n} went back");
    }
    assert_eq!(shop.queue("main").await["waiting"], 5);
    shop.audit().await;
}

/// R3, Q4, Q7: whoever joined earlier is admitted earlier, batch by batch, while others join and leave.
async fn admission_is_in_ticket_order(storage: Storage) {
    let shop = Settings::line(storage, 1_000, 4, 1).open().await;
    let mut line = Vec::new();
    for n in 0..16 {
        line.push(shop.join(&format!("user-{n}")).await);
    }
    line[6].leave().await.expect(204);
    shop.join_all((0..8).map(|n| format!("late-{n}"))).await;
    until("the last one is admitted", async || (line[15].status().await == "ACTIVE").then_some(())).await;
    // Asked after that, nobody before the last one waits any more.
    let last = join_all(line.iter().map(Visitor::status)).await;
    assert_eq!(last.iter().filter(|state| *state == "WAITING").count(), 0, "{last:?}");
    assert_eq!(last[6], "EXPIRED");
    let overtaken =
        "tokens a JOIN tokens b ON a.queue = b.queue AND a.number < b.number AND a.activated_at > b.activated_at";
    assert_eq!(shop.database().count(overtaken), 0, "somebody overtook");
    shop.audit().await;
}

/// R4, Q1: whoever polls while others are admitted and leave never sees a position rise, nor an older line after a newer.
async fn a_position_never_rises(storage: Storage) {
    let shop = Settings::line(storage, 2, 2, 1).open().await;
    let mut line = Vec::new();
    for n in 0..24 {
        line.push(shop.join(&format!("user-{n}")).await);
    }
    let last = &line[23];
    let watch = async |visitor: &Visitor| {
        let seen = |place: &Value| (place["version"].as_u64().unwrap(), place["position"].as_u64().unwrap());
        let mut before = seen(&visitor.joined);
        while last.status().await == "WAITING" {
            let place = visitor.place().await;
            if place["status"] == "EXPIRED" {
                return;
            }
            let now = seen(&place);
            assert!(now.0 >= before.0 && now.1 <= before.1, "{}: {before:?}, then {now:?}", visitor.user);
            before = now;
        }
    };
    let leave = async {
        // The last one stays; of the others each third leaves after the rest, so that people leave at every place.
        let (late, early): (Vec<_>, Vec<_>) = (0..23).rev().partition(|n| n % 3 == 0);
        for n in early.into_iter().chain(late) {
            line[n].leave().await.expect(204);
        }
    };
    futures::join!(join_all([3, 9, 21, 22, 23].map(|n| watch(&line[n]))), leave);
    shop.audit().await;
}

/// R1: a queue that was made can be sold through and joined as soon as that was answered, whatever else goes on.
async fn a_new_queue_can_be_joined_at_once(storage: Storage) {
    let shop = Shop::open(storage).await;
    join_all((0..40).map(async |n| {
        let queue = format!("queue-{n}");
        shop.make_queue(json!({"name": queue})).await;
        shop.concert_in(&queue, "2099-01-01T00:00:00Z", 1, 1).await;
        let ann = shop.join_queue("ann", &queue).await;
        assert_eq!(ann.joined["queue"], queue);
        ann.get("/schedules").await.expect(200);
    }))
    .await;
    shop.audit().await;
}

/// Q5: with a waiter and free capacity, a newcomer waits behind.
async fn a_newcomer_never_overtakes_a_waiter(storage: Storage) {
    let shop = Settings::line(storage, 10, 10, 1).open().await;
    shop.policy("main", json!({"paused": true})).await;
    let waiter = shop.join("waiter").await;
    assert_eq!(waiter.joined["status"], "WAITING", "nobody is admitted while the queue is paused");
    shop.policy("main", json!({"paused": false, "max_active": 1})).await;
    // Whether the clockwork ticks before or after the newcomer has joined: the one place is the waiter's.
    let newcomer = shop.join("newcomer").await;
    assert_eq!(newcomer.joined["status"], "WAITING");
    waiter.becomes("ACTIVE").await;
    let place = newcomer.place().await;
    assert_eq!((&place["status"], &place["position"]), (&json!("WAITING"), &json!(1)));
    shop.audit().await;
}

/// Q8: a poll that says ACTIVE is followed by a call that is accepted, with nothing in between.
async fn who_is_told_active_may_act_at_once(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).with("--active-seconds", 600).open().await;
    let sale = shop.concert(30, 1).await;
    let mut before = shop.join("user-0").await;
    for n in 1..10 {
        let next = shop.join(&format!("user-{n}")).await;
        before.leave().await.expect(204);
        until("admission", async || (next.status().await == "ACTIVE").then_some(())).await;
        next.held(&sale.schedule, &[n]).await;
        before = next;
    }
}

/// Q9, R5: silent users lose their place after the active lifetime, and the line moves on without anybody's help.
async fn silent_users_do_not_block_the_line(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).open().await;
    let silent = shop.join_all((0..3).map(|n| format!("silent-{n}"))).await;
    let last = shop.join("last").await;
    until("the turn of the last one", async || {
        shop.database().time_is_up("user_id LIKE 'silent-%'");
        (last.status().await == "ACTIVE").then_some(())
    })
    .await;
    for visitor in &silent {
        assert_eq!(visitor.status().await, "EXPIRED");
    }
    shop.audit().await;
}

/// Q11: many who left ahead do not delay the first live waiter.
async fn the_dead_ahead_delay_nobody(storage: Storage) {
    let shop = Settings::line(storage, 1, 1, 1).open().await;
    let first = shop.join("first").await;
    let gone = shop.join_all((0..200).map(|n| format!("gone-{n}"))).await;
    let live = shop.join("live").await;
    assert_eq!(live.joined["position"], 201);
    join_all(gone.iter().map(async |visitor| visitor.leave().await.expect(204))).await;
    assert_eq!(live.place().await["position"], 1);
    first.leave().await.expect(204);
    // The single grant of a window is the live waiter's.
    live.becomes("ACTIVE").await;
    assert_eq!(shop.queue("main").await["admitted"], 2);
    shop.audit().await;
}

/// Q10: the counters are the truth after a restart, and so is every position.
async fn counters_survive_a_restart(storage: Storage) {
    let shop = Settings::line(storage, 2, 2, 3600).open().await;
    let line = shop.join_all((0..9).map(|n| format!("user-{n}"))).await;
    join_all(line.iter().take(4).map(async |visitor| visitor.leave().await.expect(204))).await;
    let look = async || {
        let mut queue = shop.queue("main").await;
        // It goes on growing.
        assert!(queue["oldest_wait_seconds"].take().is_number(), "{queue}");
        queue["last_tick_at"].take();
        (queue, join_all(line.iter().map(Visitor::place)).await)
    };
    let before = look().await;
    shop.crash().await;
    shop.restart().await;
    let after = look().await;
    assert_eq!(before.0, after.0);
    for (before, after) in before.1.iter().zip(&after.1) {
        let fields = ["status", "position", "version", "activated_at", "expires_at", "token"];
        assert_eq!(fields.map(|field| &before[field]), fields.map(|field| &after[field]));
    }
    assert_eq!(after.0["waiting"], shop.database().count("tokens WHERE status = 'WAITING'"));
    shop.audit().await;
}

/// Q12: every one of many ACTIVE tokens is accepted, and a pattern is no token.
async fn every_active_token_is_accepted_and_no_pattern_is(storage: Storage) {
    let shop = Shop::open(storage).await;
    shop.concert(1, 1).await;
    let users: Vec<String> = (0..1_000).map(|n| format!("user-{n}")).collect();
    for crowd in users.chunks(100) {
        let visitors = shop.join_all(crowd.iter().cloned()).await;
        join_all(visitors.iter().map(async |visitor| visitor.get("/schedules").await.expect(200))).await;
    }
    for pattern in ["*", "%", "_", "user-1", "?"] {
        shop.api(Method::GET, "/schedules").bearer(pattern).await.refused(401, "token_unknown");
    }
}

/// R3: a policy is read back as set, bounds are kept, and what is not named stays.
async fn a_policy_changes_only_what_it_names(storage: Storage) {
    let shop = Settings::line(storage, 5, 6, 7).open().await;
    let queue = shop.policy("main", json!({"batch": 9})).await;
    let fields = ["max_active", "batch", "interval_seconds", "paused"];
    assert_eq!(fields.map(|field| queue[field].clone()), [json!(5), json!(9), json!(7), json!(false)]);
    for bad in [
        json!({"batch": 0}),
        json!({"interval_seconds": 0}),
        json!({"max_active": -1}),
        json!({"paused": "no"}),
        json!({"other": 1}),
    ] {
        let answer = shop.admin(Method::PATCH, "/queues/main").json(bad.clone()).await;
        assert_eq!(answer.status, 400, "{bad}: {answer}");
    }
    let after = shop.queue("main").await;
    assert_eq!(fields.map(|field| &after[field]), fields.map(|field| &queue[field]));
    shop.admin(Method::GET, "/queues/nowhere").await.refused(404, "not_found");
}
