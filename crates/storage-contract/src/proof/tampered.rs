//! Logs that were tampered with: one answer of a good history is made wrong, and the oracle objects.

use crate::history::log::{Answer, Booking, BookingStatus, Event, TokenState};
use crate::history::record;
use crate::oracle::Oracle;

/// Makes an answer wrong, if it is of the kind that this knows.
type Tamper = fn(&mut Answer) -> bool;

fn check(events: &[Event]) -> Result<(), String> {
    let mut oracle = Oracle::new(events[0].at);
    events.iter().try_for_each(|event| oracle.check(event))
}

fn booking(answer: &mut Answer) -> Option<&mut Booking> {
    match answer {
        Answer::Held { booking, .. } | Answer::Paid { booking, .. } | Answer::Cancelled(booking) => Some(booking),
        _ => None,
    }
}

const TAMPERS: [(&str, Tamper); 19] = [
    ("a ticket number is left out", |answer| match answer {
        Answer::Joined { created: true, token, .. } => {
            token.place.number += 1;
            true
        }
        _ => false,
    }),
    ("a place is taken for a new one", |answer| match answer {
        Answer::Joined { created: created @ false, .. } => {
            *created = true;
            true
        }
        _ => false,
    }),
    ("a position is one too low", |answer| match answer {
        Answer::Joined { token, .. } => match &mut token.state {
            TokenState::Waiting { position } if *position > 1 => {
                *position -= 1;
                true
            }
            _ => false,
        },
        _ => false,
    }),
    ("a waiter is let in early", |answer| match answer {
        Answer::Joined { token, .. } if matches!(token.state, TokenState::Waiting { .. }) => {
            token.state = TokenState::Active;
            true
        }
        _ => false,
    }),
    ("one more than may be is admitted", |answer| match answer {
        Answer::Admitted(ticks) => ticks.first_mut().is_some_and(|(_, admitted, active, _)| {
            (*admitted, *active) = (*admitted + 1, *active + 1);
            true
        }),
        _ => false,
    }),
    ("selection is not over though it ended", |answer| match answer {
        Answer::Refused(why) if why.starts_with("SelectionClosed") => {
            *answer = Answer::Left;
            true
        }
        _ => false,
    }),
    ("selection ends a microsecond later", |answer| match answer {
        Answer::Joined { token, .. } => token.turn.as_mut().is_some_and(|turn| {
            turn.selection_ends_at += 1;
            true
        }),
        _ => false,
    }),
    ("a turn ends where a hold ended that was given up", |answer| match answer {
        Answer::Joined { created: false, token, .. } => token.turn.as_mut().is_some_and(|turn| {
            turn.expires_at += 1;
            true
        }),
        _ => false,
    }),
    ("a taken seat is held", |answer| match answer {
        Answer::Refused(why) if why.starts_with("SeatTaken") => {
            *answer = Answer::Left;
            true
        }
        _ => false,
    }),
    ("a seat of one's own is another's", |answer| match answer {
        Answer::Refused(why) if why.starts_with("SeatTaken") && !why.ends_with("own [])") => {
            let taken = why.split(", own").next().unwrap();
            *why = format!("{taken}, own [])");
            true
        }
        _ => false,
    }),
    ("more is sold to one user than may be", |answer| match answer {
        Answer::Refused(why) if why.starts_with("PurchaseLimit") => {
            *answer = Answer::Left;
            true
        }
        _ => false,
    }),
    ("a free seat is refused", |answer| match answer {
        Answer::Held { .. } => {
            *answer = Answer::Refused("SeatTaken([1])".to_owned());
            true
        }
        _ => false,
    }),
    ("a hold lasts a microsecond longer", |answer| match answer {
        Answer::Held { booking, .. } => {
            booking.expires_at += 1;
            true
        }
        _ => false,
    }),
    ("a price is wrong", |answer| {
        booking(answer).is_some_and(|booking| {
            booking.seats[0].1 += 1;
            booking.amount += 1;
            true
        })
    }),
    ("what ran out was cancelled by its user", |answer| match answer {
        Answer::Cancelled(booking) if booking.status == BookingStatus::RanOut => {
            booking.status = BookingStatus::ByUser;
            true
        }
        _ => false,
    }),
    ("a payment deducts nothing", |answer| match answer {
        Answer::Paid { payment, balance, replayed: false, .. } => {
            *balance += payment.amount;
            true
        }
        _ => false,
    }),
    ("a charge counts twice", |answer| match answer {
        Answer::Charged { entry, balance, replayed: false, .. } => {
            *balance += entry.amount;
            entry.balance_after += entry.amount;
            true
        }
        _ => false,
    }),
    ("an entry is left out", |answer| match answer {
        Answer::Charged { entry, last_seq, .. } => {
            (entry.seq, *last_seq) = (entry.seq + 1, *last_seq + 1);
            true
        }
        _ => false,
    }),
    ("a replay is done anew", |answer| match answer {
        Answer::Held { replayed: replayed @ true, .. } | Answer::Paid { replayed: replayed @ true, .. } => {
            *replayed = false;
            true
        }
        _ => false,
    }),
];

#[tokio::test]
async fn every_way_of_tampering_is_found() {
    let mut logs = Vec::new();
    for seed in 1..=20 {
        let events = record(seed).await;
        assert_eq!(check(&events), Ok(()), "seed {seed}, untouched");
        logs.push(events);
    }
    for (what, tamper) in TAMPERS {
        let mut tampered = 0;
        for log in &logs {
            let mut events = log.clone();
            if events.iter_mut().any(|event| tamper(&mut event.answer)) {
                tampered += 1;
                assert!(check(&events).is_err(), "{what} is not found");
            }
        }
        assert!(tampered > 0, "{what} never came to pass");
    }
}

/// A lost event is found too: what comes after it does not fit any more.
#[tokio::test]
async fn a_lost_charge_is_found() {
    let events = record(3).await;
    let charges = |event: &Event| matches!(event.answer, Answer::Charged { replayed: false, .. });
    let first = events.iter().position(charges).unwrap();
    let mut without = events.clone();
    without.remove(first);
    assert!(check(&without).is_err());
}
