//! The clockwork when a queue is locked by somebody.

use diesel_async::SimpleAsyncConnection;
use domain::PolicyChange;
use domain::concert::{NewConcert, SeatGroup};
use domain::ports::{ConcertRepository, QueueRepository};
use domain::{LocalTime, Money, QueueName};

use crate::scene::{MAIN, Scene, until, user};

/// R3: the tick admits to the others and comes back while the lock is still held; what it asked of the locked queue is done
/// when the lock is gone, without another tick.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_locked_keeps_no_other_from_being_admitted_to_r3() {
    let scene = Scene::new(4).await;
    let starts_at = LocalTime::parse("2027-12-24T19:30:00+09:00").unwrap();
    let seats = vec![SeatGroup::Count(1, Money::parse("10").unwrap())];
    let plan = NewConcert::plan("Winter", QueueName::parse("other").unwrap(), &[(starts_at, seats)]).unwrap();
    let other = scene.store.create(&plan).await.unwrap().unwrap().queue;
    for (queue, paused) in [(MAIN, true), (other, true), (MAIN, false), (other, false)] {
        let pause = PolicyChange { paused: Some(paused), ..PolicyChange::default() };
        scene.store.change_policy(queue, &pause).await.unwrap().unwrap();
        if paused {
            scene.store.join(queue, &user("waits")).await.unwrap().unwrap();
        }
    }
    let mut holder = scene.beside("BEGIN; SELECT 1 FROM queues WHERE queue = 1 FOR UPDATE").await;
    let admitted = scene.store.admit().await.unwrap();
    assert_eq!(admitted.iter().map(|line| (line.queue, line.admitted)).collect::<Vec<_>>(), [(other, 1)]);
    holder.batch_execute("COMMIT").await.unwrap();
    until(&mut holder, "SELECT admitted AS n FROM queues WHERE queue = 1", 1).await;
}
