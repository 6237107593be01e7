//! Numbers that look random and are the same in every run.

/// A seeded sequence (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The sequence of one person: another for each, and the same again for the same seed.
    pub(crate) fn of(seed: u64, person: u64) -> Self {
        let mut dice = Self(seed);
        let own = dice.next() ^ person.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(own)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `below` - 1; 0 when there is nothing below.
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        let below = u64::try_from(below).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % below).unwrap_or(0)
    }

    /// Whether it is one of so many in a hundred.
    pub(crate) fn percent(&mut self, of_hundred: usize) -> bool {
        self.roll(100) < of_hundred
    }

    /// 0 to 1, without 1.
    pub(crate) fn share(&mut self) -> f64 {
        let [.., a, b, c, d] = self.next().to_be_bytes();
        f64::from(u32::from_be_bytes([a, b, c, d])) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_the_same_dice_again_and_no_others() {
        let rolls = |seed, person| {
            let mut dice = Dice::of(seed, person);
            (0..50).map(|_| dice.roll(1000)).collect::<Vec<_>>()
        };
        assert_eq!(rolls(7, 3), rolls(7, 3));
        assert_ne!(rolls(7, 3), rolls(7, 4));
        assert_ne!(rolls(7, 3), rolls(8, 3));
    }

    #[test]
    fn rolls_and_shares_stay_within_their_bounds() {
        let mut dice = Dice::of(1, 1);
        for _ in 0..10_000 {
            assert!(dice.roll(3) < 3);
            assert!((0.0..1.0).contains(&dice.share()));
        }
        assert_eq!(dice.roll(0), 0);
        assert_eq!((dice.percent(0), dice.percent(100)), (false, true));
    }
}
