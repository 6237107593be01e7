//! Following the lines by version: what changed, nothing left out (R4).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::line::{Line, Place, Snapshot};
use domain::ports::QueueChange;
use domain::{PolicyChange, QueueNumber, TicketNumber, Token, TokenStatus};

use crate::Make;
use crate::ids::mix;
use crate::scene::{Scene, at_once, narrow_rules, open_rules, ticket, user};

/// What changed in `main` since `known`, if anything did.
async fn since(scene: &Scene, known: u64) -> Option<QueueChange> {
    let changes = scene.store.queues.changes(&[(scene.main, known)]).await.unwrap();
    changes.into_iter().find(|change| change.number == scene.main)
}

async fn paused(scene: &Scene, paused: bool) {
    scene.policy(PolicyChange { paused: Some(paused), ..PolicyChange::default() }).await;
}

fn numbers(numbers: &[u64]) -> Vec<TicketNumber> {
    numbers.iter().map(|number| TicketNumber::new(*number).unwrap()).collect()
}

fn sorted(mut numbers: Vec<TicketNumber>) -> Vec<TicketNumber> {
    numbers.sort_unstable();
    numbers
}

pub(crate) async fn changes_show_what_changed_and_nothing_else_r4(make: Make) {
    let scene = Scene::with(&make, narrow_rules(2, 100)).await;
    let start = scene.view().await.change;
    assert_eq!((start.line.issued, start.left.len()), (0, 0));
    let mut known = start.line.version;
    let mut next = async |left: &[u64], what: &str| {
        let change = since(&scene, known).await.unwrap_or_else(|| panic!("{what} is not shown"));
        assert_eq!(sorted(change.left.clone()), numbers(left), "{what}");
        assert_eq!(change.line, scene.report().await.line, "{what}");
        assert_eq!(since(&scene, change.line.version).await, None, "{what} is not shown twice");
        known = change.line.version;
        change
    };
    paused(&scene, true).await;
    assert!(next(&[], "a policy").await.policy.paused);
    for n in 1..=6 {
        scene.join(n).await;
    }
    assert_eq!(next(&[], "joins").await.line.issued, 6);
    scene.leave(ticket(scene.main, 2)).await;
    scene.leave(ticket(scene.main, 5)).await;
    assert_eq!(next(&[2, 5], "leavers").await.line.ended_beyond, 2);
    paused(&scene, false).await;
    assert!(!next(&[], "a policy").await.policy.paused);
    scene.tick().await;
    let change = next(&[], "an admission").await;
    assert_eq!((change.line.frontier, change.line.ended_beyond, change.line.admitted), (3, 1, 2));
    scene.leave(ticket(scene.main, 6)).await;
    next(&[6], "a leaver, and not who left before").await;
    scene.leave(ticket(scene.main, 1)).await;
    assert_eq!(since(&scene, known).await, None, "the end of an ACTIVE token is no change of the line");
}

pub(crate) async fn who_left_behind_the_frontier_is_not_named(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 100)).await;
    paused(&scene, true).await;
    for n in 1..=4 {
        scene.join(n).await;
    }
    let known = scene.view().await.change.line.version;
    for number in [1, 3] {
        scene.leave(ticket(scene.main, number)).await;
    }
    paused(&scene, false).await;
    scene.tick().await;
    let change = since(&scene, known).await.unwrap();
    assert_eq!((change.line.frontier, change.left), (2, numbers(&[3])));
}

pub(crate) async fn an_unknown_queue_comes_whole(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    let (other, _) = scene.other_queue().await;
    for n in 1..=4 {
        scene.join(n).await;
    }
    scene.leave(ticket(scene.main, 3)).await;
    scene.store.queues.join(other, &user("a")).await.unwrap().unwrap();
    let all = scene.store.queues.changes(&[]).await.unwrap();
    let of = |queue: QueueNumber| all.iter().find(|change| change.number == queue).unwrap();
    assert_eq!(all.len(), 2);
    let (here, there) = (of(scene.main), of(other));
    assert_eq!((here.name.as_str(), there.name.as_str()), ("main", "other"));
    assert_eq!((&here.left, here.line.issued, here.policy), (&numbers(&[3]), 4, narrow_rules(1, 1).new_queue));
    assert_ne!(here.epoch, there.epoch);
    let changes = async |known: &[(QueueNumber, u64)]| scene.store.queues.changes(known).await.unwrap();
    let [main, elsewhere] = [here, there].map(|change| (change.number, change.line.version));
    assert_eq!(changes(&[main, elsewhere]).await, []);
    assert_eq!(changes(&[elsewhere]).await, std::slice::from_ref(here), "with who left before");
    assert_eq!(changes(&[main, (QueueNumber(other.0 + 7), 3)]).await, std::slice::from_ref(there));
    assert_eq!(changes(&[main, (other, elsewhere.1 - 1)]).await, std::slice::from_ref(there));
}

/// R4: from then on nobody need ask what was: each token tells.
pub(crate) async fn a_token_notes_the_version_at_which_it_ceased_to_wait_r4(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    let out = async |number: u64| scene.standing(ticket(scene.main, number)).await.token.out_version;
    let joined = scene.join("a").await;
    assert_eq!(joined.token.out_version, Some(joined.line.version));
    let waits = scene.join("b").await;
    scene.join("c").await;
    assert_eq!((waits.token.out_version, out(2).await), (None, None));
    scene.leave(ticket(scene.main, 2)).await;
    let left = scene.report().await.line.version;
    assert_eq!(out(2).await, Some(left));
    scene.leave(ticket(scene.main, 1)).await;
    assert_eq!(out(1).await, Some(joined.line.version), "it had ceased to wait before it ended");
    scene.advance(Duration::from_secs(10));
    let tick = scene.tick().await.remove(0);
    assert_eq!(out(3).await, Some(tick.line.version));
    scene.advance(Duration::from_secs(600));
    scene.tick().await;
    assert_eq!(
        (out(3).await, scene.status(ticket(scene.main, 3)).await),
        (Some(tick.line.version), TokenStatus::Expired)
    );
}

/// What was told, to be compared with what the tokens say in the end.
#[derive(Default)]
struct Told {
    snapshots: Vec<Snapshot>,
    positions: Vec<(TicketNumber, u64, Line)>,
}

impl Told {
    /// Who waited at `version`, by brute force.
    fn waited(tokens: &[Token], line: &Line) -> Vec<u64> {
        let issued = tokens.iter().filter(|token| token.ticket.number.get() <= line.issued);
        let waited = issued.filter(|token| token.out_version.is_none_or(|out| out > line.version));
        waited.map(|token| token.ticket.number.get()).collect()
    }

    fn check(&self, tokens: &[Token]) {
        for snapshot in &self.snapshots {
            let (line, waited) = (snapshot.line(), Self::waited(tokens, snapshot.line()));
            let mut position = 0;
            for number in 1..=line.issued {
                let place = snapshot.place(TicketNumber::new(number).unwrap());
                if waited.contains(&number) {
                    position += 1;
                    assert_eq!(place, Place::Waiting(position), "{number} of {line:?}");
                } else {
                    assert!(matches!(place, Place::Passed | Place::Ended), "{number} of {line:?}: {place:?}");
                }
            }
            assert_eq!(line.waiting(), position, "{line:?}");
        }
        for (number, position, line) in &self.positions {
            let waited = Self::waited(tokens, line);
            let index = waited.iter().position(|waits| *waits == number.get()).expect("who was told a position waits");
            assert_eq!(u64::try_from(index).unwrap() + 1, *position, "{number:?} at {line:?}");
        }
    }

    /// The next snapshot of `main`, by what changed since the last one.
    async fn follow(&mut self, scene: &Scene) {
        let last = self.snapshots.last();
        let Some(change) = since(scene, last.map_or(0, |last| last.line().version)).await else { return };
        let next = match last {
            Some(last) => last.refresh(change.line, change.left),
            None => Snapshot::build(change.line, change.left),
        };
        self.snapshots.push(next.expect("one view of the store"));
    }

    fn joined(&mut self, joined: &domain::ports::Joined) {
        if joined.created && joined.token.status() == TokenStatus::Waiting {
            let number = joined.token.ticket.number;
            self.positions.push((number, joined.line.position_at_tail(number), joined.line));
        }
    }
}

/// R4, Q1: a line followed by its changes is the line, at every version at which it was seen.
pub(crate) async fn following_by_changes_equals_reading_whole_and_brute_force_r4_q1(make: Make) {
    for seed in 1..=4_u64 {
        let scene = Scene::with(&make, narrow_rules(6, 3)).await;
        let mut told = Told::default();
        for step in 0..90 {
            let dice = mix(seed << 32 | step);
            let pick = (dice >> 8) % 40;
            match dice % 16 {
                0..7 => told.joined(&scene.join(pick).await),
                7..11 => {
                    let issued = scene.report().await.line.issued;
                    if issued > 0 {
                        scene.leave(ticket(scene.main, pick % issued + 1)).await;
                    }
                }
                11..13 => drop(scene.tick().await),
                13 => paused(&scene, pick.is_multiple_of(4)).await,
                14 => scene.advance(Duration::from_secs(400)),
                _ => scene.advance(Duration::from_secs(10)),
            }
            if (dice >> 16).is_multiple_of(3) {
                told.follow(&scene).await;
            }
        }
        told.follow(&scene).await;
        let anew = scene.view().await;
        let followed = told.snapshots.last().unwrap();
        assert_eq!(followed.line(), anew.snapshot.line(), "seed {seed}");
        for token in scene.tokens().await {
            let number = token.ticket.number;
            assert_eq!(followed.place(number), anew.snapshot.place(number), "seed {seed}");
        }
        told.snapshots.push(anew.snapshot);
        told.check(&scene.tokens().await);
    }
}

/// R4: however late a transaction commits, what it changed is shown with its version.
pub(crate) async fn no_change_is_skipped_while_many_join_and_leave_r4(make: Make) {
    const PEOPLE: usize = 20;
    let scene = Scene::with(&make, narrow_rules(5, 2)).await;
    let done = Arc::new(AtomicUsize::new(0));
    let all = at_once(PEOPLE + 1, |task| {
        let (scene, done) = (Arc::clone(&scene), Arc::clone(&done));
        async move {
            let mut told = Told::default();
            if task == PEOPLE {
                while done.load(Ordering::SeqCst) < PEOPLE {
                    told.follow(&scene).await;
                    tokio::task::yield_now().await;
                }
                told.follow(&scene).await;
                return told;
            }
            for round in 0..8 {
                let joined = scene.join(task * 100 + round).await;
                told.joined(&joined);
                match (task + round) % 4 {
                    0 | 1 => scene.leave(joined.token.ticket).await,
                    2 => drop(scene.tick().await),
                    _ => scene.advance(Duration::from_secs(1)),
                }
            }
            done.fetch_add(1, Ordering::SeqCst);
            told
        }
    })
    .await;
    let tokens = scene.tokens().await;
    assert_eq!(tokens.len(), PEOPLE * 8);
    for told in &all {
        told.check(&tokens);
    }
    let line = scene.report().await.line;
    assert_eq!(all[PEOPLE].snapshots.last().map(Snapshot::line), Some(&line), "nothing is missing at the end");
}

/// What changed is told of each queue by its own version.
pub(crate) async fn a_new_queue_is_a_change(make: Make) {
    let scene = Scene::with(&make, open_rules()).await;
    let known = (scene.main, scene.report().await.line.version);
    assert_eq!(scene.store.queues.changes(&[known]).await.unwrap(), []);
    let (other, _) = scene.other_queue().await;
    let changes = scene.store.queues.changes(&[known]).await.unwrap();
    let new: Vec<_> = changes.iter().map(|change| (change.number, change.line, change.left.len())).collect();
    assert_eq!(new, [(other, Line::default(), 0)]);
}
