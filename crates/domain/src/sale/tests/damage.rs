//! A damaged row fails the commands that need it, and no other (S8).

use super::scene::{Scene, choice, held, hold, key, now, over, pay, reservation_id, seat_id, ticket, user, verdict};
use crate::ports::{HoldCommand, StoreError};
use crate::sale::{Command, WorkingSet};
use crate::seat::Taken;
use crate::{PolicyChange, QueueEdit};

fn damaged(table: &'static str) -> StoreError {
    StoreError::Inconsistent { table, column: "any", detail: "injected".to_owned() }
}

/// How one row is damaged, which commands need it, and which do not.
type Damage = (&'static str, fn(&mut WorkingSet), Vec<Command>, Vec<Command>);

#[test]
fn a_damaged_row_fails_the_commands_that_need_it_and_no_other_s8() {
    let other = || Command::Hold(HoldCommand { key: None, choice: choice(&[2]), ..hold(2) });
    let policy = || Command::Edit(QueueEdit { policy: Some(PolicyChange::default()), ..QueueEdit::default() });
    let damages: [Damage; 7] = [
        (
            "queues",
            |set| set.add_queue(Err(damaged("queues"))),
            vec![Command::Join(user("new")), Command::Leave(ticket(1)), Command::Admit, policy()],
            vec![Command::Hold(hold(1)), Command::Pay(pay(1)), other()],
        ),
        (
            "tokens",
            |set| {
                // A row that is there already is not replaced, so that it is damaged in a set of its own.
                *set = WorkingSet::new(set.number());
                let scene = Scene::new();
                set.add_token(ticket(1).number, Some(user("holder")), Err(damaged("tokens")));
                scene.fill(set);
            },
            vec![
                Command::Hold(hold(1)),
                Command::Pay(pay(1)),
                Command::Leave(ticket(1)),
                Command::Cancel(ticket(1), held()),
                Command::Join(user("holder")),
            ],
            vec![other(), Command::Join(user("other")), Command::Leave(ticket(2))],
        ),
        (
            "reservations",
            |set| set.add_recorded_hold(user("holder"), key(), Err(damaged("reservations"))),
            vec![Command::Hold(hold(1))],
            vec![Command::Hold(HoldCommand { key: None, ..hold(1) }), other(), Command::Pay(pay(1))],
        ),
        (
            "payments",
            |set| set.add_recorded_payment(user("holder"), key(), Err(damaged("payments"))),
            vec![Command::Pay(pay(1))],
            vec![Command::Hold(hold(1)), other()],
        ),
        (
            "seats",
            |set| set.add_seat(seat_id(1), None, Err(damaged("seats"))),
            vec![Command::Hold(hold(1))],
            vec![other(), Command::Pay(pay(1))],
        ),
        (
            "reservation_seats",
            |set| set.add_reserved_seat(held(), Err(damaged("reservation_seats"))),
            vec![Command::Pay(pay(1)), Command::Cancel(ticket(1), held()), Command::Leave(ticket(1))],
            vec![Command::Hold(hold(1)), other(), Command::Leave(ticket(2))],
        ),
        (
            "wallets",
            |set| set.add_wallet(user("holder"), Err(damaged("wallets"))),
            vec![Command::Pay(pay(1))],
            vec![Command::Hold(hold(1)), other(), Command::Cancel(ticket(1), held())],
        ),
    ];
    for (table, damage, failing, others) in damages {
        for command in failing {
            let scene = Scene::new();
            let mut set = scene.set();
            damage(&mut set);
            let failed = set.decide(&command, &scene.context());
            assert!(matches!(&failed, Err(StoreError::Inconsistent { table: of, .. }) if *of == table), "{failed:?}");
            assert!(set.decide(&other(), &scene.context()).is_ok(), "the next command of the batch goes on: {table}");
        }
        for command in others {
            let scene = Scene::new();
            let mut set = scene.set();
            damage(&mut set);
            let done = set.decide(&command, &scene.context());
            assert!(done.is_ok(), "{command:?} does not need {table}: {done:?}");
        }
    }
}

#[test]
fn a_damaged_reservation_fails_its_own_user_and_not_the_next_buyer_r7_r17() {
    let mut scene = Scene::new();
    let damage = |set: &mut WorkingSet| set.add_reservation(held(), Some(user("holder")), Err(damaged("reservations")));
    for command in [Command::Leave(ticket(1)), Command::Cancel(ticket(1), held()), Command::Pay(pay(1))] {
        let mut set = scene.set();
        damage(&mut set);
        assert!(set.decide(&command, &scene.context()).is_err(), "{command:?}");
    }
    scene.now = over();
    let next = Command::Hold(HoldCommand { choice: choice(&[9]), ..hold(2) });
    let mut set = scene.set();
    damage(&mut set);
    let taken_over = verdict(set.decide(&next, &scene.context()));
    assert!(taken_over.is_ok(), "{taken_over:?}");
    let told: Vec<_> = set.changed().left_damaged.iter().map(ToString::to_string).collect();
    let wrong = format!("{}, in reservation {}", damaged("reservations"), held());
    assert_eq!(told, [wrong], "it is told to the operator");
    assert_eq!(set.changed_reservations().count(), 0, "and left as it is");

    let mut swept = scene.set();
    damage(&mut swept);
    assert!(swept.decide(&Command::Release(held()), &scene.context()).is_err());
}

#[test]
fn a_dead_hold_of_a_reservation_that_is_not_there_is_free_too_r7() {
    let mut scene = Scene::new();
    scene.seats[0].taken = Some(Taken { by: reservation_id(5), until: Some(now()) });
    let mut set = scene.set();
    assert_eq!(set.missing_reservations(now()).into_iter().collect::<Vec<_>>(), [reservation_id(5)]);
    let held = verdict(set.decide(&Command::Hold(hold(1)), &scene.context()));
    assert!(held.is_ok(), "{held:?}");
    assert_eq!(set.changed().left_damaged.len(), 1);
}
