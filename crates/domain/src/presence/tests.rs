use super::*;
use crate::{Ticket, UserId};

const ABSENCE: Duration = Duration::from_secs(120);

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn watch(since: i64, last: i64) -> Watch {
    Watch { since: at(since), last: at(last) }
}

fn token(number: u64, issued_at: i64) -> Token {
    let ticket = Ticket { queue: QueueNumber(1), number: TicketNumber::new(number).unwrap() };
    Token::issue(ticket, UserId::parse("u").unwrap(), at(issued_at))
}

/// The bits of a chunk of which these places were seen.
fn bits(places: &[usize]) -> Vec<u8> {
    let mut bits = vec![0; Sighting::BYTES];
    for place in places {
        bits[place / 8] |= 1 << (place % 8);
    }
    bits
}

#[test]
fn a_watch_begins_anew_after_a_gap() {
    let first = Watch::told(None, at(100));
    assert_eq!(first, watch(100, 100));
    assert_eq!(Watch::told(Some(first), at(110)), watch(100, 110));
    assert_eq!(
        Watch::told(Some(first), at(110).plus(Duration::from_micros(1))).since,
        at(110).plus(Duration::from_micros(1))
    );
}

#[test]
fn a_watch_begins_anew_when_the_clock_was_set_back_and_never_after_its_last_note() {
    let before = watch(100, 200);
    for (now, since) in [(190, 100), (189, 189), (95, 95), (-3_400, -3_400)] {
        assert_eq!(Watch::told(Some(before), at(now)), watch(since, now), "{now}");
    }
    let young = watch(199, 200);
    assert_eq!(Watch::told(Some(young), at(195)), watch(195, 195));
}

#[test]
fn what_is_not_known_for_certain_judges_nobody() {
    let now = at(1_000);
    for (what, watches, absence, since) in [
        ("nobody watches", vec![], 120, None),
        ("the rules forbid it", vec![watch(0, 1_000)], 0, None),
        ("one server, long enough", vec![watch(0, 1_000)], 120, Some(880)),
        ("just long enough", vec![watch(880, 1_000)], 120, Some(880)),
        ("not long enough", vec![watch(881, 1_000)], 120, None),
        ("as far as the slower one has told", vec![watch(0, 1_000), watch(0, 995)], 120, Some(875)),
        ("one has just come", vec![watch(0, 1_000), watch(999, 1_000)], 120, None),
        ("one is silent", vec![watch(0, 1_000), watch(0, 989)], 120, None),
        ("one is silent for long", vec![watch(0, 1_000), watch(0, 701)], 120, None),
        ("one is gone", vec![watch(0, 1_000), watch(0, 700)], 120, Some(880)),
        ("all are gone", vec![watch(0, 700)], 120, None),
        ("the clock was set back a little", vec![watch(0, 1_010)], 120, Some(890)),
        ("the clock was set back", vec![watch(0, 1_011)], 120, None),
        ("one has not told since", vec![watch(0, 1_000), watch(0, 1_299)], 120, None),
        ("one is of a time that will not come soon", vec![watch(0, 1_000), watch(0, 1_300)], 120, Some(880)),
    ] {
        let judged = Watch::judges_since(&watches, Duration::from_secs(absence), now);
        assert_eq!(judged, since.map(at), "{what}");
    }
}

#[test]
fn who_was_seen_or_has_just_come_is_there() {
    let mut roll = Roll::since(Watch::judges_since(&[watch(0, 1_000)], ABSENCE, at(1_000)));
    roll.add(0, &bits(&[5, 9]));
    roll.add(0, &bits(&[6]));
    roll.add(1, &bits(&[1]));
    let absent: Vec<u64> = (1..12).filter(|number| roll.is_absent(&token(*number, 0))).collect();
    assert_eq!(absent, [1, 2, 3, 4, 7, 8, 10, 11]);
    assert!(!roll.is_absent(&token(Sighting::CHUNK + 1, 0)) && roll.is_absent(&token(Sighting::CHUNK + 2, 0)));
    assert!(roll.is_absent(&token(Sighting::CHUNK * 9, 0)), "of a chunk that nobody was seen of");
    // R4-like edges of time: joined right at the moment from which on one must have been seen, and before it.
    assert!(!roll.is_absent(&token(1, 880)));
    assert!(roll.is_absent(&token(1, 879)));
}

#[test]
fn by_a_roll_of_all_nobody_is_absent() {
    assert!(!Roll::of_all().is_absent(&token(1, 0)));
}

#[test]
fn notes_are_written_much_more_often_than_anybody_is_judged() {
    for (absence, millis) in [(0, 2_000), (2, 500), (60, 1_000), (120, 2_000), (86_400, 2_000)] {
        assert_eq!(note_every(Duration::from_secs(absence)), Duration::from_millis(millis));
    }
    assert!(note_every(Duration::from_secs(86_400)) * 3 < Watch::GAP);
}
