//! What the contract does not say: faults of single rows and statements stay with the command they belong to, and what
//! changes nothing writes nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in what it is made of too")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapter_sqlite::{Migrations, SqliteStore};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use domain::concert::{Draft, NewConcert, ScheduleDraft, SeatGroup};
use domain::ports::{
    Admissions, ChargeCommand, ConcertRepository, HoldCommand, LoadCommand, QueueRepository, ReservationRepository,
    StoreError, WalletRepository,
};
use domain::reservation::{CancelReason, ReservationStatus};
use domain::seat::SeatChoice;
use domain::{
    LocalTime, Money, NewQueue, Policy, PolicyChange, QueueName, QueueNumber, Rejection, Rules, ScheduleId, Ticket,
    Timestamp, TokenStatus, UserId,
};
use storage_contract::{SeededIds, TestClock};

const MAIN: QueueNumber = QueueNumber(1);
/// How long a store waits: so long that nobody is refused on a slow machine.
const PATIENCE: Duration = Duration::from_secs(600);

struct Scene {
    store: SqliteStore,
    clock: Arc<TestClock>,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

fn scene(rules: Rules) -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new(Timestamp::from_micros(1_795_132_800_000_000)));
    let path = directory.path().join("usher.db");
    let ids = Arc::new(SeededIds::new(1));
    let store = SqliteStore::open(&path, Migrations::Apply, clock.clone(), ids, rules, PATIENCE).unwrap();
    Scene { store, clock, path, _directory: directory }
}

impl Scene {
    /// A connection beside the store's, as another program would have.
    fn beside(&self, sql: &str) -> SqliteConnection {
        let mut connection = SqliteConnection::establish(self.path.to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 600000").unwrap();
        connection.batch_execute(sql).unwrap();
        connection
    }

    async fn ticket(&self, name: &str) -> Ticket {
        self.store.join(MAIN, &user(name)).await.unwrap().unwrap().token.ticket
    }

    async fn schedule(&self, seats: u32) -> ScheduleId {
        *self.store.create(&concert("main", seats)).await.unwrap().unwrap().value.schedules.first().unwrap()
    }
}

/// A concert with so many seats, to be loaded into this queue.
fn concert(queue: &str, seats: u32) -> LoadCommand {
    let starts_at = LocalTime::parse("2027-12-24T19:30:00+09:00").unwrap();
    let seats = vec![SeatGroup::Count(seats, Money::parse("10").unwrap())];
    let draft = Draft::of("Winter", QueueName::parse(queue).unwrap(), vec![ScheduleDraft::of(starts_at, seats)]);
    LoadCommand { concert: NewConcert::plan(&draft).unwrap(), key: None }
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn charge(name: &str, amount: &str) -> ChargeCommand {
    ChargeCommand { user: user(name), amount: Money::parse(amount).unwrap(), key: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_command_of_a_batch_fails_alone_q17_w12() {
    let scene = scene(Rules::default());
    let trigger = "CREATE TRIGGER fault BEFORE INSERT ON tokens WHEN NEW.user_id = 'bad' \
        BEGIN SELECT RAISE(ABORT, 'injected'); END";
    let mut beside = scene.beside(trigger);
    // Whoever comes while the file is locked waits, and forms one batch.
    beside.batch_execute("BEGIN IMMEDIATE").unwrap();
    let asked: Vec<_> = ["a", "bad", "b", "bad", "c"]
        .into_iter()
        .map(|name| {
            let store = scene.store.clone();
            tokio::spawn(async move { store.join(MAIN, &user(name)).await })
        })
        .collect();
    beside.batch_execute("COMMIT").unwrap();
    let (mut numbers, mut failed) = (Vec::new(), 0);
    for answer in asked {
        match answer.await.unwrap() {
            Ok(joined) => numbers.push(joined.unwrap().token.ticket.number.get()),
            Err(StoreError::Unavailable(_)) => failed += 1,
            Err(other) => panic!("{other}"),
        }
    }
    numbers.sort_unstable();
    assert_eq!((numbers, failed), (vec![1, 2, 3], 2), "dense though two failed between them (R2)");

    beside.batch_execute("DROP TRIGGER fault").unwrap();
    assert_eq!(scene.ticket("bad").await.number.get(), 4, "a failed join locks nobody out");
}

#[tokio::test]
async fn one_bad_row_does_not_stop_the_sweep_s8() {
    let scene = scene(Rules::default());
    let schedule = scene.schedule(3).await;
    let mut held = Vec::new();
    for (name, seat) in [("a", 1), ("b", 2), ("c", 3)] {
        let (ticket, choice) = (scene.ticket(name).await, SeatChoice::numbers(schedule, &[seat]).unwrap());
        let command = HoldCommand { ticket, choice, key: None };
        held.push(scene.store.hold(&command).await.unwrap().unwrap().value.id);
    }
    // Of the first only the seat cannot be written, after its reservation was; the second cannot be read.
    let mut beside = scene.beside(
        "CREATE TRIGGER fault BEFORE UPDATE ON seats WHEN OLD.number = 1 \
             BEGIN SELECT RAISE(ABORT, 'injected'); END;
         PRAGMA ignore_check_constraints = ON;
         UPDATE reservations SET amount = -1 WHERE user_id = 'b';",
    );
    scene.clock.advance(Rules::default().hold);
    assert_eq!(scene.store.release_expired().await, Ok(1));
    let last = ReservationRepository::find(&scene.store, MAIN, &user("c"), held[2]).await.unwrap().unwrap().status;
    assert_eq!(last, ReservationStatus::Cancelled(CancelReason::Expired));
    assert_eq!(scene.store.release_expired().await, Ok(0), "the bad ones are left as they are");
    beside.batch_execute("DROP TRIGGER fault").unwrap();
    assert_eq!(scene.store.release_expired().await, Ok(1), "nothing of it was written by halves");
}

#[tokio::test]
async fn a_bad_reservation_fails_its_own_user_and_nobody_else_r7_r17_s8() {
    let scene = scene(Rules::default());
    let schedule = scene.schedule(2).await;
    let hold = async |name, seat| {
        let (ticket, choice) = (scene.ticket(name).await, SeatChoice::numbers(schedule, &[seat]).unwrap());
        scene.store.hold(&HoldCommand { ticket, choice, key: None }).await
    };
    let mut bad = Vec::new();
    for (name, seat) in [("lost", 1), ("unreadable", 2)] {
        bad.push((name, hold(name, seat).await.unwrap().unwrap().value.id));
    }
    let _beside = scene.beside(
        "PRAGMA foreign_keys = OFF;
         PRAGMA ignore_check_constraints = ON;
         UPDATE reservations SET schedule_id = zeroblob(16) WHERE user_id = 'lost';
         UPDATE reservations SET amount = -1 WHERE user_id = 'unreadable';",
    );
    for (name, id) in bad {
        let cancelled = scene.store.cancel(scene.ticket(name).await, id).await;
        let damaged = matches!(cancelled, Err(StoreError::Inconsistent { table: "reservations", .. }));
        assert!(damaged, "{name}, never missing: {cancelled:?}");
        let left = scene.store.leave(scene.ticket(name).await).await;
        assert!(matches!(left, Err(StoreError::Inconsistent { table: "reservations", .. })), "{name}: {left:?}");
    }
    scene.clock.advance(Rules::default().hold);
    for (name, seat) in [("a", 1), ("b", 2)] {
        assert!(hold(name, seat).await.unwrap().is_ok(), "{name} takes a dead hold over");
    }
}

#[tokio::test]
async fn no_program_gives_a_seat_to_a_reservation_that_did_not_take_it_s1() {
    let scene = scene(Rules::default());
    let schedule = scene.schedule(2).await;
    let (ticket, choice) = (scene.ticket("a").await, SeatChoice::numbers(schedule, &[1]).unwrap());
    scene.store.hold(&HoldCommand { ticket, choice, key: None }).await.unwrap().unwrap();
    let mut beside = scene.beside("PRAGMA foreign_keys = ON");
    for (seat, allowed) in [(1, true), (2, false)] {
        let given = "UPDATE seats SET reservation_id = (SELECT id FROM reservations) WHERE number = ";
        let given = beside.batch_execute(&format!("{given}{seat}"));
        assert_eq!(given.is_ok(), allowed, "{seat}: {given:?}");
    }
}

#[tokio::test]
async fn more_bad_rows_than_one_sweep_takes_do_not_starve_the_good_s8() {
    let scene = scene(Rules::default());
    let schedule = scene.schedule(1).await;
    let (ticket, choice) = (scene.ticket("good").await, SeatChoice::numbers(schedule, &[1]).unwrap());
    scene.store.hold(&HoldCommand { ticket, choice, key: None }).await.unwrap().unwrap();
    let _beside = scene.beside(
        "WITH RECURSIVE bad (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM bad WHERE n < 1200)
         INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, reserved_at, expires_at)
         SELECT r.queue, randomblob(16), 'bad', r.schedule_id, 0, 'PENDING', 0, n FROM bad, reservations r",
    );
    scene.clock.advance(Rules::default().hold);
    assert_eq!(scene.store.release_expired().await, Ok(1), "though all the bad, which have no seats, come first");
}

/// Three are ACTIVE and past their deadline and one waits, in a queue with room for three.
async fn three_past_their_deadline_and_one_who_waits() -> Scene {
    let scene = scene(Rules { new_queue: Policy { max_active: 3, ..Policy::default() }, ..Rules::default() });
    for name in ["a", "b", "c", "waits"] {
        scene.ticket(name).await;
    }
    scene.clock.advance(Rules::default().active);
    scene
}

#[tokio::test]
async fn a_bad_token_past_its_deadline_keeps_its_own_place_and_no_other_r3_s8() {
    let scene = three_past_their_deadline_and_one_who_waits().await;
    let _beside = scene.beside("UPDATE tokens SET user_id = ' b ' WHERE user_id = 'b'");
    let Admissions { done, failed } = scene.store.admit().await.unwrap();
    assert_eq!(failed, []);
    assert_eq!(done.iter().map(|line| (line.expired, line.admitted, line.active)).collect::<Vec<_>>(), [(2, 1, 2)]);
}

#[tokio::test]
async fn a_bad_token_that_waits_is_not_passed_over_and_stops_no_other_queue_r3_s8() {
    let scene = three_past_their_deadline_and_one_who_waits().await;
    let new = NewQueue { name: QueueName::parse("other").unwrap(), policy: Policy::default(), message: None };
    scene.store.make(&new).await.unwrap().unwrap();
    let other = QueueNumber(2);
    let paused = |paused| PolicyChange { paused: Some(paused), ..PolicyChange::default() };
    scene.store.change_policy(other, &paused(true)).await.unwrap().unwrap();
    scene.store.join(other, &user("b")).await.unwrap().unwrap();
    scene.store.change_policy(other, &paused(false)).await.unwrap().unwrap();
    let _beside = scene.beside("UPDATE tokens SET user_id = ' waits ' WHERE user_id = 'waits'");
    let Admissions { done, failed } = scene.store.admit().await.unwrap();
    assert_eq!(done.iter().map(|line| (line.queue, line.admitted)).collect::<Vec<_>>(), [(other, 1)]);
    assert!(matches!(&*failed, [(MAIN, StoreError::Inconsistent { table: "tokens", .. })]), "{failed:?}");
    let joined = scene.store.join(MAIN, &user("later")).await.unwrap().unwrap();
    let position = joined.line.position_at_tail(joined.token.ticket.number);
    assert_eq!((joined.token.status(), position), (TokenStatus::Waiting, 2), "told as it is");
}

#[tokio::test]
async fn a_row_that_does_not_parse_is_inconsistent_never_missing() {
    let scene = scene(Rules::default());
    scene.store.charge(&charge("u", "5")).await.unwrap().unwrap();
    let ticket = scene.ticket("u").await;
    let _beside = scene.beside(
        "PRAGMA ignore_check_constraints = ON; UPDATE wallets SET balance = -5; UPDATE tokens SET status = 'LOST';",
    );
    let balance = scene.store.balance(&user("u")).await;
    assert!(
        matches!(balance, Err(StoreError::Inconsistent { table: "wallets", column: "balance", .. })),
        "{balance:?}"
    );
    let charged = scene.store.charge(&charge("u", "5")).await;
    assert!(matches!(charged, Err(StoreError::Inconsistent { table: "wallets", .. })), "{charged:?}");
    let found = scene.store.tokens(MAIN, &[ticket.number]).await;
    assert!(matches!(found, Err(StoreError::Inconsistent { table: "tokens", column: "status", .. })), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_answer_while_the_file_is_locked_for_writing() {
    let scene = scene(Rules::default());
    scene.store.charge(&charge("u", "5")).await.unwrap().unwrap();
    let mut beside = scene.beside("BEGIN IMMEDIATE; UPDATE wallets SET balance = 0;");
    let store = scene.store.clone();
    let waiting = tokio::spawn(async move { store.charge(&charge("u", "1")).await });
    let wallet = scene.store.balance(&user("u")).await.unwrap();
    assert_eq!(wallet.balance, Money::parse("5").unwrap(), "as last committed");
    assert!(!waiting.is_finished(), "a write waits for the lock");
    beside.batch_execute("ROLLBACK").unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().unwrap().value.wallet.balance, Money::parse("6").unwrap());
}

#[tokio::test]
async fn money_is_exact_at_its_largest_w3() {
    let most = Money::from_minor(Money::MAX_MINOR).unwrap();
    let scene = scene(Rules { max_charge: most.clone(), ..Rules::default() });
    let charged = scene.store.charge(&charge("u", "9999999999999.99")).await.unwrap().unwrap().value;
    assert_eq!(charged.wallet.balance.to_string(), "9999999999999.99");
    scene.store.charge(&charge("u", "0.01")).await.unwrap().unwrap();
    assert_eq!(scene.store.balance(&user("u")).await.unwrap().balance, most);
    let above = scene.store.charge(&charge("u", "0.01")).await.unwrap();
    assert!(matches!(above, Err(Rejection::Invalid(_))), "{above:?}");
    assert_eq!(scene.store.balance(&user("u")).await.unwrap().balance, most);
}

#[tokio::test]
async fn joining_again_writes_nothing_r1() {
    let scene = scene(Rules::default());
    let first = scene.ticket("a").await;
    let trigger = "CREATE TRIGGER fault BEFORE UPDATE ON queues BEGIN SELECT RAISE(ABORT, 'injected'); END";
    let _beside = scene.beside(trigger);
    assert_eq!(scene.ticket("a").await, first);
    let new = scene.store.join(MAIN, &user("b")).await;
    assert!(matches!(new, Err(StoreError::Unavailable(_))), "an update would have shown: {new:?}");
}
