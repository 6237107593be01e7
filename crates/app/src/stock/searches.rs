//! What is looked for, and how far that has come.

use std::collections::HashMap;

use domain::stock::{Looked, Search};
use domain::{QueueNumber, ScheduleId, Timestamp};

/// The searches in the schedules of each queue that somebody asks about.
pub(crate) type Searches = HashMap<QueueNumber, HashMap<ScheduleId, Searched>>;

/// A schedule that is searched.
pub(crate) struct Searched {
    pub(super) search: Search,
    /// When it began to look at all seats.
    pub(super) began: Timestamp,
    /// Whether that is over.
    pub(super) is_over: bool,
}

impl Searched {
    /// Takes in what a look showed; whether the try is over.
    pub(super) fn take_in(&mut self, looked: Looked, most: u32, is_first: bool) -> bool {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let is_over = if is_first { self.search.begin(looked, most) } else { self.search.go_on(looked.next, most) };
        self.is_over |= is_over;
        is_over
    }
}
