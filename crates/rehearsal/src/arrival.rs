//! When people come: an open loop. Nobody waits with coming until somebody else was served.

use clap::ValueEnum;

use crate::dice::Dice;

/// How arrivals are spread over their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pattern {
    /// Most come in the first moments, as when a sale opens that everybody waits for
    Rush,
    /// As many in every second
    Steady,
    /// Half of them in a rush, half over all the time
    Mixed,
}

impl Pattern {
    /// Its name, as options and reports have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rush => "rush",
            Self::Steady => "steady",
            Self::Mixed => "mixed",
        }
    }

    /// When one person comes: the share, 0 to 1, of the time in which all of them do.
    fn moment(self, dice: &mut Dice) -> f64 {
        match self {
            Self::Steady => dice.share(),
            // Five halvings within the time: half of all come in its first eighth or so.
            Self::Rush => (-(1.0 - dice.share() * (1.0 - 0.5_f64.powi(5))).log2() / 5.0).clamp(0.0, 1.0),
            Self::Mixed => if dice.percent(50) { Self::Rush } else { Self::Steady }.moment(dice),
        }
    }

    /// When each of `people` comes, in seconds, and who it is, in the order in which they come.
    pub(crate) fn arrivals(self, people: u64, seconds: f64, seed: u64) -> Vec<(f64, u64)> {
        // Another sequence than that of any person's choices.
        let moment = |person| self.moment(&mut Dice::of(!seed, person)) * seconds;
        let mut all: Vec<_> = (0..people).map(|person| (moment(person), person)).collect();
        all.sort_by(|one, other| one.0.total_cmp(&other.0));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_comes_once_and_in_time_and_the_same_way_again() {
        for pattern in [Pattern::Rush, Pattern::Steady, Pattern::Mixed] {
            let arrivals = pattern.arrivals(5_000, 60.0, 3);
            assert!(arrivals.is_sorted_by(|one, other| one.0 <= other.0));
            assert!(arrivals.iter().all(|(at, _)| (0.0..=60.0).contains(at)));
            let mut people: Vec<_> = arrivals.iter().map(|(_, person)| *person).collect();
            people.sort_unstable();
            assert_eq!(people, (0..5_000).collect::<Vec<_>>());
            assert_eq!(arrivals, pattern.arrivals(5_000, 60.0, 3));
        }
    }

    #[test]
    fn a_rush_comes_early_and_a_steady_crowd_does_not() {
        let early = |pattern: Pattern| pattern.arrivals(10_000, 1.0, 1).iter().filter(|(at, _)| *at < 0.25).count();
        assert!((2_200..2_800).contains(&early(Pattern::Steady)));
        assert!((5_400..6_400).contains(&early(Pattern::Rush)));
        assert!((3_700..4_700).contains(&early(Pattern::Mixed)));
    }
}
