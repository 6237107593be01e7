//! Numbers that look random and are the same in every run.

/// A seeded sequence (`SplitMix64`). What a race makes of it differs from run to run; what is asked does not.
pub struct Dice(u64);

impl Dice {
    /// The sequence of a seed.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 to `below` - 1.
    pub fn roll(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(below)).expect("less than a u32")
    }
}
