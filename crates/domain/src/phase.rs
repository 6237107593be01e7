//! How far a place has come, in one word.

use crate::{Policy, Timestamp, TokenStatus};

/// What the holder of a token is to be shown: the first of these that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The token is EXPIRED.
    Ended,
    /// Its turn has come.
    Active,
    /// The queue has not opened yet (R19).
    Before,
    /// Nobody is admitted for now.
    Paused,
    /// The line moves.
    Waiting,
}

impl Phase {
    /// The phase of a token of this state in a queue of this policy.
    pub fn of(status: TokenStatus, policy: &Policy, now: Timestamp) -> Self {
        match status {
            TokenStatus::Expired => Self::Ended,
            TokenStatus::Active => Self::Active,
            TokenStatus::Waiting if policy.is_before_opening(now) => Self::Before,
            TokenStatus::Waiting if policy.paused => Self::Paused,
            TokenStatus::Waiting => Self::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_so_counts() {
        let opens_at = Timestamp::from_micros(1_000_000_000);
        let (before, at) = (Timestamp::from_micros(999_999_999), opens_at);
        let of = |status, paused, now| {
            Phase::of(status, &Policy { paused, opens_at: Some(opens_at), ..Policy::default() }, now)
        };
        for (status, paused, now, phase) in [
            (TokenStatus::Expired, true, before, Phase::Ended),
            (TokenStatus::Active, true, before, Phase::Active),
            (TokenStatus::Waiting, true, before, Phase::Before),
            (TokenStatus::Waiting, false, before, Phase::Before),
            (TokenStatus::Waiting, true, at, Phase::Paused),
            (TokenStatus::Waiting, false, at, Phase::Waiting),
        ] {
            assert_eq!(of(status, paused, now), phase, "{status:?} {paused} {now}");
        }
        assert_eq!(Phase::of(TokenStatus::Waiting, &Policy::default(), before), Phase::Waiting);
    }
}
