mod clocks;
mod histories;

use super::*;

fn queue(policy: Policy) -> Queue {
    Queue::new(QueueNumber(1), QueueName::main(), QueueEpoch([7; 16]), policy, at(0))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

const ACTIVE: Duration = Duration::from_secs(600);

/// A second at which a queue may open.
const OPENING: i64 = 1_000_000_000;

/// Waiting tokens of these numbers.
fn waiting(numbers: std::ops::RangeInclusive<u64>) -> Vec<Token> {
    let ticket = |n| Ticket { queue: QueueNumber(1), number: TicketNumber::new(n).unwrap() };
    numbers.map(|n| Token::issue(ticket(n), UserId::parse("u").unwrap(), at(0))).collect()
}

/// A roll by which only these numbers were seen lately.
fn seen(numbers: &[usize]) -> Roll {
    let mut roll = Roll::since(Some(at(1)));
    roll.add(0, &bits(numbers));
    roll
}

fn bits(numbers: &[usize]) -> Vec<u8> {
    let mut bits = vec![0; crate::presence::Sighting::BYTES];
    for number in numbers {
        bits[number / 8] |= 1 << (number % 8);
    }
    bits
}

fn admit(queue: &mut Queue, active: u64, numbers: std::ops::RangeInclusive<u64>, now: i64) -> u32 {
    queue.admit(active, &mut waiting(numbers), &Roll::of_all(), ACTIVE, at(now)).admitted
}

fn joined(queue: &mut Queue, people: usize) {
    for person in 0..people {
        let user = UserId::parse(&format!("user-{person}")).unwrap();
        assert!(matches!(queue.join(&user, None, at(0)), Ok(Join::Issued { .. })));
    }
}

#[test]
fn names_of_queues() {
    let longest = "q".repeat(32);
    for (name, good) in
        [("main", true), ("a-1", true), (&*longest, true), ("", false), ("Main", false), ("a_b", false), ("*", false)]
    {
        assert_eq!(QueueName::parse(name).is_some(), good, "{name}");
    }
    assert_eq!(QueueName::parse(&"q".repeat(33)), None);
}

#[test]
fn joining_again_gives_the_same_place_until_it_is_over_r1() {
    let mut queue = queue(Policy::default());
    let user = UserId::parse("u").unwrap();
    let Join::Issued { ended: None, token } = queue.join(&user, None, at(0)).unwrap() else { panic!() };
    assert_eq!(queue.join(&user, Some(token.clone()), at(9)), Ok(Join::Known(token.clone())));

    let mut active = token;
    active.admit(ACTIVE, at(10), 1);
    assert_eq!(queue.join(&user, Some(active.clone()), at(609)), Ok(Join::Known(active.clone())));
    // Past its deadline it is over though nobody has written so: it is ended first, and a new place is given.
    let Join::Issued { ended: Some(ended), token } = queue.join(&user, Some(active), at(610)).unwrap() else {
        panic!()
    };
    assert_eq!((ended.ticket.number.get(), token.ticket.number.get()), (1, 2));
    let Join::Issued { ended: None, token } = queue.join(&user, Some(ended), at(611)).unwrap() else { panic!() };
    assert_eq!(token.ticket.number.get(), 3);
}

#[test]
fn room_is_the_least_of_grants_slots_and_waiters_r3() {
    for (max_active, batch, active, waiting, room) in [
        (100, 10, 0, 50, 10),
        (100, 10, 95, 50, 5),
        (100, 10, 99, 50, 1),
        (100, 10, 100, 50, 0),
        (100, 10, 101, 50, 0),
        (100, 10, 0, 3, 3),
        (0, 10, 0, 3, 0),
    ] {
        let mut queue = queue(Policy { max_active, batch, ..Policy::default() });
        joined(&mut queue, waiting);
        assert_eq!(queue.room(active, at(0)), room, "{max_active} {batch} {active} {waiting}");
    }
}

#[test]
fn a_window_is_used_up_and_the_next_one_grants_again_r3() {
    let mut queue = queue(Policy { batch: 2, interval_seconds: 10, ..Policy::default() });
    joined(&mut queue, 5);
    assert_eq!(admit(&mut queue, 0, 1..=5, 0), 2);
    assert_eq!(admit(&mut queue, 2, 3..=5, 9), 0);
    assert_eq!(admit(&mut queue, 2, 3..=5, 10), 2);
    assert_eq!(queue.line.frontier, 4);
    assert_eq!(queue.line.waiting(), 1);
}

#[test]
fn nobody_is_admitted_while_paused_and_a_change_starts_a_new_window_r3() {
    let mut queue = queue(Policy { batch: 1, ..Policy::default() });
    joined(&mut queue, 3);
    assert_eq!(admit(&mut queue, 0, 1..=1, 0), 1);
    queue.change_policy(&PolicyChange { paused: Some(true), ..PolicyChange::default() }, at(1)).unwrap();
    assert_eq!(queue.room(1, at(1)), 0);
    queue.change_policy(&PolicyChange { paused: Some(false), ..PolicyChange::default() }, at(2)).unwrap();
    assert_eq!(queue.room(1, at(2)), 1);
}

/// R19: the opening is exact, by ticks and at joins alike; a pause wins over it; moved ahead after it, it is a pause.
#[test]
fn nobody_is_admitted_before_the_opening_r19() {
    let opens_at = at(OPENING);
    let mut queue = queue(Policy { batch: 2, opens_at: Some(opens_at), ..Policy::default() });
    joined(&mut queue, 5);
    let micros = |micros: i64| Timestamp::from_micros(opens_at.micros() + micros);
    for (late, room) in [(-1, 0), (0, 2), (1, 2)] {
        assert_eq!(queue.room(0, micros(late)), room, "{late}");
    }
    let early = queue.admit(0, &mut waiting(1..=5), &Roll::of_all(), ACTIVE, micros(-1));
    assert_eq!((early, queue.line.frontier), (Turns::default(), 0));
    assert_eq!(admit(&mut queue, 0, 1..=5, OPENING), 2);
    assert_eq!((queue.room(2, at(OPENING + 9)), queue.room(2, at(OPENING + 10))), (0, 2), "windows of 10 s");

    let moved = PolicyChange { opens_at: Edit::Set(at(OPENING + 100)), ..PolicyChange::default() };
    queue.change_policy(&moved, at(OPENING + 20)).unwrap();
    assert_eq!((queue.room(2, at(OPENING + 99)), queue.room(2, at(OPENING + 100))), (0, 2));
    let paused = PolicyChange { paused: Some(true), ..PolicyChange::default() };
    queue.change_policy(&paused, at(OPENING + 30)).unwrap();
    assert_eq!(queue.room(2, at(OPENING + 100)), 0, "a pause wins");
    let open = PolicyChange { paused: Some(false), opens_at: Edit::Clear, ..PolicyChange::default() };
    queue.change_policy(&open, at(OPENING + 31)).unwrap();
    assert_eq!((queue.room(2, at(OPENING + 31)), queue.policy.opens_at), (2, None));
}

/// R19, Q2: a clock that steps back before the opening grants nothing, and nothing twice when it comes again.
#[test]
fn an_opening_grants_nothing_twice_q2() {
    let mut queue = queue(Policy { batch: 2, opens_at: Some(at(OPENING)), ..Policy::default() });
    joined(&mut queue, 5);
    assert_eq!(admit(&mut queue, 0, 1..=5, OPENING), 2);
    assert_eq!(admit(&mut queue, 2, 3..=5, OPENING - 1), 0);
    assert_eq!(admit(&mut queue, 2, 3..=5, OPENING + 1), 0);
}

#[test]
fn admission_runs_at_a_join_only_when_nobody_waits_ahead_r3() {
    let mut queue = queue(Policy::default());
    assert!(queue.admits_at_join());
    joined(&mut queue, 1);
    assert!(!queue.admits_at_join());
    admit(&mut queue, 0, 1..=1, 0);
    assert!(queue.admits_at_join());
}

#[test]
fn the_absent_use_no_grant_and_nobody_is_judged_before_their_turn_q11() {
    let mut queue = queue(Policy { batch: 2, ..Policy::default() });
    joined(&mut queue, 7);
    let mut tokens = waiting(1..=7);
    let turns = queue.admit(0, &mut tokens, &seen(&[3, 5]), ACTIVE, at(200));
    assert_eq!(turns, Turns { admitted: 2, absent: 3 });
    let states: Vec<_> = tokens.iter().map(|token| (token.status(), token.out_version)).collect();
    let (out, version) = (TokenStatus::Expired, Some(queue.line.version));
    let within = TokenStatus::Active;
    let expected = [(out, version), (out, version), (within, version), (out, version), (within, version)];
    assert_eq!(states[..5], expected);
    assert_eq!(
        states[5..],
        [(TokenStatus::Waiting, None); 2],
        "6 and 7 were not seen either, and it is not their turn"
    );
    assert_eq!((queue.line.frontier, queue.line.waiting(), queue.line.admitted), (5, 2, 2));
    assert_eq!(queue.room(2, at(200)), 0, "two grants are used");
}

#[test]
fn when_all_are_absent_the_grants_are_left() {
    let mut queue = queue(Policy { batch: 2, ..Policy::default() });
    joined(&mut queue, 3);
    let turns = queue.admit(0, &mut waiting(1..=3), &seen(&[]), ACTIVE, at(200));
    assert_eq!((turns, queue.line.waiting(), queue.line.frontier), (Turns { admitted: 0, absent: 3 }, 0, 3));
    joined(&mut queue, 1);
    assert_eq!(admit(&mut queue, 0, 4..=4, 200), 1);
}

#[test]
fn nobody_is_judged_where_there_is_no_room() {
    let mut queue = queue(Policy { max_active: 0, ..Policy::default() });
    joined(&mut queue, 2);
    let before = queue.clone();
    assert_eq!(queue.admit(0, &mut waiting(1..=2), &seen(&[]), ACTIVE, at(200)), Turns::default());
    assert_eq!(queue, before);
}

#[test]
fn who_leaves_the_line_notes_the_version_r4_r17() {
    let mut queue = queue(Policy::default());
    joined(&mut queue, 3);
    let mut tokens = waiting(1..=3);
    assert_eq!(queue.leave(&mut tokens[1], at(1)), Some(TokenStatus::Waiting));
    assert_eq!((tokens[1].out_version, queue.line.ended_beyond), (Some(queue.line.version), 1));
    let before = queue.line;
    assert_eq!(queue.leave(&mut tokens[1], at(2)), None);
    tokens[0].admit(ACTIVE, at(2), 9);
    assert_eq!(queue.leave(&mut tokens[0], at(3)), Some(TokenStatus::Active));
    assert_eq!(
        (queue.line, tokens[0].out_version),
        (before, Some(9)),
        "the end of an ACTIVE one is no news of the line"
    );
}

#[test]
fn a_new_epoch_ends_everything_before_it() {
    let mut queue = queue(Policy::default());
    joined(&mut queue, 4);
    let mut tokens = waiting(1..=4);
    queue.leave(&mut tokens[1], at(1));
    tokens[0].admit(ACTIVE, at(1), 7);
    let version = queue.line.version;
    queue.renew(QueueEpoch([8; 16]));
    assert_eq!((queue.line.waiting(), queue.line.issued, queue.line.frontier), (0, 4, 4));
    assert_eq!((queue.line.version, queue.epoch), (version + 1, QueueEpoch([8; 16])));
    let lived: Vec<_> = tokens.iter_mut().map(|token| queue.expel(token, at(2))).collect();
    assert_eq!(lived, [true, false, true, true]);
    assert_eq!(
        tokens.iter().map(|token| token.out_version).collect::<Vec<_>>(),
        [7, version, version + 1, version + 1].map(Some)
    );
    assert_eq!(tokens[2].end.unwrap().reason, EndReason::NewEpoch);
    let Join::Issued { token, .. } = queue.join(&UserId::parse("u").unwrap(), None, at(3)).unwrap() else { panic!() };
    assert_eq!(token.ticket.number.get(), 5, "no number is honoured twice");
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut queue = queue(Policy::default());
    let before = queue.clone();
    assert!(queue.change_policy(&PolicyChange { batch: Some(0), ..PolicyChange::default() }, at(1)).is_err());
    assert_eq!(queue, before);
}
