//! Queues and how fast they admit: made, looked at and changed by their operator (R3).

use std::collections::HashMap;

use domain::ports::QueueReport;
use domain::{NewQueue, QueueEdit, QueueName};

use crate::{App, Failure};

/// How many are in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueCounts {
    /// Its name.
    pub name: QueueName,
    /// How many wait, as this server knows.
    pub waiting: u64,
    /// How many are ACTIVE now.
    pub active: u64,
}

impl App {
    /// Makes a queue, known here afterwards. What `settings` does not name is as the rules have it for new queues.
    pub async fn create_queue(&self, name: &QueueName, settings: &QueueEdit) -> Result<QueueReport, Failure> {
        let policy = settings.policy.unwrap_or_default().apply(&self.rules.new_queue)?;
        let queue = NewQueue { name: name.clone(), policy, message: settings.message.clone().apply(None) };
        let report = self.ports.queues.make(&queue).await??;
        // The queue is made, whether or not this server can read it back now.
        drop(self.refreshed().await);
        Ok(report)
    }

    /// The policy and counts of a queue.
    pub async fn queue_report(&self, queue: &QueueName) -> Result<QueueReport, Failure> {
        let number = self.named(queue).await?;
        Ok(self.ports.queues.report(number).await??)
    }

    /// How many wait and are ACTIVE in each queue, for whoever watches them all.
    pub async fn queue_counts(&self) -> Result<Vec<QueueCounts>, Failure> {
        let active: HashMap<_, _> = self.ports.queues.active().await?.into_iter().collect();
        let lines = self.lines.load();
        let counts = lines.queues().map(|(number, queue)| {
            let known = queue.known();
            QueueCounts {
                name: known.name.clone(),
                waiting: known.snapshot.line().waiting(),
                active: active.get(&number).copied().unwrap_or(0),
            }
        });
        Ok(counts.collect())
    }

    /// Changes what `edit` names of a queue.
    pub async fn edit_queue(&self, queue: &QueueName, edit: &QueueEdit) -> Result<QueueReport, Failure> {
        let number = self.named(queue).await?;
        let report = self.ports.queues.edit(number, edit).await??;
        self.following.want();
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use domain::line::Line;
    use domain::ports::Endings;
    use domain::rejection::Missing;
    use domain::{Edit, Message, Policy, PolicyChange, QueueNumber, Rejection, Rules, Wrong};

    use super::*;
    use crate::mocks::{Task, World, block_on, change, down, name_of, run};

    fn pause() -> QueueEdit {
        let pause = PolicyChange { paused: Some(true), ..PolicyChange::default() };
        QueueEdit { policy: Some(pause), message: Message::new("곧", "Soon").map_or(Edit::Keep, Edit::Set) }
    }

    fn report() -> QueueReport {
        QueueReport {
            name: name_of("other"),
            policy: Policy::default(),
            message: None,
            line: Line::default(),
            active: 2,
            ended: Endings { absent: 3, ..Endings::default() },
            oldest_wait: Some(Duration::from_secs(4)),
            waits: vec![Duration::from_secs(5)],
        }
    }

    #[test]
    fn the_store_is_asked_by_number_and_its_answer_passed_on() {
        let refusal = Rejection::invalid("batch", Wrong::Missing);
        for (answer, passed) in [
            (Ok(Ok(report())), Ok(report())),
            (Ok(Err(refusal.clone())), Err(Failure::Rejected(refusal))),
            (Err(down()), Err(Failure::Store(down()))),
        ] {
            let mut world = World::default();
            let (first, second) = (answer.clone(), answer);
            world.queues.expect_report().times(1).withf(|queue| *queue == QueueNumber(2)).return_once(|_| first);
            let asked = |queue: &QueueNumber, edit: &QueueEdit| *queue == QueueNumber(2) && *edit == pause();
            world.queues.expect_edit().times(1).withf(asked).return_once(|_, _| second);
            let app = world.app();
            assert_eq!(block_on(app.queue_report(&name_of("other"))), passed);
            assert_eq!(block_on(app.edit_queue(&name_of("other"), &pause())), passed);
        }
    }

    /// What was not named is as this server's rules have it.
    #[test]
    fn a_queue_is_made_with_the_policy_that_was_named_and_known_at_once() {
        for (down, reads) in [(false, 2), (true, 2)] {
            let rules = Rules { new_queue: Policy { batch: 7, ..Policy::default() }, ..Rules::default() };
            let mut world = World { rules, ..World::default() };
            let policy = Policy { batch: 7, paused: true, ..Policy::default() };
            let new = NewQueue { name: name_of("new"), policy, message: Message::new("곧", "Soon").ok() };
            world.queues.expect_make().times(1).withf(move |asked| *asked == new).return_once(|_| Ok(Ok(report())));
            let lines = Arc::clone(&world.lines);
            let app = world.app();
            lines.add(change(3, "new"));
            lines.set_down(down);
            assert_eq!(run(&app, app.create_queue(&name_of("new"), &pause())), Ok(report()), "what is done is done");
            let known = app.queue_number(&name_of("new")).ok();
            assert_eq!((known, lines.reads()), ((!down).then_some(QueueNumber(3)), reads));
        }
    }

    #[test]
    fn a_queue_that_is_refused_is_not_looked_for() {
        let mut world = World::default();
        world.queues.expect_make().times(1).return_once(|_| Ok(Err(Rejection::QueueExists)));
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        let answer = run(&app, app.create_queue(&name_of("other"), &pause()));
        assert_eq!((answer, lines.reads()), (Err(Failure::Rejected(Rejection::QueueExists)), 1));
        // Out of bounds: no store is asked.
        let none = PolicyChange { batch: Some(0), ..PolicyChange::default() };
        let none = QueueEdit { policy: Some(none), ..QueueEdit::default() };
        let answer = run(&app, app.create_queue(&name_of("new"), &none));
        assert!(matches!(answer, Err(Failure::Rejected(Rejection::Invalid(_)))), "{answer:?}");
    }

    #[test]
    fn all_queues_are_counted_the_waiting_from_memory_and_the_active_at_once() {
        let mut world = World::default();
        world.queues.expect_active().times(1).return_once(|| Ok(vec![(QueueNumber(2), 9)]));
        world.lines.leave(5);
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        let mut counts = block_on(app.queue_counts()).unwrap();
        counts.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let expected = |name, waiting, active| QueueCounts { name: name_of(name), waiting, active };
        assert_eq!(counts, [expected("main", 5, 0), expected("other", 6, 9)]);
        assert_eq!(lines.reads(), 1, "the one at start");
    }

    #[test]
    fn counts_that_cannot_be_read_are_a_failure() {
        let mut world = World::default();
        world.queues.expect_active().return_once(|| Err(down()));
        assert_eq!(block_on(world.app().queue_counts()), Err(Failure::Store(down())));
    }

    /// So that polls show it at once, by which a paused queue foretells nothing.
    #[test]
    fn a_change_of_a_queue_asks_for_a_refresh_and_a_refusal_does_not() {
        for (answer, wanted) in [(Ok(report()), Some(&())), (Err(Rejection::invalid("batch", Wrong::Missing)), None)] {
            let mut world = World::default();
            world.queues.expect_edit().return_once(|_, _| Ok(answer));
            let app = world.app();
            drop(block_on(app.edit_queue(&name_of("other"), &pause())));
            assert_eq!(Task::started(app.refresh_wanted()).answer(), wanted);
        }
    }

    #[test]
    fn an_unknown_queue_is_not_asked_for() {
        let app = World::default().app();
        let unknown = Err(Failure::Rejected(Rejection::NotFound(Missing::Queue)));
        assert_eq!(run(&app, app.queue_report(&name_of("nowhere"))), unknown);
        assert_eq!(run(&app, app.edit_queue(&name_of("nowhere"), &pause())), unknown);
    }
}
