//! Ids and randomness that repeat.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::ports::IdGenerator;
use uuid::Uuid;

/// 2026-01-01T00:00:00Z in milliseconds since 1970, the time of the first id.
const FIRST_MILLIS: u128 = 1_767_225_600_000;

/// Ids that depend on a seed and on how many were given before; strictly increasing, valid `UUIDv7`.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    ids: AtomicU64,
    randoms: AtomicU64,
}

impl SeededIds {
    /// Ids of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed, ids: AtomicU64::new(0), randoms: AtomicU64::new(0) }
    }
}

/// One step of `SplitMix64`: a good hash of `state`, no more is needed here.
pub(crate) const fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

impl IdGenerator for SeededIds {
    fn next_id(&self) -> Uuid {
        let n = self.ids.fetch_add(1, Ordering::SeqCst);
        let (millis, within) = (FIRST_MILLIS + u128::from(n >> 12), u128::from(n & 0xfff));
        let tail = u128::from(mix(self.seed ^ mix(n)) >> 2);
        Uuid::from_u128(millis << 80 | 7 << 76 | within << 64 | 0b10 << 62 | tail)
    }

    fn random(&self) -> [u8; 16] {
        let n = self.randoms.fetch_add(1, Ordering::SeqCst);
        let high = mix(!self.seed ^ mix(n));
        (u128::from(high) << 64 | u128::from(mix(high))).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuid_v7_and_grow() {
        let ids = SeededIds::new(7);
        let many: Vec<Uuid> = (0..10_000).map(|_| ids.next_id()).collect();
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(many.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));
        assert_eq!(SeededIds::new(7).next_id(), many[0]);
        assert_ne!(SeededIds::new(8).next_id(), many[0]);
    }
}
