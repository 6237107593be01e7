//! Repeating a request safely: the caller's key, and what "the same request" means (R15).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Rejection, Timestamp};

/// An idempotency key: 1 to 128 visible ASCII characters, chosen by the caller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(Arc<str>);

impl IdempotencyKey {
    /// Reads a key; `None` when it is not 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Option<Self> {
        ((1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())).then(|| Self(Arc::from(text)))
    }

    /// The key as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tells two requests apart: a hash of their meaning, not of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request's parts, in a fixed order.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = blake3::Hasher::new();
        for part in parts {
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(*hash.finalize().as_bytes())
    }
}

/// What is kept of a request that succeeded under a key, beside what it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The request.
    pub fingerprint: Fingerprint,
    /// When it succeeded.
    pub at: Timestamp,
}

impl Recorded {
    /// How long a key is remembered.
    pub const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Whether the key is forgotten at `now`, so that it may name a new request.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.at.plus(Self::MEMORY).is_over(now)
    }
}

/// R15: whether the answer recorded under a key is to be given again. `false` when the key is new or forgotten.
pub fn is_replay(recorded: Option<&Recorded>, request: &Fingerprint, now: Timestamp) -> Result<bool, Rejection> {
    let remembered = recorded.filter(|recorded| !recorded.is_over(now));
    is_repeated(remembered.map(|recorded| &recorded.fingerprint), request)
}

/// R15: whether a request was made before under its key, which is remembered for `recorded`. `false` when the key is new.
pub fn is_repeated(recorded: Option<&Fingerprint>, request: &Fingerprint) -> Result<bool, Rejection> {
    match recorded {
        Some(recorded) if recorded == request => Ok(true),
        Some(_) => Err(Rejection::IdempotencyKeyReused),
        None => Ok(false),
    }
}

/// What a request does with its key (R15), where `M` is what a request makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use<M> {
    /// It came without one.
    Unkeyed,
    /// It is the first under its key, and what it makes is recorded there.
    New {
        /// What the key made before it was forgotten: that no longer has the key.
        forgotten: Option<M>,
    },
    /// It came before: the answer of then, which told of this, is given again.
    Replay(M),
}

impl<M> Use<M> {
    /// R15: what a request that came with `key` does with it, where `recorded` is what the key recorded.
    pub fn of(
        key: Option<&IdempotencyKey>,
        recorded: Option<(Recorded, M)>,
        request: &Fingerprint,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        if key.is_none() {
            return Ok(Self::Unkeyed);
        }
        let replays = is_replay(recorded.as_ref().map(|(recorded, _)| recorded), request, now)?;
        Ok(match recorded.map(|(_, made)| made) {
            Some(made) if replays => Self::Replay(made),
            forgotten => Self::New { forgotten },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_key() {
        let longest = "k".repeat(128);
        for good in ["k", "a-b_c:42!", longest.as_str()] {
            assert!(IdempotencyKey::parse(good).is_some(), "{good}");
        }
        let too_long = "k".repeat(129);
        for bad in ["", " ", "a b", "é", "\t", too_long.as_str()] {
            assert_eq!(IdempotencyKey::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Fingerprint::of(["ab", "c"]), Fingerprint::of(["a", "bc"]));
    }

    #[test]
    fn a_key_is_remembered_for_exactly_24_hours_r15() {
        let (this, other) = (Fingerprint::of(["this"]), Fingerprint::of(["other"]));
        let recorded = Recorded { fingerprint: this, at: Timestamp::from_micros(0) };
        let day = 24 * 60 * 60 * 1_000_000;
        for (request, now, verdict) in [
            (this, day - 1, Ok(true)),
            (other, day - 1, Err(Rejection::IdempotencyKeyReused)),
            (this, day, Ok(false)),
            (other, day, Ok(false)),
        ] {
            assert_eq!(is_replay(Some(&recorded), &request, Timestamp::from_micros(now)), verdict);
        }
        assert_eq!(is_replay(None, &this, Timestamp::from_micros(0)), Ok(false));
    }

    #[test]
    fn what_becomes_of_a_key_r15() {
        let (this, other) = (Fingerprint::of(["this"]), Fingerprint::of(["other"]));
        let key = IdempotencyKey::parse("k").unwrap();
        let recorded = |fingerprint| Some((Recorded { fingerprint, at: Timestamp::from_micros(0) }, 7));
        let day = 24 * 60 * 60 * 1_000_000;
        for (key, recorded, now, becomes) in [
            (None, None, 0, Ok(Use::Unkeyed)),
            (Some(&key), None, 0, Ok(Use::New { forgotten: None })),
            (Some(&key), recorded(this), day - 1, Ok(Use::Replay(7))),
            (Some(&key), recorded(other), day - 1, Err(Rejection::IdempotencyKeyReused)),
            (Some(&key), recorded(this), day, Ok(Use::New { forgotten: Some(7) })),
            (Some(&key), recorded(other), day, Ok(Use::New { forgotten: Some(7) })),
        ] {
            assert_eq!(Use::of(key, recorded, &this, Timestamp::from_micros(now)), becomes, "{recorded:?} at {now}");
        }
    }
}
