//! Random histories: seeded commands and clock steps, one by one on the store under test and on the reference store,
//! whose answers must be equal and must satisfy the oracle; and many at once, after which the sums must be right.

mod generate;
pub(crate) mod log;
mod play;
mod read;
pub(crate) mod stage;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use self::generate::Generator;
use self::log::{Answer, Command, Event, Terms};
use self::play::Player;
use domain::ports::Clock;

use crate::oracle::{Oracle, check_at_once};
use crate::scene::at_once;
use crate::{Make, reference};

/// How many commands a history has.
const COMMANDS: usize = 240;
/// After how many commands everything is read and compared.
const READ_EVERY: usize = 40;

/// The seed of a run: `USHER_SEED` if it is set, so that a failure can be seen again; else a new one.
fn seed() -> u64 {
    match std::env::var("USHER_SEED") {
        Ok(text) => text.parse().expect("USHER_SEED is a number"),
        Err(_) => RandomState::new().hash_one("usher"),
    }
}

/// Runs the history of `seed` on `make`'s store; what went wrong with which command, if anything did.
pub(crate) async fn run(make: &Make, seed: u64) -> Result<(), String> {
    let (tested, model) = (make.store(stage::rules()).await, reference(stage::rules()));
    model.clock.set(tested.clock.now());
    let (tested, model) = (Player::new(tested).await, Player::new(model).await);
    let mut generator = Generator::new(seed, model.now());
    let mut oracle = Oracle::new(model.now());
    for step in 1..=COMMANDS {
        // A change that changes nothing: windows of all queues begin at the same moment, whenever they were made.
        let command = if step <= stage::QUEUES.len() { same_policy(step - 1) } else { generator.next() };
        let blame = |what: &str, why: String| format!("{what} at command {step}, {command:?}: {why}");
        let at = model.now();
        let expected = model.play(&command).await.map_err(|error| blame("the reference store", error.to_string()))?;
        let answer = tested.play(&command).await.map_err(|error| blame("the store failed", error.to_string()))?;
        let event = Event { at, command: command.clone(), answer };
        oracle.check(&event).map_err(|why| blame("the oracle objects", why))?;
        if !alike(&expected, &event.answer) {
            return Err(blame("not the reference's answer", format!("{:?}, not {expected:?}", event.answer)));
        }
        generator.observe(&event);
        if step % READ_EVERY == 0 {
            let shown = tested.read().await.map_err(|error| blame("reading failed", error.to_string()))?;
            oracle.check_reading(&shown, tested.now()).map_err(|why| blame("the oracle objects after it", why))?;
            let expected = model.read().await.map_err(|error| blame("the reference store", error.to_string()))?;
            if shown != expected {
                return Err(blame("not what the reference shows", format!("{shown:#?}, not {expected:#?}")));
            }
        }
    }
    Ok(())
}

fn same_policy(queue: usize) -> Command {
    Command::Policy { queue, change: Terms::default() }
}

/// Whether two stores answered the same, but for how much each had written before time was looked at.
fn alike(expected: &Answer, given: &Answer) -> bool {
    matches!((expected, given), (Answer::Swept(_), Answer::Swept(_))) || expected == given
}

/// The log of the history of `seed` on the reference store.
#[cfg(test)]
pub(crate) async fn record(seed: u64) -> Vec<Event> {
    let player = Player::new(reference(stage::rules())).await;
    let mut generator = Generator::new(seed, player.now());
    let mut events = Vec::new();
    for step in 1..=COMMANDS {
        let command = if step <= stage::QUEUES.len() { same_policy(step - 1) } else { generator.next() };
        let at = player.now();
        let answer = player.play(&command).await.unwrap();
        events.push(Event { at, command, answer });
        generator.observe(&events[step - 1]);
    }
    events
}

/// Runs commands of several generators at once on `make`'s store; what does not add up afterwards, if anything.
pub(crate) async fn run_at_once(make: &Make, seed: u64) -> Result<(), String> {
    const TASKS: usize = 6;
    const EACH: usize = 40;
    let player = Arc::new(Player::new(make.store(stage::rules()).await).await);
    let log = Arc::new(Mutex::new(Vec::new()));
    at_once(TASKS, |task| {
        let (player, log) = (Arc::clone(&player), Arc::clone(&log));
        let seed = seed.wrapping_add(u64::try_from(task).unwrap() << 32);
        async move {
            let mut generator = Generator::new(seed, player.now());
            for _ in 0..EACH {
                let command = match generator.next() {
                    // What the policy was at which moment cannot be told afterwards.
                    Command::Policy { .. } => Command::Admit,
                    command => command,
                };
                let at = player.now();
                let answer = player.play(&command).await.unwrap_or_else(|error| Answer::Refused(error.to_string()));
                let event = Event { at, command, answer };
                generator.observe(&event);
                log.lock().unwrap().push(event);
            }
        }
    })
    .await;
    let events = std::mem::take(&mut *log.lock().unwrap());
    let failed = events.iter().find(|event| matches!(&event.answer, Answer::Refused(why) if why.contains("the store")));
    if let Some(event) = failed {
        return Err(format!("the store failed: {event:?}"));
    }
    let reading = player.read().await.map_err(|error| error.to_string())?;
    check_at_once(&events, &reading)
}

async fn repeat(histories: u64, history: impl AsyncFn(u64) -> Result<(), String>) {
    let first = seed();
    for seed in (0..histories).map(|n| first.wrapping_add(n)) {
        if let Err(why) = history(seed).await {
            panic!("history of USHER_SEED={seed}: {why}");
        }
    }
}

pub(crate) async fn histories_are_those_of_the_reference_and_the_oracle(make: Make) {
    repeat(12, async |seed| run(&make, seed).await).await;
}

pub(crate) async fn histories_at_once_add_up(make: Make) {
    repeat(8, async |seed| run_at_once(&make, seed).await).await;
}
