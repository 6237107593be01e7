//! A batch comes to what its commands come to one by one, each of them read from what those before it wrote.

use proptest::prelude::*;

use super::scene::{Scene, choice, held, now, over, reservation_id, ticket, user};
use crate::idempotency::Recorded;
use crate::ports::{HoldCommand, PayCommand};
use crate::sale::{BareReservation, Command, WorkingSet};
use crate::{Edit, IdempotencyKey, Money, PolicyChange, QueueEdit, ReservationId};

impl Scene {
    /// Stores what a set is to have written.
    fn store(&mut self, set: &WorkingSet) {
        if let Some(queue) = set.changed_queue() {
            self.queue = Some(queue.clone());
        }
        for token in set.changed_tokens() {
            *self.tokens.iter_mut().find(|known| known.ticket == token.ticket).unwrap() = token.clone();
        }
        self.tokens.extend(set.issued_tokens().cloned());
        for (id, row) in set.changed_reservations() {
            self.reservations.iter_mut().find(|(known, ..)| *known == id).unwrap().1 = row.clone();
        }
        let changed = set.changed();
        self.hold_keys.retain(|(.., made)| !changed.forgotten_holds.contains(made));
        self.pay_keys.retain(|(.., made)| !changed.forgotten_payments.contains(made));
        for (reservation, key) in changed.reserved.values() {
            let numbers = reservation.seats.iter().map(|seat| seat.number).collect();
            self.reservations.push((reservation.id, BareReservation::of(reservation), numbers));
            if let Some((key, fingerprint)) = key.clone() {
                let recorded = Recorded { fingerprint, at: self.now };
                self.hold_keys.push((reservation.user.clone(), key, recorded, reservation.id));
            }
        }
        for seat in set.changed_seats() {
            *self.seats.iter_mut().find(|known| known.id == seat.id).unwrap() = seat.clone();
        }
        for wallet in set.moved_wallets(true) {
            *self.wallets.iter_mut().find(|known| known.user == wallet.user).unwrap() = wallet.clone();
        }
        self.wallets.extend(set.moved_wallets(false).cloned());
        for (payment, _, key) in &changed.payments {
            if let Some((key, fingerprint)) = key.clone() {
                let recorded = Recorded { fingerprint, at: self.now };
                self.pay_keys.push((payment.user.clone(), key, recorded, payment.id));
            }
        }
    }

    /// All that is stored, to be compared.
    fn stored(&mut self) -> String {
        self.reservations.sort_by_key(|(id, ..)| *id);
        let kept = (&self.queue, &self.tokens, &self.seats, &self.reservations, &self.wallets);
        format!("{kept:#?} {:#?} {:#?}", self.hold_keys, self.pay_keys)
    }
}

fn keys() -> impl Strategy<Value = Option<IdempotencyKey>> {
    prop::sample::select(vec![None, IdempotencyKey::parse("one"), IdempotencyKey::parse("two")])
}

/// What is held at first, what the first holds of a batch make, and what is nowhere.
fn reservations() -> impl Strategy<Value = ReservationId> {
    let made = (0..12_u128).prop_map(|nth| reservation_id(1_000_000 + nth));
    prop_oneof![Just(held()), made, Just(reservation_id(7))]
}

fn commands() -> impl Strategy<Value = Command> {
    let tickets = || (1..6_u64).prop_map(ticket);
    let seats =
        prop::collection::btree_set(1..10_u32, 1..3).prop_map(|numbers| numbers.into_iter().collect::<Vec<_>>());
    let hold = (tickets(), seats, keys());
    let hold = hold.prop_map(|(ticket, seats, key)| Command::Hold(HoldCommand { ticket, choice: choice(&seats), key }));
    let amount = prop::sample::select(vec![None, Money::parse("10"), Money::parse("20")]);
    let pay = (tickets(), reservations(), amount, keys());
    let pay = pay
        .prop_map(|(ticket, reservation, amount, key)| Command::Pay(PayCommand { ticket, reservation, amount, key }));
    let join = prop::sample::select(vec!["holder", "other", "third"]).prop_map(|name| Command::Join(user(name)));
    let edit = (prop::option::of(any::<bool>()), prop::sample::select(vec![Edit::Keep, Edit::Clear]));
    let edit = edit.prop_map(|(paused, message)| {
        let policy = paused.map(|paused| PolicyChange { paused: Some(paused), ..PolicyChange::default() });
        Command::Edit(QueueEdit { policy, message })
    });
    prop_oneof![
        6 => hold,
        4 => pay,
        2 => (tickets(), reservations()).prop_map(|(ticket, id)| Command::Cancel(ticket, id)),
        1 => reservations().prop_map(Command::Release),
        1 => tickets().prop_map(Command::Leave),
        1 => join,
        1 => edit,
    ]
}

proptest! {
    #[test]
    fn a_batch_is_its_commands_one_by_one(batch in prop::collection::vec(commands(), 1..60), late in any::<bool>()) {
        let begin = || {
            let mut scene = Scene::new();
            scene.now = if late { over() } else { now() };
            scene.wallets[0].balance = Money::parse("45").unwrap();
            // So few that it is often reached.
            scene.rules.max_seats = 2;
            scene
        };
        let mut together = begin();
        let mut set = together.set();
        let answers: Vec<_> = batch.iter().map(|command| set.decide(command, &together.context())).collect();
        together.store(&set);

        let mut alone = begin();
        for (command, answer) in batch.iter().zip(&answers) {
            let mut set = alone.set();
            let step = set.decide(command, &alone.context());
            prop_assert_eq!(format!("{step:?}"), format!("{answer:?}"), "{:?}", command);
            alone.store(&set);
        }
        prop_assert_eq!(alone.stored(), together.stored());
    }
}

#[test]
fn what_a_batch_wrote_is_what_the_next_one_reads() {
    let mut scene = Scene::new();
    scene.wallets[0].balance = Money::parse("45").unwrap();
    let hold =
        |number, seats: &[u32]| Command::Hold(HoldCommand { ticket: ticket(number), choice: choice(seats), key: None });
    let pay = Command::Pay(PayCommand { ticket: ticket(1), reservation: held(), amount: None, key: None });
    let mut set = scene.set();
    for command in [hold(1, &[1, 2]), hold(2, &[3]), pay, Command::Leave(ticket(2))] {
        set.decide(&command, &scene.context()).unwrap();
    }
    scene.store(&set);
    assert_eq!(scene.reservations.len(), 3);
    assert_eq!(scene.seats.iter().filter(|seat| seat.taken.is_some()).count(), 3, "two held, one sold, one given up");
}
