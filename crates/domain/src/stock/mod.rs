//! What is left of a queue's seats, as those who wait are told; found without looking at all of them again and again.

use crate::seat::SeatStatus;
use crate::{Money, ScheduleId};

/// What is left of the schedules of a queue that have not started (R11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Every seat is SOLD. Not where there is no seat.
    pub sold_out: bool,
    /// No seat may be held now, and some are held, so that they may come back.
    pub all_held: bool,
    /// What the cheapest seat costs that may be held now.
    pub cheapest: Option<Money>,
}

/// What is left of one schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The cheapest seat that may be held costs this.
    Free(Money),
    /// No seat may be held, and some are held.
    Held,
    /// Every seat is SOLD.
    Sold,
}

impl Stock {
    /// Of what is left of each schedule; `None` where that is not known, and then nobody says that nothing is left.
    pub fn of<'a>(schedules: impl IntoIterator<Item = Option<&'a Left>>) -> Self {
        let (mut cheapest, mut held, mut sold, mut known) = (None::<&Money>, false, false, true);
        for left in schedules {
            match left {
                Some(Left::Free(price)) => cheapest = Some(cheapest.map_or(price, |known| known.min(price))),
                Some(Left::Held) => held = true,
                Some(Left::Sold) => sold = true,
                None => known = false,
            }
        }
        let nothing = known && cheapest.is_none();
        Self { sold_out: nothing && sold && !held, all_held: nothing && held, cheapest: cheapest.cloned() }
    }
}

/// A look at some seats of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Seats of these numbers.
    pub again: Vec<u32>,
    /// Seats that come after this price and number, the cheapest first, of one price by number; from the first one when there
    /// is none.
    pub after: Option<(Money, u32)>,
}

/// A seat that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatSeen {
    /// What it costs.
    pub price: Money,
    /// Its number.
    pub number: u32,
    /// What it was then.
    pub status: SeatStatus,
}

/// What a [`Look`] showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The seats of the numbers it named, in any order.
    pub again: Vec<SeatSeen>,
    /// The next ones, in their order.
    pub next: Vec<SeatSeen>,
}

/// A search for the cheapest seat of a schedule that goes on where it ended: from the cheapest seat on it passes by what is
/// SOLD for good, and remembers what is held. So a look costs as many seats as are held among the cheap ones, and over a whole
/// sale each seat is passed by once.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// All up to this one are SOLD, but for `unsold`.
    after: Option<(Money, u32)>,
    /// Seats up to there that were not SOLD when they were looked at last. No more than are held at once.
    unsold: Vec<u32>,
    found: Option<Left>,
}

impl Search {
    /// The first look of a new try.
    pub fn look(&self, schedule: ScheduleId) -> Look {
        Look { schedule, again: self.unsold.clone(), after: self.after.clone() }
    }

    /// A further look of the same try.
    pub fn look_on(&self, schedule: ScheduleId) -> Look {
        Look { schedule, again: Vec::new(), after: self.after.clone() }
    }

    /// Takes in what the first look of a try showed, `most` of the next seats at most; whether the try is over.
    pub fn begin(&mut self, looked: Looked, most: usize) -> bool {
        let free =
            looked.again.iter().filter(|seat| seat.status == SeatStatus::Available).map(|seat| &seat.price).min();
        let free = free.cloned();
        self.unsold =
            looked.again.iter().filter(|seat| seat.status != SeatStatus::Sold).map(|seat| seat.number).collect();
        match free {
            Some(price) => self.find(Left::Free(price)),
            None => self.go_on(looked.next, most),
        }
    }

    /// Takes in what a further look showed, `most` of the next seats at most; whether the try is over.
    pub fn go_on(&mut self, next: Vec<SeatSeen>, most: usize) -> bool {
        let is_end = next.len() < most;
        for SeatSeen { price, number, status } in next {
            match status {
                SeatStatus::Available => return self.find(Left::Free(price)),
                SeatStatus::Held => self.unsold.push(number),
                SeatStatus::Sold => {}
            }
            self.after = Some((price, number));
        }
        if is_end {
            return self.find(if self.unsold.is_empty() { Left::Sold } else { Left::Held });
        }
        false
    }

    /// What the last try found; the one before while one goes on. `None` before the first one is over.
    pub const fn found(&self) -> Option<&Left> {
        self.found.as_ref()
    }

    /// Looks at all seats anew, and tells what was found until that is over: should something that was sold be for sale again.
    pub fn begin_anew(&mut self) {
        (self.after, self.unsold) = (None, Vec::new());
    }

    fn find(&mut self, left: Left) -> bool {
        self.found = Some(left);
        true
    }
}

#[cfg(test)]
mod tests;
