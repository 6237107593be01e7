//! Draws the next command: mostly what makes sense, often what just fails, now and then nonsense.

use super::log::{Answer, Booking, Command, Event, Opens, Place, Terms, TurnSeen};
use super::stage::{DAY, INTERVAL, MAX_CHARGE, QUEUES, SCHEDULES, SEATS, SECOND, TOO_LATE, USERS, price};
use crate::ids::mix;

/// Numbers that look random and depend on a seed only.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(1);
        usize::try_from(mix(mix(self.0)) % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    /// True once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}

/// Draws commands, remembering from the answers which places, reservations and deadlines there are.
pub(crate) struct Generator {
    dice: Dice,
    now: i64,
    places: Vec<Place>,
    /// Reservations with the place that held them.
    bookings: Vec<(usize, Place)>,
    /// What whoever was admitted or holds seats does next, if they go on; the next one last.
    plans: Vec<Command>,
    /// Commands that came with a key, to be repeated.
    keyed: Vec<Command>,
    /// Instants at which something changes by itself.
    landmarks: Vec<i64>,
}

impl Generator {
    pub(crate) fn new(seed: u64, began: i64) -> Self {
        let landmarks = SCHEDULES.iter().map(|(_, after)| began + after).collect();
        let (places, bookings, plans, keyed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { dice: Dice::new(mix(seed)), now: began, places, bookings, plans, keyed, landmarks }
    }

    pub(crate) fn observe(&mut self, event: &Event) {
        self.now = self.now.max(event.at);
        match (&event.command, &event.answer) {
            (_, Answer::Joined { token, .. }) => {
                self.places.push(token.place);
                if let Some(turn) = token.turn {
                    self.plan_turn(token.place, turn);
                    self.landmarks.extend([turn.selection_ends_at, turn.expires_at]);
                }
                self.landmarks.push(event.at + i64::from(INTERVAL) * SECOND);
            }
            (Command::Hold { place, .. }, Answer::Held { booking, .. }) => {
                self.bookings.push((booking.index, *place));
                self.plan_another(*place);
                self.plan_payment(*place, booking);
                if self.dice.once_in(2) {
                    self.plan_another(*place);
                }
                if self.dice.once_in(6) {
                    self.plans.push(Command::Cancel { place: *place, booking: booking.index });
                }
                self.landmarks.extend([booking.expires_at, event.at + DAY]);
            }
            (Command::Clock { to }, _) => self.now = self.now.max(*to),
            _ => {}
        }
    }

    pub(crate) fn next(&mut self) -> Command {
        if !self.keyed.is_empty() && self.dice.once_in(10) {
            let recent = if self.dice.once_in(3) { 0 } else { self.keyed.len().saturating_sub(4) };
            return self.dice.of(&self.keyed[recent..]);
        }
        let planned = if self.dice.once_in(2) { self.plans.pop() } else { None };
        let command = planned.unwrap_or_else(|| self.draw());
        if matches!(
            command,
            Command::Hold { key: Some(_), .. }
                | Command::Pay { key: Some(_), .. }
                | Command::Charge { key: Some(_), .. }
        ) {
            self.keyed.push(command.clone());
        }
        command
    }

    /// A hold at once; now and then one before the end of selection, too, and one about it.
    fn plan_turn(&mut self, place: Place, turn: TurnSeen) {
        if self.dice.once_in(4) {
            let about = turn.selection_ends_at + self.dice.of(&[-1, 0, 0, 1]);
            let before = turn.selection_ends_at - SECOND * (1 + i64::try_from(self.dice.below(250)).unwrap());
            for to in [about, before] {
                let hold = self.hold(place);
                self.plans.extend([hold, Command::Clock { to }]);
            }
        }
        let hold = self.hold(place);
        self.plans.push(hold);
    }

    /// Another hold by the same place, before it pays or after that: of one seat, for which there may be room.
    fn plan_another(&mut self, place: Place) {
        let mut hold = self.hold(place);
        if let Command::Hold { seats, .. } = &mut hold {
            seats.truncate(1);
        }
        self.plans.push(hold);
    }

    /// Money, if it does not suffice, and a payment; to be done in this order, with others in between.
    fn plan_payment(&mut self, place: Place, booking: &Booking) {
        if self.dice.once_in(3) {
            return;
        }
        let key = self.key();
        self.plans.push(Command::Pay { place, booking: booking.index, amount: None, key });
        let user = (0..USERS).find(|user| booking.user == format!("user-{user}")).unwrap();
        for _ in 0..self.dice.below(3) {
            self.plans.push(Command::Charge { user, amount: MAX_CHARGE, key: None });
        }
    }

    fn draw(&mut self) -> Command {
        match self.dice.below(100) {
            0..18 => Command::Join { queue: self.queue(), user: self.dice.below(USERS) },
            18..23 => Command::Leave { place: self.place() },
            23..31 => Command::Admit,
            31..52 => {
                let place = self.place();
                self.hold(place)
            }
            52..57 => {
                let (booking, place) = self.booking();
                Command::Cancel { place, booking }
            }
            57..70 => self.pay(),
            70..79 => {
                let amount = self.dice.of(&[1, 40_025, 120_050, MAX_CHARGE, MAX_CHARGE, MAX_CHARGE + 1, 0]);
                Command::Charge { user: self.dice.below(USERS), amount, key: self.key() }
            }
            79..83 => self.policy(),
            83..87 => Command::Sweep,
            _ => self.clock(),
        }
    }

    fn queue(&mut self) -> usize {
        if self.dice.once_in(4) { QUEUES.len() - 1 } else { 0 }
    }

    fn key(&mut self) -> Option<u8> {
        self.dice.once_in(2).then(|| u8::try_from(self.dice.below(12)).unwrap())
    }

    /// A recent place, an old one, or one that was perhaps never issued.
    fn place(&mut self) -> Place {
        if self.places.is_empty() || self.dice.once_in(25) {
            return Place { queue: self.queue(), number: u64::try_from(self.dice.below(40)).unwrap() + 1 };
        }
        let recent = if self.dice.once_in(4) { 0 } else { self.places.len().saturating_sub(5) };
        self.dice.of(&self.places[recent..])
    }

    /// A reservation and a place, mostly the one it was made with.
    fn booking(&mut self) -> (usize, Place) {
        if self.bookings.is_empty() || self.dice.once_in(25) {
            return (self.bookings.len() + 5, self.place());
        }
        let recent = if self.dice.once_in(4) { 0 } else { self.bookings.len().saturating_sub(6) };
        let (booking, place) = self.dice.of(&self.bookings[recent..]);
        (booking, if self.dice.once_in(4) { self.place() } else { place })
    }

    fn hold(&mut self, place: Place) -> Command {
        let own: Vec<usize> = (0..SCHEDULES.len()).filter(|index| SCHEDULES[*index].0 == place.queue).collect();
        let schedule = match self.dice.below(20) {
            0 => self.dice.below(SCHEDULES.len()),
            1..7 => self.dice.of(&own),
            // The last one starts last: on the others nothing can be held any more soon.
            _ => own[own.len() - 1],
        };
        let beyond = u32::from(self.dice.once_in(20));
        let count = if self.dice.once_in(12) { 5 } else { 1 + self.dice.below(3) };
        let most = usize::try_from(SEATS).unwrap();
        let mut seats: Vec<u32> =
            (0..count).map(|_| 1 + beyond + u32::try_from(self.dice.below(most)).unwrap()).collect();
        seats.sort_unstable();
        seats.dedup();
        Command::Hold { place, schedule, seats, by_ids: self.dice.once_in(3), key: self.key() }
    }

    fn pay(&mut self) -> Command {
        let (booking, place) = self.booking();
        let amount = self.dice.once_in(5).then(|| price(1 + u32::try_from(self.dice.below(3)).unwrap()));
        Command::Pay { place, booking, amount, key: self.key() }
    }

    fn policy(&mut self) -> Command {
        let queue = self.queue();
        let mut change = Terms::default();
        match self.dice.below(10) {
            0 => change.max_active = Some(u32::try_from(self.dice.below(6)).unwrap()),
            1 => change.batch = Some(u32::try_from(self.dice.below(4)).unwrap()),
            2 => change.interval = Some(5 + u32::try_from(self.dice.below(10)).unwrap()),
            3 => change.paused = Some(true),
            4 | 5 => change.opens = Opens::At(self.opening()),
            _ => {
                let (max_active, batch, interval, paused) = (Some(4), Some(2), Some(INTERVAL), Some(false));
                change = Terms { max_active, batch, interval, paused, opens: Opens::AtOnce };
            }
        }
        Command::Policy { queue, change }
    }

    /// A moment soon or a little while ago, and seldom one at which no queue may open. Something changes then by itself.
    fn opening(&mut self) -> i64 {
        if self.dice.once_in(12) {
            return TOO_LATE;
        }
        let opens = self.now + SECOND * (i64::try_from(self.dice.below(14)).unwrap() - 3);
        self.landmarks.extend([opens, opens + i64::from(INTERVAL) * SECOND]);
        opens
    }

    /// Time goes on: a little, to the next landmark or one microsecond beside it, seldom a day.
    fn clock(&mut self) -> Command {
        let mut ahead: Vec<i64> = self.landmarks.iter().copied().filter(|at| *at >= self.now).collect();
        ahead.sort_unstable();
        ahead.truncate(4);
        let step = match self.dice.below(20) {
            0..13 => self.now + SECOND * i64::try_from(self.dice.below(6)).unwrap(),
            13 => self.now + 1,
            14 if self.dice.once_in(4) => self.now + DAY,
            _ if ahead.is_empty() => self.now + SECOND,
            _ => self.dice.of(&ahead) + self.dice.of(&[-1, 0, 0, 1]),
        };
        Command::Clock { to: step.max(self.now) }
    }
}
