//! The real clock and the real randomness: the only place in the service that asks the system for either.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::Timestamp;
use domain::ports::{Clock, IdGenerator};
use tracing::{info, warn};
use uuid::Uuid;

/// The system's clock, except that it never steps back while the process lives: what a deadline has ended stays ended.
///
/// When the system's clock is set back, this one goes on at half speed until the system's has caught up with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

/// What was told last, in microseconds since 1970, and when by the clock that cannot be set.
static TOLD: Mutex<Option<(i64, Instant)>> = Mutex::new(None);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's one real implementation")]
    fn now(&self) -> Timestamp {
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        let (system, steady) = (SystemTime::now().duration_since(UNIX_EPOCH), Instant::now());
        let system = i64::try_from(system.map_or(0, |since| since.as_micros())).unwrap_or(i64::MAX);
        if let Some((last, _)) = *told {
            tell_of_a_step_back(last.saturating_sub(system));
        }
        let now = told.map_or(system, |(last, then)| forward(system, last, steady.duration_since(then)));
        // Kept as it is while the same is told again, so that halves of a microsecond add up.
        if told.is_none_or(|(last, _)| now > last) {
            *told = Some((now, steady));
        }
        Timestamp::from_micros(now)
    }
}

/// How far the system's clock may be behind the one that is told until that is worth a line, in microseconds.
const WORTH_TELLING: i64 = 1_000_000;

/// Says once that the system's clock was set back, by so many microseconds, and when it has caught up.
fn tell_of_a_step_back(behind: i64) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if behind >= WORTH_TELLING && !TOLD.swap(true, Ordering::Relaxed) {
        warn!(
            seconds = behind / WORTH_TELLING,
            "the system's clock was set back; until it has caught up, Usher's goes on at half speed"
        );
    } else if behind <= 0 && TOLD.swap(false, Ordering::Relaxed) {
        info!("the system's clock has caught up with Usher's");
    }
}

/// The time to tell when the system says `system` and `last` was told `passed` ago.
fn forward(system: i64, last: i64, passed: Duration) -> i64 {
    let half = i64::try_from(passed.as_micros() / 2).unwrap_or(i64::MAX);
    if system >= last { system } else { last.saturating_add(half) }
}

/// The system's randomness.
pub(crate) struct SystemIds;

impl IdGenerator for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the port's one real implementation")]
    fn next_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "the port's one real implementation; without randomness no key is safe"
    )]
    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_goes_on_slowly_and_catches_up_p1() {
        let second = Duration::from_secs(1);
        assert_eq!(forward(5_000_000, 4_000_000, second), 5_000_000);
        assert_eq!(forward(1_000_000, 4_000_000, second), 4_500_000);
        let (mut system, mut told) = (1_000_000, 4_000_000);
        while system < told {
            system += 1_000_000;
            let before = told;
            told = forward(system, told, second);
            assert!(told >= before);
        }
        assert_eq!(told, system, "caught up");
    }
}
