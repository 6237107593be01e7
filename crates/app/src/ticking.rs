//! Whether some clockwork ticks, in whichever process.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;

/// What this server has seen of the mark that a tick leaves in the store: which one, and when it saw it first by its own clock. The
/// store's clock may be set, and then says nothing of how long ago something was.
#[derive(Debug, Default)]
pub(crate) struct Ticking(Mutex<Option<(Option<Timestamp>, Timestamp)>>);

impl Ticking {
    /// For how long no clockwork has ticked at `now`, as far as this server has seen, when `mark` stands now.
    pub(crate) fn quiet_for(&self, mark: Option<Timestamp>, now: Timestamp) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = seen.filter(|(before, _)| *before == mark).map_or(now, |(_, since)| since);
        *seen = Some((mark, since));
        now.since(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mocks::at;

    #[test]
    fn it_is_quiet_from_when_a_mark_was_seen_first_whatever_it_says() {
        let ticking = Ticking::default();
        for (mark, now, quiet) in [
            (None, 100, 0),
            (None, 107, 7),
            // The store's clock is an hour ahead, then an hour behind: what counts is that it is another mark.
            (Some(at(3_700)), 109, 0),
            (Some(at(3_700)), 119, 10),
            (Some(at(-3_500)), 120, 0),
            (Some(at(-3_500)), 120, 0),
            (Some(at(-3_500)), 121, 1),
        ] {
            assert_eq!(ticking.quiet_for(mark, at(now)), Duration::from_secs(quiet), "{mark:?} {now}");
        }
    }
}
