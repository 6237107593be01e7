//! What an operator should know of the server's settings, told when it comes up: a reload may change them at any time.

use std::sync::{Mutex, PoisonError};

/// What a crash of the database's machine may cost, where `fsync` and `full_page_writes` are off.
const CONCERNS: [&str; 2] = [
    "fsync is off: what was answered with success is lost when the database's machine crashes",
    "full_page_writes is off: a crash of the database's machine may damage it, unless its file system prevents that",
];

/// What there was to be concerned about when the last session began.
#[derive(Default)]
pub(crate) struct Concerns(Mutex<Vec<&'static str>>);

impl Concerns {
    /// Notes what a new session finds `fsync` and `full_page_writes` to be; what is off now and was not before.
    pub(crate) fn note(&self, settings: [&str; 2]) -> Vec<&'static str> {
        let found = settings.into_iter().zip(CONCERNS).filter(|(setting, _)| *setting == "off");
        let found: Vec<_> = found.map(|(_, concern)| concern).collect();
        let mut before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = found.iter().copied().filter(|concern| !before.contains(concern)).collect();
        *before = found;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_may_cost_is_told_when_it_comes_up() {
        let concerns = Concerns::default();
        for (settings, told) in [
            (["off", "on"], &CONCERNS[..1]),
            (["off", "on"], &[]),
            (["off", "off"], &CONCERNS[1..]),
            (["on", "on"], &[]),
            (["off", "off"], &CONCERNS[..]),
        ] {
            assert_eq!(concerns.note(settings), told, "{settings:?}");
        }
    }
}
