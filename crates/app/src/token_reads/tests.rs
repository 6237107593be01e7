use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::token::EndReason;

use super::*;
use crate::mocks::{DelayedStore, MockQueues, Task, at, block_on, down, numbered, user};

/// Number `number` of `main`, in the state in which these tests have it: every tenth was never issued, of the others
/// every second has ended.
fn stored(number: TicketNumber) -> Option<Token> {
    let mut token = numbered(number.get());
    if number.get().is_multiple_of(2) {
        token.end(EndReason::Left, at(3));
    }
    (!number.get().is_multiple_of(10)).then_some(token)
}

/// A store of such tokens, how often it was read, and how many numbers the longest read asked for.
fn store() -> (Arc<MockQueues>, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (reads, longest) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (count, measure) = (Arc::clone(&reads), Arc::clone(&longest));
    let mut queues = MockQueues::new();
    queues.expect_tokens().withf(|queue, _| *queue == QueueNumber(1)).returning(move |_, numbers| {
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        count.fetch_add(1, Ordering::SeqCst);
        measure.fetch_max(numbers.len(), Ordering::SeqCst);
        // In any order.
        Ok(numbers.iter().rev().filter_map(|number| stored(*number)).collect())
    });
    (Arc::new(queues), reads, longest)
}

fn ticket(number: u64) -> Ticket {
    numbered(number).ticket
}

type Caller<'a> = Task<'a, Result<Option<Token>, StoreError>>;

fn caller<'a>(token_reads: &'a TokenReads, store: &'a DelayedStore, number: u64) -> Caller<'a> {
    Task::started(token_reads.find(store, ticket(number)))
}

fn has_its_own(caller: &Caller, number: u64) -> bool {
    caller.answer() == Some(&Ok(stored(TicketNumber::new(number).unwrap())))
}

/// Lets answers arrive until nobody waits for one any more; how many.
fn arrive_all(store: &DelayedStore, callers: &mut [Caller]) -> usize {
    let mut arrived = 0;
    while store.arrive() {
        arrived += 1;
        while callers.iter_mut().any(Task::step) {}
    }
    arrived
}

#[test]
fn a_thousand_who_ask_at_once_cost_three_reads_and_each_gets_its_own() {
    let (queues, reads, longest) = store();
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(queues));
    let mut callers: Vec<_> = (1..=1_000).map(|number| caller(&token_reads, &delayed, number)).collect();
    assert_eq!((delayed.travelling(), reads.load(Ordering::SeqCst)), (1, 1));
    arrive_all(&delayed, &mut callers);
    assert!(callers.iter().zip(1..).all(|(caller, number)| has_its_own(caller, number)));
    assert_eq!((reads.load(Ordering::SeqCst), longest.load(Ordering::SeqCst)), (3, MOST));
    assert!(lock(&token_reads.queues).is_empty(), "nobody asks any more");
}

/// However many ask for one place, the store is asked for one number.
#[test]
fn a_number_is_asked_for_once_in_a_read() {
    let (queues, reads, longest) = store();
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(queues));
    let mut callers: Vec<_> = (0..100).map(|_| caller(&token_reads, &delayed, 7)).collect();
    arrive_all(&delayed, &mut callers);
    assert!(callers.iter().all(|caller| has_its_own(caller, 7)));
    assert_eq!((reads.load(Ordering::SeqCst), longest.load(Ordering::SeqCst)), (2, 1));
}

/// The read that was under way when they came may have missed what they have seen.
#[test]
fn a_read_that_had_begun_before_they_came_answers_nobody() {
    let (queues, ..) = store();
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(queues));
    let (mut first, mut late) = (caller(&token_reads, &delayed, 7), caller(&token_reads, &delayed, 7));
    delayed.arrive();
    assert!(first.run().is_some());
    assert_eq!((late.run(), delayed.travelling()), (None, 1), "it reads itself now");
}

#[test]
fn a_damaged_token_fails_those_who_ask_for_it_and_nobody_else_s8() {
    let damaged = || StoreError::Inconsistent { table: "tokens", column: "user_id", detail: "injected".to_owned() };
    let mut queues = MockQueues::new();
    queues.expect_tokens().returning(move |_, numbers| {
        let bad = numbers.iter().any(|number| number.get() == 5);
        if bad { Err(damaged()) } else { Ok(numbers.iter().filter_map(|number| stored(*number)).collect()) }
    });
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(Arc::new(queues)));
    let numbers = [1, 5, 7, 5, 8, 10];
    let mut callers: Vec<_> = numbers.map(|number| caller(&token_reads, &delayed, number)).into();
    arrive_all(&delayed, &mut callers);
    for (caller, number) in callers.iter().zip(numbers) {
        let right = if number == 5 { caller.answer() == Some(&Err(damaged())) } else { has_its_own(caller, number) };
        assert!(right, "{number}: {:?}", caller.answer());
    }
}

#[test]
fn what_is_over_is_read_once_and_what_lives_every_time() {
    let (queues, reads, _) = store();
    let token_reads = TokenReads::default();
    for (number, cost) in [(2, 1), (7, 3), (10, 3)] {
        let before = reads.load(Ordering::SeqCst);
        for _ in 0..3 {
            let found = block_on(token_reads.find(&*queues, ticket(number)));
            assert_eq!(found, Ok(stored(ticket(number).number)));
        }
        assert_eq!(reads.load(Ordering::SeqCst) - before, cost, "{number}");
    }
}

#[test]
fn what_others_asked_for_is_remembered_too() {
    let (queues, reads, _) = store();
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(queues));
    let mut callers: Vec<_> = [1, 3, 5, 4].map(|number| caller(&token_reads, &delayed, number)).into();
    arrive_all(&delayed, &mut callers);
    let before = reads.load(Ordering::SeqCst);
    assert_eq!(caller(&token_reads, &delayed, 4).run(), Some(&Ok(stored(ticket(4).number))));
    assert_eq!(reads.load(Ordering::SeqCst), before);
}

/// Plays six callers step by step, of whom `gone` go away each at its step; how many steps there were. Somebody who is
/// left hanging shows as a play that ends before they have their answer.
fn play(gone: &[(usize, usize)]) -> usize {
    let (queues, ..) = store();
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(queues));
    let mut callers: Vec<_> =
        (1..=6).map(|number| Some(Task::new(token_reads.find(&*delayed, ticket(number))))).collect();
    let mut steps = 0;
    loop {
        for (_, who) in gone.iter().filter(|(step, _)| *step == steps) {
            callers[*who] = None;
        }
        steps += 1;
        if !callers.iter_mut().flatten().any(Task::step) && !delayed.arrive() {
            break;
        }
    }
    for (caller, number) in callers.iter().zip(1..) {
        assert!(caller.as_ref().is_none_or(|caller| has_its_own(caller, number)), "{number} hangs when {gone:?}");
    }
    assert!(lock(&token_reads.queues).is_empty(), "a read never ended when {gone:?}");
    steps
}

/// Whoever goes away while they wait, while they read, or when they were handed the turn to read and have not taken it:
/// every one and every two of six, at every step.
#[test]
fn who_goes_away_leaves_nobody_hanging() {
    let steps = play(&[]);
    assert!(steps > 12, "{steps}");
    for first in (0..steps).flat_map(|step| (0..6).map(move |who| (step, who))) {
        play(&[first]);
        for second in (first.0..steps).flat_map(|step| (0..6).map(move |who| (step, who))) {
            play(&[first, second]);
        }
    }
}

#[test]
fn who_has_the_turn_and_goes_away_passes_it_on() {
    let (queues, ..) = store();
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(queues));
    let mut reading = caller(&token_reads, &delayed, 1);
    let (handed, mut next) = (caller(&token_reads, &delayed, 3), caller(&token_reads, &delayed, 5));
    delayed.arrive();
    reading.run();
    drop(handed);
    assert_eq!((next.run(), delayed.travelling()), (None, 1));
    while delayed.arrive() {}
    assert!(next.run().is_some() && has_its_own(&next, 5));
}

#[test]
fn an_error_reaches_all_who_waited_and_is_not_remembered() {
    let mut queues = MockQueues::new();
    queues.expect_tokens().times(2).returning(|_, _| Err(down()));
    queues.expect_tokens().returning(|_, numbers| Ok(numbers.iter().filter_map(|number| stored(*number)).collect()));
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(Arc::new(queues)));
    let mut callers: Vec<_> = (1..=9).map(|number| caller(&token_reads, &delayed, number)).collect();
    assert_eq!(arrive_all(&delayed, &mut callers), 2);
    assert!(callers.iter().all(|caller| caller.answer() == Some(&Err(down()))));
    let mut again = [caller(&token_reads, &delayed, 4)];
    arrive_all(&delayed, &mut again);
    assert!(has_its_own(&again[0], 4));
}

/// More wait than one read asks for, and with every answer as many come again: the first ones are answered first.
#[test]
fn nobody_starves_while_others_come() {
    let (queues, ..) = store();
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(queues));
    // Odd numbers, as none of them is remembered.
    let mut callers: Vec<_> = (0..1_500).map(|_| caller(&token_reads, &delayed, 7)).collect();
    for round in 0..4 {
        assert!(delayed.arrive(), "{round}");
        while callers.iter_mut().any(Task::step) {}
        callers.extend((0..MOST).map(|_| caller(&token_reads, &delayed, 9)));
    }
    assert!(callers.iter().take(1_500).all(|caller| has_its_own(caller, 7)), "three reads of 512");
    assert!(callers.iter().skip(1_500).any(|caller| caller.answer().is_none()), "many more than that wait");
}

#[test]
fn one_queue_does_not_wait_for_another() {
    let mut queues = MockQueues::new();
    queues.expect_tokens().returning(|_, _| Ok(vec![]));
    let (token_reads, delayed) = (TokenReads::default(), DelayedStore::new(Arc::new(queues)));
    let _main: Vec<_> = (0..9).map(|_| caller(&token_reads, &delayed, 1)).collect();
    let _other = Task::started(token_reads.find(&*delayed, Ticket { queue: QueueNumber(2), ..ticket(1) }));
    assert_eq!(delayed.travelling(), 2);
}

#[test]
fn the_memory_of_ended_tokens_is_bounded_and_keeps_the_latest() {
    let mut ended = Ended::default();
    let latest = 3 * u64::try_from(Ended::MOST).unwrap() + 1;
    for number in 1..=latest {
        let mut token = numbered(number);
        token.end(EndReason::Left, at(3));
        ended.remember(&HashMap::from([(token.ticket.number, Ok(token))]));
        assert!(ended.young.len() <= Ended::MOST && ended.old.len() <= Ended::MOST, "{number}");
    }
    let kept = |number| ended.get(ticket(number)).is_some_and(|token| token.user == user());
    assert!(kept(latest) && kept(latest - u64::try_from(Ended::MOST).unwrap() + 1) && !kept(1));
}
