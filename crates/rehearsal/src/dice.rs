//! Numbers that look random and are the same in every run.

use fastrand::Rng;

/// A seeded sequence.
#[derive(Clone, Debug)]
pub(crate) struct Dice(Rng);

impl Dice {
    /// The sequence of one person: another for each, and the same again for the same seed.
    pub(crate) fn of(seed: u64, person: u64) -> Self {
        // Seeds that lie side by side make sequences that do not.
        let of_seed = Rng::with_seed(seed).u64(..);
        Self(Rng::with_seed(of_seed ^ person))
    }

    /// 0 to `below` - 1; 0 when there is nothing below.
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0.usize(..below.max(1))
    }

    /// Whether it is one of so many in a hundred.
    pub(crate) fn percent(&mut self, of_hundred: usize) -> bool {
        self.roll(100) < of_hundred
    }

    /// 0 to 1, without 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0.f64()
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
