//! The clockwork over the reference store, whose clock the tests move. Tokio's own is paused and jumps to what is waited for.

use app::{Holder, Ports, WalletGate};
use domain::concert::{Draft, NewConcert, ScheduleDraft, SeatGroup};
use domain::ports::{Clock, LoadCommand};
use domain::seal::{ServerKey, ServerKeys};
use domain::seat::SeatChoice;
use domain::{LocalTime, Money, Policy, QueueEdit, QueueName, QueueNumber, Rules, ScheduleId, TokenStatus, UserId};
use storage_contract::{SeededIds, TestClock, reference};
use tokio::sync::watch::{Sender, channel};

use super::*;

fn ports(store: storage_contract::Store) -> Ports {
    Ports {
        queues: store.queues,
        concerts: store.concerts,
        reservations: store.reservations,
        wallets: store.wallets,
        payments: store.payments,
        presence: store.presence,
        probe: store.probe,
        clockwork: store.clockwork,
        clock: store.clock,
        ids: Arc::new(SeededIds::new(1)),
    }
}

async fn server(ports: &Ports, rules: Rules) -> Arc<App> {
    let keys = ServerKeys::new(vec![ServerKey::from_bytes([7; 32])]).unwrap();
    let app = Arc::new(App::new(ports.clone(), rules, WalletGate::Active, keys));
    app.refresh().await.unwrap();
    app
}

/// Has the lines of a server followed until the sender is gone.
fn followed(app: &Arc<App>) -> Sender<bool> {
    let (until, stopped) = channel(false);
    tokio::spawn(follow(Arc::clone(app), stopped));
    until
}

/// A sale on a server that follows its lines.
struct Sale {
    /// Followed until this is gone.
    _followed: Sender<bool>,
    clock: Arc<TestClock>,
    app: Arc<App>,
    schedule: ScheduleId,
}

impl Sale {
    /// A sale of `seats` seats that lets `max_active` in at once.
    async fn open(seats: u32, max_active: u32) -> Self {
        let policy = Policy { max_active, batch: 10_000, ..Policy::default() };
        let rules = Rules { new_queue: policy, ..Rules::default() };
        let store = reference(rules.clone());
        let clock = Arc::clone(&store.clock);
        let app = server(&ports(store), rules).await;
        let starts_at = LocalTime::new(clock.now().plus(Duration::from_secs(86_400)), 0).unwrap();
        let groups = vec![SeatGroup::Count(seats, Money::parse("1").unwrap())];
        let draft = Draft::of("Gala", QueueName::main(), vec![ScheduleDraft::of(starts_at, groups)]);
        let command = LoadCommand { concert: NewConcert::plan(&draft).unwrap(), key: None };
        let schedule = app.create_concert(&command).await.unwrap().value.schedules[0];
        Self { _followed: followed(&app), clock, app, schedule }
    }

    async fn join(&self, user: u32) -> Holder {
        let user = UserId::parse(&user.to_string()).unwrap();
        let token = self.app.join(&QueueName::main(), &user).await.unwrap().standing.token;
        self.app.authenticate(token).unwrap()
    }

    async fn hold(&self, token: Holder, number: u32) {
        let choice = SeatChoice::numbers(self.schedule, &[number]).unwrap();
        self.app.hold(token, choice, None).await.unwrap();
    }

    async fn status(&self, token: Holder) -> TokenStatus {
        follow_once(&self.app).await.unwrap();
        self.app.standing(token).await.unwrap().status
    }
}

#[tokio::test]
async fn a_tick_frees_what_was_not_paid_and_admits_who_is_next_r3_r10() {
    let sale = Sale::open(1, 1).await;
    let (first, second) = (sale.join(1).await, sale.join(2).await);
    sale.hold(first, 1).await;
    let idle = run_once(&sale.app).await;
    assert_eq!((idle.released, idle.lines.map(|lines| lines.done.len())), (Ok(0), Ok(0)));
    sale.clock.advance(Duration::from_secs(600));
    assert_eq!(sale.status(second).await, TokenStatus::Waiting);
    let tick = run_once(&sale.app).await;
    assert_eq!(
        (tick.released, tick.lines.map(|lines| (lines.done[0].expired, lines.done[0].admitted))),
        (Ok(1), Ok((1, 1)))
    );
    assert_eq!((sale.status(first).await, sale.status(second).await), (TokenStatus::Expired, TokenStatus::Active));
}

#[tokio::test(start_paused = true)]
async fn it_ticks_every_second_until_it_is_told_to_stop() {
    let sale = Sale::open(1, 1).await;
    let (_, second) = (sale.join(1).await, sale.join(2).await);
    let (stop, stopped) = channel(false);
    let clockwork = tokio::spawn(run(Arc::clone(&sale.app), stopped));
    tokio::time::sleep(INTERVAL / 2).await;
    sale.clock.advance(Duration::from_secs(600));
    assert_eq!(sale.status(second).await, TokenStatus::Waiting);
    tokio::time::sleep(INTERVAL).await;
    assert_eq!(sale.status(second).await, TokenStatus::Active);
    stop.send(true).unwrap();
    clockwork.await.unwrap();
}

/// R10: at most 500 a transaction, and still all of them in one tick.
#[tokio::test(start_paused = true)]
async fn one_tick_sweeps_all_there_is() {
    const HELD: u32 = 1001;
    let sale = Sale::open(HELD, HELD).await;
    for number in 1..=HELD {
        let token = sale.join(number).await;
        sale.hold(token, number).await;
    }
    sale.clock.advance(Duration::from_secs(300));
    let (stop, stopped) = channel(false);
    let clockwork = tokio::spawn(run(Arc::clone(&sale.app), stopped));
    tokio::time::sleep(INTERVAL / 2).await;
    assert_eq!(run_once(&sale.app).await.released, Ok(0), "the first tick has left none");
    assert_eq!(sale.app.seats_available(QueueNumber(1), sale.schedule).await, Ok(HELD));
    drop(stop);
    clockwork.await.unwrap();
}

#[tokio::test]
async fn a_server_without_a_clockwork_learns_of_queues_that_others_make() {
    let ports = ports(reference(Rules::default()));
    let (one, other) = (server(&ports, Rules::default()).await, server(&ports, Rules::default()).await);
    let (queue, user) = (QueueName::parse("vip").unwrap(), UserId::parse("ann").unwrap());
    let _until_the_end = (followed(&one), followed(&other));
    assert!(other.join(&queue, &user).await.is_err());
    one.create_queue(&queue, &QueueEdit::default()).await.unwrap();
    assert!(other.join(&queue, &user).await.is_ok());
}

/// R22: whom a server saw is told every few seconds, and that it stops.
#[tokio::test(start_paused = true)]
async fn whom_a_server_saw_is_told_until_it_stops() {
    let rules = Rules { new_queue: Policy { max_active: 0, ..Policy::default() }, ..Rules::default() };
    let ports = ports(reference(rules.clone()));
    let app = server(&ports, rules.clone()).await;
    let _until_the_end = followed(&app);
    let joined = app.join(&QueueName::main(), &UserId::parse("ann").unwrap()).await.unwrap();
    let holder = app.authenticate(joined.standing.token).unwrap();
    let (stop, stopped) = channel(false);
    let watching = tokio::spawn(watch(Arc::clone(&app), stopped));
    // While a server tells of itself nobody may renew the epochs; a poll is what it has to tell.
    tokio::time::sleep(rules.absence / 30).await;
    app.standing(holder).await.unwrap();
    tokio::time::sleep(rules.absence / 30).await;
    assert_eq!(ports.queues.renew_epochs().await, Ok(None));
    stop.send(true).unwrap();
    watching.await.unwrap();
    say_goodbye(&app).await;
    assert_eq!(ports.queues.renew_epochs().await, Ok(Some(1)), "it has said goodbye");
}

/// Where nobody is passed over a server is there all the same: nobody may renew the epochs behind its back.
#[tokio::test(start_paused = true)]
async fn a_server_tells_of_itself_whatever_the_rules() {
    let rules = Rules { absence: Duration::ZERO, ..Rules::default() };
    let ports = ports(reference(rules.clone()));
    let app = server(&ports, rules).await;
    let (stop, stopped) = channel(false);
    let watching = tokio::spawn(watch(Arc::clone(&app), stopped));
    tokio::time::sleep(INTERVAL).await;
    assert_eq!(ports.queues.renew_epochs().await, Ok(None));
    stop.send(true).unwrap();
    watching.await.unwrap();
    say_goodbye(&app).await;
    assert_eq!(ports.queues.renew_epochs().await, Ok(Some(0)));
}

/// However many callers are refused while they wait, they cost the store no more than fifty looks a second.
#[tokio::test(start_paused = true)]
async fn impatient_callers_share_what_is_looked_at() {
    let sale = Sale::open(1, 0).await;
    let waiting = sale.join(1).await;
    let begun = tokio::time::Instant::now();
    for _ in 0..50 {
        assert!(sale.app.active_caller(waiting).await.is_err());
    }
    assert!(begun.elapsed() >= Duration::from_millis(49 * 20), "{:?}", begun.elapsed());
}

/// A clockwork somewhere is missed after ten seconds, and heard again.
#[tokio::test]
async fn a_clockwork_that_does_not_tick_is_missed_until_one_does() {
    let store = reference(Rules::default());
    let clock = Arc::clone(&store.clock);
    let ports = ports(store);
    let (ticks, listens) = (server(&ports, Rules::default()).await, server(&ports, Rules::default()).await);
    run_once(&ticks).await;
    assert!(!ticking::listen_once(&listens, false).await);
    let micro = Duration::from_micros(1);
    for (after, missed) in [(Duration::from_micros(9_999_999), false), (micro, true), (Duration::from_secs(60), true)] {
        clock.advance(after);
        assert_eq!(ticking::listen_once(&listens, false).await, missed, "{after:?}");
    }
    run_once(&ticks).await;
    assert!(!ticking::listen_once(&listens, true).await);
}
