//! Following the store: one refresh at a time reads what changed of all lines, at a cost of what changed (ADR 9).

mod state;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use domain::line::{Outlook, Snapshot, SnapshotError};
use domain::ports::{QueueChange, StoreError};
use domain::{QueueNumber, Timestamp};
use futures::channel::oneshot;

pub(crate) use state::Following;
use state::lock;

use crate::App;
use crate::lines::{FollowedQueue, Known};

/// What a refresh brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// The errors of the estimates, for waits that are over now.
    pub misjudged: Vec<Duration>,
    /// Queues whose numbers did not agree with their counters. Polls are still answered from the knowledge before.
    pub broken: Vec<(QueueNumber, SnapshotError)>,
}

impl App {
    /// Ends when a refresh is wanted before its time. For the one who calls [`App::refresh`].
    pub async fn refresh_wanted(&self) {
        futures::future::poll_fn(|context| {
            self.following.follower.register(context.waker());
            if self.following.wanted.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Reads what changed of all lines. To be called over and over, at least every 250 ms.
    pub async fn refresh(&self) -> Result<Refreshed, StoreError> {
        let _alone = self.following.refreshing.lock().await;
        self.following.wanted.store(false, Ordering::Release);
        // Before the read begins: a caller who comes later may have seen more than the read shows.
        let waiting = std::mem::take(&mut *lock(&self.following.waiting));
        let (number, begun) = (self.following.begun.fetch_add(1, Ordering::AcqRel) + 1, self.ports.clock.now());
        let read = self.learn(number, begun).await;
        for waiter in waiting {
            // One who went away meanwhile needs no answer.
            drop(waiter.send(read.as_ref().map(|_| number).map_err(Clone::clone)));
        }
        read
    }

    /// Waits for a refresh that begins after this call, shared by all who wait; its number.
    pub(crate) async fn refreshed(&self) -> Result<u64, StoreError> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.following.waiting).push(sender);
        self.following.want();
        receiver.await.map_err(|gone| StoreError::Unavailable(format!("nobody follows the store: {gone}")))?
    }

    /// Waits until the knowledge of `queue` comes from a refresh that began after this call. Fails if there is none: then no
    /// request may be refused by what this server knows.
    pub(crate) async fn up_to_date(&self, queue: &FollowedQueue) -> Result<(), StoreError> {
        let refresh = self.refreshed().await?;
        let broken = || StoreError::Unavailable("a queue's numbers do not agree with its counters".to_owned());
        queue.is_as_of(refresh).then_some(()).ok_or_else(broken)
    }

    async fn learn(&self, number: u64, begun: Timestamp) -> Result<Refreshed, StoreError> {
        let known: Vec<_> = self.lines.load().queues().map(|(queue, line)| (queue, version(line))).collect();
        let changes = self.ports.queues.changes(&known).await?;
        let doubtful = self.take_up(&changes, follow);
        let mut refreshed = Refreshed::default();
        if !doubtful.is_empty() {
            // These are read again from their beginning, so that nothing that was missed before matters.
            let is_sound = |queue: &QueueNumber| doubtful.iter().all(|(doubtful, _)| doubtful != queue);
            let sound: Vec<_> = known.into_iter().filter(|(queue, _)| is_sound(queue)).collect();
            let anew = self.ports.queues.changes(&sound).await?;
            refreshed.broken =
                self.take_up(
                    &anew,
                    |before, change| {
                        if is_sound(&change.number) { follow(before, change) } else { build(change) }
                    },
                );
        }
        for (queue, line) in self.lines.load().queues() {
            if refreshed.broken.iter().all(|(broken, _)| *broken != queue) {
                line.sightings.make_room(line.known().snapshot.line().issued);
                line.confirm(number, begun);
            }
            line.announce_stock();
            self.measure(queue, line, begun, &mut refreshed.misjudged);
        }
        Ok(refreshed)
    }

    /// Takes up what was read. `next` makes the snapshots of queues that are known already. If it cannot make one, that queue
    /// stays as it was, and is reported.
    fn take_up(
        &self,
        changes: &[QueueChange],
        next: impl Fn(&Snapshot, &QueueChange) -> Result<Snapshot, SnapshotError>,
    ) -> Vec<(QueueNumber, SnapshotError)> {
        let lines = self.lines.load();
        let (mut new, mut failed) = (Vec::new(), Vec::new());
        for change in changes {
            let queue = lines.queue(change.number);
            let before = queue.map(|queue| queue.known());
            let snapshot = match &before {
                Some(before) => next(&before.snapshot, change),
                None => build(change),
            };
            let known = |snapshot| {
                let before = before.as_deref().map(|known| &**known);
                Known::of(change, snapshot, before, &self.keys, &self.rules)
            };
            match (snapshot.map(known), queue) {
                (Ok(known), Some(queue)) => queue.learn(known),
                (Ok(known), None) => new.push((change.number, known)),
                (Err(error), _) => failed.push((change.number, error)),
            }
        }
        if !new.is_empty() {
            self.lines.store(Arc::new(lines.with(new)));
        }
        failed
    }

    /// Measures how fast a queue moves, as long as anybody waits or was admitted lately.
    fn measure(&self, number: QueueNumber, queue: &FollowedQueue, now: Timestamp, misjudged: &mut Vec<Duration>) {
        let known = queue.known();
        let line = known.snapshot.line();
        let mut tempos = lock(&self.following.tempos);
        if line.waiting() == 0 && !tempos.contains_key(&number) {
            return;
        }
        let (tempo, policy) = (tempos.entry(number).or_default(), &known.outlook.policy);
        if tempo.pace.observe(now, line.admitted, policy, known.policy_since) {
            tempo.forecasts.forget();
        }
        let outlook = Outlook { measured: tempo.pace.rate(policy), ..known.outlook };
        misjudged.extend(tempo.forecasts.settle(line.frontier, now));
        tempo.forecasts.note(&known.snapshot, &outlook, now);
        if line.waiting() == 0 && tempo.pace.is_idle() {
            tempos.remove(&number);
        }
        if outlook != known.outlook {
            queue.learn(Known { outlook, ..Known::clone(&known) });
        }
    }
}

fn follow(before: &Snapshot, change: &QueueChange) -> Result<Snapshot, SnapshotError> {
    before.refresh(change.line, change.left.iter().copied())
}

fn build(change: &QueueChange) -> Result<Snapshot, SnapshotError> {
    Snapshot::build(change.line, change.left.iter().copied())
}

fn version(queue: &FollowedQueue) -> u64 {
    queue.known().snapshot.line().version
}

#[cfg(test)]
mod tests;
