//! For how long anything is waited for.

use std::time::Duration;

/// All that is waited for, in proportion to one number: how long a command may wait unstarted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits(Duration);

impl Limits {
    pub(crate) const fn new(patience: Duration) -> Self {
        Self(patience)
    }

    /// How long a command may wait unstarted, and anything for a connection or for a lock; and how long after the start of a
    /// batch anything of it is still begun again: what waits for a lock that somebody keeps is not to wait for it over and over.
    pub(crate) const fn patience(self) -> Duration {
        self.0
    }

    /// How long a statement may take, and an open transaction be left alone.
    pub(crate) fn statement(self) -> Duration {
        self.0 * 2
    }

    /// How long a server may say nothing, and a transaction of unknown end may still be running: longer than it takes to give up
    /// a statement.
    pub(crate) fn silence(self) -> Duration {
        self.statement() + Duration::from_secs(2)
    }

    /// How long a tick of the clockwork waits for one queue. What it asked for goes on by itself, and a queue that somebody has
    /// locked is not to keep the others waiting.
    pub(crate) fn tick(self) -> Duration {
        self.0 / 5
    }
}
