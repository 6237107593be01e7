//! Histories reach every answer: what can be answered is answered in some of them.

use std::collections::BTreeSet;

use crate::history::log::{Answer, Event};
use crate::history::record;

/// An answer's name, with what tells it apart from others of its kind.
fn name(event: &Event) -> String {
    match &event.answer {
        Answer::Refused(why) => {
            let kind = why.split(['(', ' ']).next().unwrap_or_default();
            let whole = kind == "NotFound" || kind == "TokenNotActive";
            match kind {
                "SeatTaken" if !why.ends_with("own [])") => "SeatTaken of one's own".to_owned(),
                _ if whole => why.clone(),
                _ => kind.to_owned(),
            }
        }
        Answer::Joined { created, .. } => format!("Joined {created}"),
        Answer::Held { replayed, .. } => format!("Held {replayed}"),
        Answer::Paid { replayed, .. } => format!("Paid {replayed}"),
        Answer::Charged { replayed, .. } => format!("Charged {replayed}"),
        Answer::Cancelled(booking) => format!("Cancelled {:?}", booking.status),
        Answer::Admitted(ticks) => format!("Admitted {}", !ticks.is_empty()),
        Answer::Swept(swept) => format!("Swept {}", *swept > 0),
        Answer::Left => "Left".to_owned(),
        Answer::Changed(_) => "Changed".to_owned(),
        Answer::Moved => "Moved".to_owned(),
    }
}

#[tokio::test]
async fn histories_reach_every_answer() {
    let mut reached = BTreeSet::new();
    for seed in 1..=40 {
        reached.extend(record(seed).await.iter().map(name));
    }
    let expected = [
        "AlreadyPaid",
        "AmountMismatch",
        "Cancelled ByUser",
        "Cancelled RanOut",
        "Charged false",
        "Charged true",
        "Held false",
        "Held true",
        "IdempotencyKeyReused",
        "InsufficientBalance",
        "Invalid",
        "Joined false",
        "Joined true",
        "NotFound(Reservation)",
        "NotFound(Seat)",
        "NotFound(Seats([9]))",
        "Paid false",
        "Paid true",
        "PurchaseLimit",
        "ReservationCancelled",
        "ReservationExpired",
        "SaleClosed",
        "SeatLimit",
        "SeatTaken",
        "SeatTaken of one's own",
        "SelectionClosed",
        "Swept true",
        "TokenNotActive(Expired)",
        "TokenNotActive(Waiting)",
        "TokenUnknown",
        "UserMismatch",
        "WrongQueue",
    ];
    let missing: Vec<_> = expected.iter().filter(|name| !reached.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?} of {reached:?}");
}
