//! The absent take no slots, and nobody else pays for it (R22, Q11).
//!
//! The clock of a running server cannot be moved: what it has noted is moved back in the database instead.

use e2e::{Proxy, Settings, Shop, Storage, Visitor, on_each_storage, room, until};
use serde_json::json;
use test_postgres::Server;

on_each_storage![
    the_absent_delay_the_first_present_waiter_by_no_tick_q11,
    who_comes_back_before_the_turn_keeps_the_place,
    nobody_is_judged_where_the_rules_say_never,
];

/// How many are absent.
const ABSENT: usize = 50;
/// After how many seconds one is: so long that nobody is who has just polled, however slow the machine is.
const ABSENCE: u32 = 3_600;

/// A line that nobody is admitted to as yet.
async fn closed(settings: Settings) -> Shop {
    let shop = settings.with("--absence-seconds", ABSENCE).open().await;
    shop.policy("main", json!({"paused": true, "batch": 10_000, "interval_seconds": 1})).await;
    shop
}

async fn join(shop: &Shop, name: &str, count: usize) -> Vec<Visitor> {
    let mut visitors = Vec::new();
    for n in 0..count {
        visitors.push(shop.join(&format!("{name}-{n}")).await);
    }
    visitors
}

/// Waits until all servers have told whom they had seen by now: the note after the next one began later.
async fn told(shop: &Shop) {
    let last = || shop.database().text("SELECT CAST(min(last) AS text) AS text FROM servers");
    for _ in 0..2 {
        let before = last();
        until("a note", async || (last() != before).then_some(())).await;
    }
}

/// Moves what a column tells back by so many seconds.
fn back(shop: &Shop, table: &str, column: &str, seconds: u32) -> String {
    let by = if shop.database().url().starts_with("sqlite") {
        format!("{seconds}000000")
    } else {
        format!("interval '{seconds} s'")
    };
    format!("UPDATE {table} SET {column} = {column} - {by}")
}

/// So much time goes by, in which nobody is seen, that who does not come now is absent.
async fn time_goes_by(shop: &Shop) {
    told(shop).await;
    let moved = [("tokens", "issued_at"), ("servers", "since"), ("sightings", "noted_at")];
    let moved = moved.map(|(table, column)| back(shop, table, column, ABSENCE + 180));
    shop.database().execute(&moved.join(";"));
}

/// All of them poll.
async fn poll(present: &[Visitor]) {
    for visitor in present {
        assert_eq!(visitor.status().await, "WAITING", "nobody is judged before their turn");
    }
}

async fn all_are(visitors: &[Visitor], status: &str) {
    for visitor in visitors {
        assert_eq!(visitor.status().await, status, "{}", visitor.user);
    }
}

/// Many who joined and never came again are ahead: the one tick that has room passes over all of them and admits the first
/// who is there; they use no grant; whoever polls as advised is never passed over; who leaves is gone at once.
async fn the_absent_delay_the_first_present_waiter_by_no_tick_q11(storage: Storage) {
    let shop = closed(Settings::on(storage)).await;
    let absent = join(&shop, "absent", ABSENT).await;
    let present = join(&shop, "present", 3).await;
    let gone = shop.join("gone").await;
    time_goes_by(&shop).await;
    poll(&present).await;
    let last = shop.join("last").await;
    assert_eq!(last.joined["position"], ABSENT + 5);
    gone.leave().await.expect(204);
    assert_eq!(last.place().await["position"], ABSENT + 4, "who leaves is gone at once");
    shop.policy("main", json!({"paused": false, "max_active": 1})).await;
    present[0].becomes("ACTIVE").await;
    let moments = "SELECT count(DISTINCT coalesce(activated_at, ended_at)) || ' for ' || count(*) AS text FROM tokens
        WHERE end_reason = 'ABSENT' OR activated_at IS NOT NULL";
    assert_eq!(shop.database().text(moments), format!("1 for {}", ABSENT + 1), "all in one transaction");
    all_are(&absent, "EXPIRED").await;
    let queue = shop.queue("main").await;
    assert_eq!((&queue["ended"]["absent"], &queue["admitted"]), (&json!(ABSENT), &json!(1)));
    assert_eq!(last.place().await["position"], 3);
    shop.policy("main", json!({"max_active": 4})).await;
    last.becomes("ACTIVE").await;
    all_are(&present, "ACTIVE").await;
    shop.audit().await;
}

/// Being away is no fault as long as one is back in time, by a poll or by joining again.
async fn who_comes_back_before_the_turn_keeps_the_place(storage: Storage) {
    let shop = closed(Settings::on(storage)).await;
    let line = join(&shop, "away", 10).await;
    time_goes_by(&shop).await;
    assert_eq!(line[4].place().await["position"], 5);
    assert_eq!(shop.join(&line[7].user).await.joined["position"], 8);
    shop.policy("main", json!({"paused": false, "max_active": 1})).await;
    line[4].becomes("ACTIVE").await;
    shop.policy("main", json!({"max_active": 2})).await;
    line[7].becomes("ACTIVE").await;
    let queue = shop.queue("main").await;
    assert_eq!((&queue["ended"]["absent"], &queue["waiting"]), (&json!(6), &json!(2)), "the last two had no turn");
    shop.audit().await;
}

/// `--absence-seconds 0`: however long nobody came, everybody has their turn.
async fn nobody_is_judged_where_the_rules_say_never(storage: Storage) {
    let settings = Settings::on(storage).with("--absence-seconds", 0);
    let shop = settings.open().await;
    shop.policy("main", json!({"paused": true})).await;
    let line = join(&shop, "away", 5).await;
    time_goes_by(&shop).await;
    shop.policy("main", json!({"paused": false})).await;
    line[4].becomes("ACTIVE").await;
    all_are(&line, "ACTIVE").await;
    shop.audit().await;
}

/// Less than two seconds could not be told from a poll that is a little late.
#[tokio::test]
async fn an_absence_of_a_second_is_refused() {
    for seconds in ["1", "86401", "soon"] {
        let refused = Settings::on(Storage::Sqlite).with("--absence-seconds", seconds).refused().await;
        assert!(refused.code.is_some_and(|code| code != 0), "{refused:#?}");
        assert_eq!(refused.stderr.trim_end().lines().count(), 1, "{refused:#?}");
        assert!(refused.stderr.contains("0 for never or 2 to 86400"), "{refused:#?}");
    }
}

/// Whoever is at one server is there for the other's clockwork.
#[tokio::test]
async fn who_polls_at_one_server_is_there_for_the_other() {
    let _room = room().await;
    let one = closed(Settings::on(Storage::Postgres)).await;
    let other = one.settings().clone().with("--scheduler", "off").open().await;
    let (absent, present) = (join(&one, "absent", 5).await, join(&other, "present", 5).await);
    time_goes_by(&one).await;
    poll(&present).await;
    told(&one).await;
    one.policy("main", json!({"paused": false})).await;
    present[4].becomes("ACTIVE").await;
    all_are(&present, "ACTIVE").await;
    all_are(&absent, "EXPIRED").await;
    one.audit().await;
}

/// Two servers, and what becomes of one of them: its users could not be told of, and the other passes nobody over.
async fn users_of_a_lost_server_have_their_turn(lost: impl AsyncFnOnce(&Proxy, &Shop, &[Visitor])) {
    let postgres = Server::start().await;
    let proxy = Proxy::to(&postgres.socket());
    let one = closed(Settings::at(&postgres.url("usher"))).await;
    let way = format!("postgres://usher@{}/usher", proxy.host());
    let other = Settings::at(&way).with("--absence-seconds", ABSENCE).with("--scheduler", "off").open().await;
    until("both tell of themselves", async || (one.database().count("servers") == 2).then_some(())).await;
    let line = join(&other, "user", 10).await;
    // The others have been away, and come back to a server that cannot tell it any more.
    let (present, away) = line.split_at(5);
    time_goes_by(&one).await;
    poll(present).await;
    told(&one).await;
    lost(&proxy, &other, away).await;
    // Once when it was there a moment ago, and once when it has been silent for so long that it may have seen anybody.
    for (room, silent) in [(present.len(), 0), (line.len(), 20)] {
        let lost = " WHERE last = (SELECT min(last) FROM servers)";
        one.database().execute(&(back(&one, "servers", "last", silent) + lost));
        one.policy("main", json!({"paused": false, "max_active": room})).await;
        line[room - 1].with_shop(&one).becomes("ACTIVE").await;
    }
    assert_eq!(one.queue("main").await["ended"]["absent"], 0);
    one.audit().await;
}

#[tokio::test]
async fn users_of_a_server_that_was_killed_have_their_turn() {
    users_of_a_lost_server_have_their_turn(async |_, other, _| other.crash().await).await;
}

/// It still answers its users, from memory, and cannot say so.
#[tokio::test]
async fn users_of_a_server_that_is_cut_off_have_their_turn() {
    users_of_a_lost_server_have_their_turn(async |proxy, _, away| {
        proxy.refuse(true);
        proxy.cut();
        all_are(away, "WAITING").await;
    })
    .await;
}
