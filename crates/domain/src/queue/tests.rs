mod histories;

use super::*;

fn queue(policy: Policy) -> Queue {
    Queue::new(QueueNumber(1), QueueName::main(), QueueEpoch([7; 16]), policy, at(0))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<TicketNumber> {
    range.map(|n| TicketNumber::new(n).unwrap()).collect()
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
    active.admit(std::time::Duration::from_secs(600), at(10));
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
    assert_eq!(queue.admit(0, &numbers(1..=5), at(0)), 2);
    assert_eq!(queue.admit(2, &numbers(3..=5), at(9)), 0);
    assert_eq!(queue.admit(2, &numbers(3..=5), at(10)), 2);
    assert_eq!(queue.line.frontier, 4);
    assert_eq!(queue.line.waiting(), 1);
}

#[test]
fn nobody_is_admitted_while_paused_and_a_change_starts_a_new_window_r3() {
    let mut queue = queue(Policy { batch: 1, ..Policy::default() });
    joined(&mut queue, 3);
    assert_eq!(queue.admit(0, &numbers(1..=1), at(0)), 1);
    queue.change_policy(&PolicyChange { paused: Some(true), ..PolicyChange::default() }, at(1)).unwrap();
    assert_eq!(queue.room(1, at(1)), 0);
    queue.change_policy(&PolicyChange { paused: Some(false), ..PolicyChange::default() }, at(2)).unwrap();
    assert_eq!(queue.room(1, at(2)), 1);
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut queue = queue(Policy::default());
    let before = queue.clone();
    assert!(queue.change_policy(&PolicyChange { batch: Some(0), ..PolicyChange::default() }, at(1)).is_err());
    assert_eq!(queue, before);
}
