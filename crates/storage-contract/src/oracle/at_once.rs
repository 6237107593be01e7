//! What must be true of a store after a history whose commands ran at once, whatever their order was.

use std::collections::{BTreeMap, BTreeSet};

use super::{Verdict, user_name};
use crate::history::log::{Answer, Booking, BookingStatus, Command, Event, Reading, SeatSeen, TokenState};
use crate::history::stage::{MAX_ACTIVE, OF_CONCERTS, OF_SCHEDULES};

/// Checks what a store shows at the end against itself and against all answers.
pub(crate) fn check_at_once(events: &[Event], reading: &Reading) -> Verdict {
    check_lines(reading)?;
    check_seats(reading)?;
    check_limits(reading)?;
    check_wallets(events, reading)?;
    check_sales(events, reading)
}

fn claim(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}

/// Numbers are dense, one live token a user, nobody overtook, never more in than may be: such histories change no policy.
fn check_lines(reading: &Reading) -> Verdict {
    for (report, tokens) in &reading.queues {
        let (mut live, mut waiting, mut active) = (BTreeSet::new(), 0, 0);
        for ((token, _), number) in tokens.iter().zip(1..) {
            claim(token.place.number == number, || format!("{token:?} is not number {number}"))?;
            claim(token.turn.is_none() || waiting == 0, || format!("{token:?} overtook"))?;
            if let TokenState::Waiting { position } = token.state {
                waiting += 1;
                claim(position == waiting, || format!("{token:?} is {waiting}th"))?;
            }
            active += u64::from(token.state == TokenState::Active);
            if matches!(token.state, TokenState::Waiting { .. } | TokenState::Active) {
                claim(live.insert(&token.user), || format!("{token:?} is a second live one"))?;
            }
        }
        let admitted = tokens.iter().filter(|(token, _)| token.turn.is_some()).count();
        let counted = (u64::try_from(tokens.len()).unwrap(), u64::try_from(admitted).unwrap(), active);
        let shown = (report.line.issued, report.line.admitted, report.active);
        claim(counted == shown, || format!("{report:?}, but counted {counted:?}"))?;
        claim(active <= u64::from(MAX_ACTIVE), || format!("{active} ACTIVE, {report:?}"))?;
    }
    Ok(())
}

fn bookings(reading: &Reading) -> impl Iterator<Item = &Booking> {
    reading.sales.iter().flatten().flat_map(|(bookings, _)| bookings)
}

/// A seat has at most one owner, and looks as its owner makes it.
fn check_seats(reading: &Reading) -> Verdict {
    let mut owners: BTreeMap<(usize, u32), &Booking> = BTreeMap::new();
    for booking in bookings(reading) {
        if !matches!(booking.status, BookingStatus::Pending | BookingStatus::Confirmed) {
            continue;
        }
        for (seat, _) in &booking.seats {
            if let Some(other) = owners.insert((booking.schedule, *seat), booking) {
                return Err(format!("seat {seat} belongs to {other:?} and {booking:?}"));
            }
        }
    }
    for (schedule, (seats, free)) in reading.schedules.iter().enumerate() {
        for (seat, shown) in seats {
            let expected = match owners.get(&(schedule, *seat)).map(|booking| booking.status) {
                None => SeatSeen::Available,
                Some(BookingStatus::Confirmed) => SeatSeen::Sold,
                Some(_) => SeatSeen::Held,
            };
            claim(*shown == expected, || format!("seat {seat} of {schedule} is shown {shown:?}, is {expected:?}"))?;
        }
        let counted = seats.iter().filter(|(_, status)| *status == SeatSeen::Available).count();
        claim(usize::try_from(*free) == Ok(counted), || format!("{free} said to be free, {counted} are"))?;
    }
    Ok(())
}

/// Nobody holds and has bought more of a schedule, or of the one concert of a queue, than one user may.
fn check_limits(reading: &Reading) -> Verdict {
    let (mut of_schedules, mut of_concerts) = (BTreeMap::new(), BTreeMap::new());
    for booking in bookings(reading) {
        if matches!(booking.status, BookingStatus::Pending | BookingStatus::Confirmed) {
            *of_schedules.entry((&booking.user, booking.schedule)).or_insert(0) += booking.seats.len();
            *of_concerts.entry((&booking.user, booking.queue)).or_insert(0) += booking.seats.len();
        }
    }
    for ((user, schedule), seats) in of_schedules {
        let most = OF_SCHEDULES[schedule];
        claim(most.is_none_or(|most| seats <= most), || format!("{user} has {seats} seats of schedule {schedule}"))?;
    }
    for ((user, queue), seats) in of_concerts {
        claim(seats <= OF_CONCERTS[queue], || format!("{user} has {seats} seats of the concert of queue {queue}"))?;
    }
    Ok(())
}

/// Entries chain, and a balance is what was answered to be charged less what was answered to be paid.
fn check_wallets(events: &[Event], reading: &Reading) -> Verdict {
    for (user, (balance, last_seq, newest_first)) in reading.wallets.iter().enumerate() {
        let name = user_name(user);
        let (mut sum, mut count) = (0, 0);
        for entry in newest_first.iter().rev() {
            count += 1;
            sum += if entry.paid.is_some() { -entry.amount } else { entry.amount };
            let chained = (entry.seq, entry.balance_after) == (count, sum) && sum >= 0 && entry.user == name;
            claim(chained, || format!("{entry:?} after {count} entries of {sum}"))?;
        }
        claim((*balance, *last_seq) == (sum, count), || format!("{name} has {balance}, its entries say {sum}"))?;
        let answered: i64 = events.iter().map(|event| moved(event, &name)).sum();
        claim(answered == sum, || format!("{name} has {sum}, the answers say {answered}"))?;
    }
    Ok(())
}

/// By how much an answer says that a wallet was moved.
fn moved(event: &Event, name: &str) -> i64 {
    match &event.answer {
        Answer::Charged { entry, replayed: false, .. } if entry.user == name => entry.amount,
        Answer::Paid { payment, replayed: false, .. } if payment.user == name => -payment.amount,
        _ => 0,
    }
}

/// What was answered is there; what is paid was paid once, with its amount.
fn check_sales(events: &[Event], reading: &Reading) -> Verdict {
    let all: BTreeMap<usize, &Booking> = bookings(reading).map(|booking| (booking.index, booking)).collect();
    for event in events {
        match (&event.command, &event.answer) {
            (Command::Hold { .. }, Answer::Held { booking, .. }) => {
                let kept = all.get(&booking.index);
                let kept = kept.is_some_and(|kept| kept.seats == booking.seats && kept.user == booking.user);
                claim(kept, || format!("{booking:?} is lost"))?;
            }
            (_, Answer::Paid { booking, .. }) => {
                let confirmed = all.get(&booking.index).map(|kept| kept.status);
                claim(confirmed == Some(BookingStatus::Confirmed), || format!("{booking:?} is not confirmed"))?;
            }
            _ => {}
        }
    }
    let mut paid: BTreeMap<usize, i64> = BTreeMap::new();
    for (payment, _) in reading.sales.iter().flatten().flat_map(|(_, payments)| payments) {
        claim(paid.insert(payment.booking, payment.amount).is_none(), || format!("{payment:?} is a second one"))?;
    }
    let deducted: BTreeMap<usize, i64> = reading
        .wallets
        .iter()
        .flat_map(|(_, _, entries)| entries)
        .filter_map(|entry| entry.paid.map(|booking| (booking, entry.amount)))
        .collect();
    let confirmed: BTreeMap<usize, i64> = all
        .values()
        .filter(|booking| booking.status == BookingStatus::Confirmed)
        .map(|booking| (booking.index, booking.amount))
        .collect();
    claim(paid == confirmed && deducted == confirmed, || {
        format!("confirmed {confirmed:?}, payments {paid:?}, deducted {deducted:?}")
    })
}
