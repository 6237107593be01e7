//! Opening at a time (R19), and what those who wait are told.

use std::time::Duration;

use domain::{
    Edit, Message, NewQueue, Policy, PolicyChange, QueueEdit, QueueNumber, Rejection, Timestamp, Token, TokenStatus,
};

use crate::Make;
use crate::scene::{MICRO, Scene, narrow_rules, queue_name, ticket, user};

const SECOND: Duration = Duration::from_secs(1);
/// Of [`narrow_rules`].
const WINDOW: Duration = Duration::from_secs(10);

fn opens(opens_at: Timestamp) -> PolicyChange {
    PolicyChange { opens_at: Edit::Set(opens_at), ..PolicyChange::default() }
}

fn paused(paused: bool) -> PolicyChange {
    PolicyChange { paused: Some(paused), ..PolicyChange::default() }
}

/// How many one tick admits in `main`.
async fn admits(scene: &Scene) -> u64 {
    scene.tick().await.iter().map(|tick| tick.admitted).sum()
}

async fn edit(scene: &Scene, edit: QueueEdit) -> Result<Option<Message>, Rejection> {
    scene.store.queues.edit(scene.main, &edit).await.unwrap().map(|report| report.message)
}

/// To the microsecond, by the clockwork and by a join alike: whoever comes first to an empty line waits until the opening, too.
pub(crate) async fn nobody_is_admitted_before_the_opening_r19(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 2)).await;
    let opens_at = scene.now().plus(3 * WINDOW);
    scene.policy(opens(opens_at)).await;
    assert_eq!(scene.report().await.policy.opens_at, Some(opens_at));
    let early = scene.join("early").await.token;
    assert_eq!(early.status(), TokenStatus::Waiting, "nobody is ahead, and there is room");
    assert_eq!(admits(&scene).await, 0);
    scene.set(opens_at.minus(MICRO));
    scene.leave(early.ticket).await;
    let last = scene.join("last").await.token;
    assert_eq!((last.status(), admits(&scene).await), (TokenStatus::Waiting, 0), "a microsecond before");
    scene.leave(last.ticket).await;
    scene.set(opens_at);
    let first = scene.join("first").await.token;
    assert_eq!(first.active.map(|active| active.since), Some(opens_at), "at it, in the transaction of the join");
}

/// The opening begins the first window, however long the policy has held by then.
pub(crate) async fn windows_are_counted_from_the_opening_r19(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 2)).await;
    let opens_at = scene.now().plus(WINDOW + 3 * SECOND);
    scene.policy(opens(opens_at)).await;
    for n in 1..=9 {
        scene.join(n).await;
    }
    scene.set(opens_at.minus(MICRO));
    assert_eq!(admits(&scene).await, 0);
    scene.set(opens_at);
    assert_eq!((admits(&scene).await, admits(&scene).await), (2, 0), "one batch");
    scene.set(opens_at.plus(WINDOW).minus(MICRO));
    assert_eq!(admits(&scene).await, 0);
    scene.set(opens_at.plus(WINDOW));
    assert_eq!((admits(&scene).await, admits(&scene).await), (2, 0));
    let tokens: Vec<Token> = scene.tokens().await;
    let since: Vec<_> = tokens.iter().filter_map(|token| token.active.map(|active| active.since)).collect();
    let second = opens_at.plus(WINDOW);
    assert_eq!(since, [opens_at, opens_at, second, second], "in the order of their numbers");
}

pub(crate) async fn a_pause_wins_over_an_opening_r19(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 2)).await;
    let opens_at = scene.now().plus(WINDOW);
    scene.policy(PolicyChange { paused: Some(true), ..opens(opens_at) }).await;
    scene.join("a").await;
    scene.set(opens_at);
    assert_eq!(admits(&scene).await, 0);
    scene.policy(paused(false)).await;
    assert_eq!(scene.report().await.policy.opens_at, Some(opens_at), "what was not named stays");
    assert_eq!(admits(&scene).await, 1);
    // A pause that ends before the opening ends nothing.
    scene.policy(PolicyChange { paused: Some(true), ..opens(scene.now().plus(WINDOW)) }).await;
    scene.join("b").await;
    scene.policy(paused(false)).await;
    assert_eq!(admits(&scene).await, 0);
}

/// Whoever is in goes on; nobody else comes in until then. Taken away, the queue is open at once.
pub(crate) async fn an_opening_moved_ahead_is_a_pause_and_without_one_it_is_open_r19(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 2)).await;
    let opens_at = scene.now().plus(SECOND);
    scene.policy(opens(opens_at)).await;
    for n in 1..=5 {
        scene.join(n).await;
    }
    scene.set(opens_at);
    assert_eq!(admits(&scene).await, 2);
    let again = scene.now().plus(5 * WINDOW);
    scene.policy(opens(again)).await;
    scene.advance(WINDOW);
    assert_eq!(admits(&scene).await, 0);
    assert_eq!(scene.status(ticket(scene.main, 1)).await, TokenStatus::Active);
    scene.set(again);
    assert_eq!(admits(&scene).await, 2);
    scene.policy(opens(again.plus(WINDOW))).await;
    scene.policy(PolicyChange { opens_at: Edit::Clear, ..PolicyChange::default() }).await;
    assert_eq!((scene.report().await.policy.opens_at, admits(&scene).await), (None, 1));
}

pub(crate) async fn an_opening_out_of_bounds_changes_nothing_r19(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 2)).await;
    scene.policy(opens(scene.now().plus(SECOND))).await;
    let before = scene.report().await;
    // 1999-12-31T23:59:59.999999Z and 2200-01-01T00:00:00Z.
    for micros in [946_684_799_999_999, 7_258_118_400_000_000] {
        let change = PolicyChange { batch: Some(7), ..opens(Timestamp::from_micros(micros)) };
        let changed = scene.store.queues.change_policy(scene.main, &change).await.unwrap();
        assert!(matches!(changed, Err(Rejection::Invalid(_))), "{changed:?}");
    }
    assert_eq!(scene.report().await, before);
    for micros in [946_684_800_000_000, 7_258_118_399_999_999] {
        scene.policy(opens(Timestamp::from_micros(micros))).await;
        assert_eq!(scene.report().await.policy.opens_at.map(Timestamp::micros), Some(micros), "to the microsecond");
    }
}

/// A queue may be made with an opening and a message, and servers that follow it know of both.
pub(crate) async fn a_queue_is_made_with_an_opening_and_a_message_r19(make: Make) {
    let scene = Scene::open(&make).await;
    let opens_at = scene.now().plus(SECOND);
    let policy = Policy { opens_at: Some(opens_at), ..Policy::default() };
    let message = Message::new("여덟 시에 시작합니다", "We start at eight").ok();
    let new = NewQueue { name: queue_name("tonight"), policy, message: message.clone() };
    let report = scene.store.queues.make(&new).await.unwrap().unwrap();
    assert_eq!((report.policy, report.message), (policy, message.clone()));
    let queue = scene.store.queues.changes(&[]).await.unwrap().pop().unwrap();
    assert_eq!((queue.name, queue.policy, queue.policy_since), (new.name, policy, scene.now()));
    assert_eq!(queue.message, message);
    let joined = async || scene.store.queues.join(queue.number, &user("a")).await.unwrap().unwrap().token;
    assert_eq!(joined().await.status(), TokenStatus::Waiting);
    scene.set(opens_at);
    assert_eq!(admits(&scene).await, 1);
}

/// What a server that follows is told of `main` since the version that it knows.
async fn followed(scene: &Scene, known: u64) -> Option<(Option<Message>, u64)> {
    let changes = scene.store.queues.changes(&[(scene.main, known)]).await.unwrap();
    let change = changes.into_iter().find(|change| change.number == scene.main)?;
    Some((change.message, change.line.version))
}

pub(crate) async fn a_message_is_told_to_all_who_follow_until_it_is_taken_away(make: Make) {
    let scene = Scene::open(&make).await;
    let mut known = scene.report().await.line.version;
    assert_eq!(followed(&scene, known).await, None);
    let (first, second) = (Message::new("곧", "Soon").unwrap(), Message::new("매진", "Sold out").unwrap());
    for (asked, told) in [
        (Edit::Set(first.clone()), Some(first)),
        (Edit::Set(second.clone()), Some(second)),
        (Edit::Clear, None),
        (Edit::Clear, None),
    ] {
        assert_eq!(edit(&scene, QueueEdit { message: asked, ..QueueEdit::default() }).await, Ok(told.clone()));
        let (message, version) = followed(&scene, known).await.expect("a change of the line");
        assert_eq!((message, scene.report().await.message), (told.clone(), told));
        known = version;
    }
    assert_eq!(followed(&scene, known).await, None);
    let unknown = QueueNumber(scene.main.0 + 1);
    let nowhere = scene.store.queues.edit(unknown, &QueueEdit { message: Edit::Clear, ..QueueEdit::default() }).await;
    assert!(matches!(nowhere, Ok(Err(Rejection::NotFound(_)))), "{nowhere:?}");
}

/// A word to those who wait costs nobody a grant and gives nobody one; a policy that is refused takes no message with it.
pub(crate) async fn a_message_is_no_change_of_the_policy_r3(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 2)).await;
    let message = Message::new("곧", "Soon").unwrap();
    let edited = QueueEdit { policy: Some(paused(false)), message: Edit::Set(message.clone()) };
    assert_eq!(edit(&scene, edited).await, Ok(Some(message.clone())));
    for n in 1..=9 {
        scene.join(n).await;
    }
    scene.advance(WINDOW - SECOND);
    let silent = QueueEdit { message: Edit::Clear, ..QueueEdit::default() };
    assert_eq!(edit(&scene, silent).await, Ok(None));
    assert_eq!(admits(&scene).await, 0, "the window goes on");
    scene.advance(SECOND);
    assert_eq!(admits(&scene).await, 2);
    let bad = PolicyChange { batch: Some(0), ..PolicyChange::default() };
    let before = scene.report().await;
    let refused = edit(&scene, QueueEdit { policy: Some(bad), message: Edit::Set(message) }).await;
    assert!(matches!(refused, Err(Rejection::Invalid(_))), "{refused:?}");
    assert_eq!(scene.report().await, before);
}

/// The longest texts there are, and such as a statement might take for something else.
pub(crate) async fn messages_are_kept_letter_by_letter(make: Make) {
    let scene = Scene::open(&make).await;
    let longest = "한🎫".repeat(250);
    for (ko, en) in [(&*longest, &*longest), ("'; DROP TABLE messages; --", "\"\\u0000\" {} % _ é")] {
        let message = Message::new(ko, en).unwrap();
        let edited = QueueEdit { message: Edit::Set(message.clone()), ..QueueEdit::default() };
        assert_eq!(edit(&scene, edited).await, Ok(Some(message.clone())));
        assert_eq!(scene.report().await.message, Some(message));
    }
}
