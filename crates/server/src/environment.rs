//! The real clock and the real randomness: the only place in the service that asks the system for either.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;
use domain::ports::{Clock, IdGenerator};
use uuid::Uuid;

/// The system's clock, except that it never steps back while the process lives: what a deadline has ended stays ended.
pub(crate) struct SystemClock;

static LATEST_MICROS: AtomicI64 = AtomicI64::new(0);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's one real implementation")]
    fn now(&self) -> Timestamp {
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        Timestamp::from_micros(LATEST_MICROS.fetch_max(micros, Ordering::Relaxed).max(micros))
    }
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
