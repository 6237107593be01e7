//! Numbers that look random and are the same in every run.

use fastrand::Rng;

/// A seeded sequence. What a race makes of it differs from run to run; what is asked does not.
pub struct Dice(Rng);

impl Dice {
    /// The sequence of a seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// 0 to `below` - 1.
    pub fn roll(&mut self, below: u32) -> u32 {
        self.0.u32(..below)
    }
}
