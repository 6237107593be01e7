//! What kind of person somebody is: drawn once, from the seed, so that the same crowd comes again.

use std::time::Duration;

use crate::dice::Dice;

/// What somebody wants who has got seats on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// To pay.
    Buy,
    /// To think better of it: cancel, and leave.
    Cancel,
    /// To cancel, and choose again.
    CancelAndBuy,
    /// Nothing any more: the page is closed, and the hold runs out.
    Abandon,
}

/// How somebody pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paying {
    /// Once.
    Once,
    /// Twice at once, each with a key of its own: a double click.
    Twice,
    /// Twice at once with the same key: a client that repeats too early.
    TwiceWithOneKey,
    /// The answer gets lost, and the request is sent again with the same key.
    AnswerLost,
}

/// How somebody gives up in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivingUp {
    /// Says so.
    Leave,
    /// Just does not ask any more.
    Vanish,
}

/// What kind of person somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub(crate) struct Character {
    /// Joins twice at the same time.
    pub(crate) joins_twice: bool,
    /// Joins again now and then while in line, instead of asking for the place.
    pub(crate) rejoins: bool,
    /// Stands in line for so long at most, and how it ends then.
    pub(crate) patience: Option<(Duration, GivingUp)>,
    /// How many seats are wanted, 1 to 4.
    pub(crate) party: usize,
    /// Whether the answer to a hold gets lost, and it is sent again.
    pub(crate) loses_hold: bool,
    /// What is to become of the seats.
    pub(crate) intent: Intent,
    /// Charges in two parts.
    pub(crate) charges_twice: bool,
    /// How the payment is made.
    pub(crate) paying: Paying,
    /// How long one choice takes.
    pub(crate) thinking: Duration,
}

impl Character {
    /// Draws one.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let seconds = |dice: &mut Dice, from: f64, to: f64| Duration::from_secs_f64(from + dice.share() * (to - from));
        let patience = match dice.roll(100) {
            0..4 => Some((seconds(dice, 5.0, 60.0), GivingUp::Leave)),
            4..8 => Some((seconds(dice, 5.0, 60.0), GivingUp::Vanish)),
            _ => None,
        };
        Self {
            joins_twice: dice.percent(5),
            rejoins: dice.percent(10),
            patience,
            party: match dice.roll(10) {
                0..3 => 1,
                3..7 => 2,
                7..8 => 3,
                _ => 4,
            },
            loses_hold: dice.percent(5),
            intent: match dice.roll(100) {
                0..85 => Intent::Buy,
                85..90 => Intent::Cancel,
                90..95 => Intent::CancelAndBuy,
                _ => Intent::Abandon,
            },
            charges_twice: dice.percent(20),
            paying: match dice.roll(100) {
                0..84 => Paying::Once,
                84..90 => Paying::Twice,
                90..94 => Paying::TwiceWithOneKey,
                _ => Paying::AnswerLost,
            },
            thinking: seconds(dice, 1.0, 6.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_crowd() {
        let crowd = |seed| (0..200).map(|person| Character::draw(&mut Dice::of(seed, person))).collect::<Vec<_>>();
        assert_eq!(crowd(5), crowd(5));
        assert_ne!(crowd(5), crowd(6));
    }

    /// What a rehearsal is to try must be tried: of a crowd of thousands somebody does each of it.
    #[test]
    fn a_crowd_does_everything_there_is_to_do() {
        let crowd: Vec<_> = (0..2_000).map(|person| Character::draw(&mut Dice::of(1, person))).collect();
        let some = |what: &dyn Fn(&Character) -> bool| crowd.iter().any(what);
        for intent in [Intent::Buy, Intent::Cancel, Intent::CancelAndBuy, Intent::Abandon] {
            assert!(some(&|one| one.intent == intent), "{intent:?}");
        }
        for paying in [Paying::Once, Paying::Twice, Paying::TwiceWithOneKey, Paying::AnswerLost] {
            assert!(some(&|one| one.paying == paying), "{paying:?}");
        }
        for giving_up in [GivingUp::Leave, GivingUp::Vanish] {
            assert!(some(&|one| one.patience.is_some_and(|(_, how)| how == giving_up)), "{giving_up:?}");
        }
        assert!((1..=4).all(|party| some(&|one| one.party == party)));
        assert!(some(&|one| one.joins_twice) && some(&|one| one.rejoins) && some(&|one| one.loses_hold));
        assert!(some(&|one| one.charges_twice) && crowd.iter().all(|one| (1..=4).contains(&one.party)));
    }
}
