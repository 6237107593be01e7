mod histories;

use super::*;

fn number(n: u64) -> TicketNumber {
    TicketNumber::new(n).unwrap()
}

/// A line of `issued` numbers from `frontier` on, where `ended` of them ended.
fn line(frontier: u64, issued: u64, ended: usize) -> Line {
    Line { issued, frontier, ended_beyond: ended.try_into().unwrap(), admitted: frontier, version: 1 }
}

fn built(frontier: u64, issued: u64, ended: &[u64]) -> Snapshot {
    Snapshot::build(line(frontier, issued, ended.len()), ended.iter().copied().map(number)).unwrap()
}

/// The line of `snapshot` some versions later.
fn later(snapshot: &Snapshot, change: impl FnOnce(&mut Line)) -> Line {
    let mut line = Line { version: snapshot.line().version + 1, ..*snapshot.line() };
    change(&mut line);
    line
}

/// What `snapshot` says of every number must be what counting one by one says.
fn assert_counts(snapshot: &Snapshot, ended: &[u64]) {
    let line = *snapshot.line();
    let mut position = 0;
    for n in line.frontier.saturating_sub(3).max(1)..=line.issued {
        let place = if n <= line.frontier {
            Place::Passed
        } else if ended.contains(&n) {
            Place::Ended
        } else {
            position += 1;
            assert_eq!(snapshot.nth_waiting(position), Some(number(n)));
            Place::Waiting(position)
        };
        assert_eq!(snapshot.place(number(n)), place, "{n} of {line:?}");
    }
    assert_eq!(line.waiting(), position);
    assert_eq!((snapshot.nth_waiting(0), snapshot.nth_waiting(position + 1)), (None, None));
    if let Some(next) = TicketNumber::new(line.issued + 1) {
        assert_eq!(snapshot.place(next), Place::Unissued);
    }
}

#[test]
fn positions_are_counted_at_the_borders_of_words_and_blocks_q1() {
    const B: u64 = Snapshot::BLOCK;
    for (frontier, issued, ended) in [
        (0, 0, &[][..]),
        (0, 1, &[]),
        (0, 3, &[1]),
        (0, 3, &[1, 2]),
        (0, 3, &[1, 2, 3]),
        (3, 10, &[4, 10]),
        (0, 200, &[62, 63, 64, 65, 127, 128, 129]),
        (62, 200, &[63, 64]),
        (63, 200, &[64, 65, 128]),
        (0, B + 2, &[1, B - 1, B, B + 1]),
        (B - 2, B + 70, &[B - 1, B, B + 1, B + 64]),
        (B - 1, B + 70, &[B, B + 63, B + 64]),
        (B, B + 70, &[B + 1, B + 2]),
        (B - 1, 4 * B, &[B, 2 * B - 1, 3 * B, 4 * B - 1, 4 * B]),
        // Nobody ended in the second and third block, nor beyond the fourth.
        (5, 5 * B, &[B - 7, 3 * B + 1]),
        (TicketNumber::MAX - 5, TicketNumber::MAX, &[TicketNumber::MAX - 4, TicketNumber::MAX - 1]),
        (TicketNumber::MAX, TicketNumber::MAX, &[]),
    ] {
        assert_counts(&built(frontier, issued, ended), ended);
        let backwards: Vec<u64> = ended.iter().rev().copied().collect();
        assert_counts(&built(frontier, issued, &backwards), ended);
    }
}

#[test]
fn the_frontier_may_stop_anywhere() {
    const B: u64 = Snapshot::BLOCK;
    let ended = [2, 63, 64, B - 1, B, B + 1, 2 * B + 65, 2 * B + 66];
    let before = built(0, 3 * B, &ended);
    for frontier in [1, 2, 3, 63, 64, 65, B - 2, B - 1, B, B + 1, B + 2, 2 * B - 1, 2 * B + 65, 3 * B - 1, 3 * B] {
        let beyond: Vec<u64> = ended.into_iter().filter(|n| *n > frontier).collect();
        let line = later(&before, |line| {
            line.frontier = frontier;
            line.ended_beyond = beyond.len().try_into().unwrap();
        });
        assert_counts(&before.refresh(line, []).unwrap(), &beyond);
    }
    assert_counts(&before, &ended);
}

#[test]
fn changes_seen_twice_or_too_late_change_nothing() {
    let before = built(10, 9_000, &[11, 5_000]);
    let line = later(&before, |line| {
        line.frontier = 11;
        line.ended_beyond = 2;
    });
    let after = before.refresh(line, [5_000, 5_000, 12, 11, 3].map(number)).unwrap();
    assert_counts(&after, &[12, 5_000]);
    assert_counts(&after.refresh(line, [12, 5_000, 1].map(number)).unwrap(), &[12, 5_000]);
}

#[test]
fn what_cannot_be_is_refused() {
    let known = built(10, 20, &[15]);
    let now = *known.line();
    let of = |change: fn(&mut Line)| later(&known, change);
    for (read, ended, error) in [
        (Line { version: 0, ..now }, vec![], SnapshotError::Older { known: 1, read: 0 }),
        (
            Line { frontier: 11, ..now },
            vec![],
            SnapshotError::Ambiguous { known: now, read: Line { frontier: 11, ..now } },
        ),
        (of(|l| l.frontier = 9), vec![], SnapshotError::WentBack { known: now, read: of(|l| l.frontier = 9) }),
        (of(|l| l.issued = 19), vec![], SnapshotError::WentBack { known: now, read: of(|l| l.issued = 19) }),
        (of(|l| l.frontier = 21), vec![], SnapshotError::Impossible(of(|l| l.frontier = 21))),
        (of(|l| l.issued = 1 << 40), vec![], SnapshotError::Impossible(of(|l| l.issued = 1 << 40))),
        (of(|_| ()), vec![21], SnapshotError::NeverIssued { number: number(21), issued: 20 }),
        (of(|_| ()), vec![16], SnapshotError::Miscounted { line: of(|_| ()), found: 2 }),
        (
            of(|l| l.ended_beyond = 3),
            vec![16],
            SnapshotError::Miscounted { line: of(|l| l.ended_beyond = 3), found: 2 },
        ),
        (now, vec![16], SnapshotError::Miscounted { line: now, found: 2 }),
    ] {
        let refused = known.refresh(read, ended.into_iter().map(number));
        assert_eq!(refused.unwrap_err(), error);
    }
    assert_eq!(Snapshot::build(line(3, 2, 0), []).unwrap_err(), SnapshotError::Impossible(line(3, 2, 0)));
    assert_eq!(
        Snapshot::build(line(0, 2, 1), [number(3)]).unwrap_err(),
        SnapshotError::NeverIssued { number: number(3), issued: 2 }
    );
    assert!(matches!(Snapshot::build(line(0, 2, 1), []), Err(SnapshotError::Miscounted { found: 0, .. })));
    let most = Line { issued: u64::MAX, frontier: u64::MAX, admitted: u64::MAX, ended_beyond: u64::MAX, version: 2 };
    assert_eq!(known.refresh(most, []).unwrap_err(), SnapshotError::Impossible(most));
}

#[test]
fn a_refresh_copies_what_it_changes_and_drops_what_the_frontier_passed() {
    const B: u64 = Snapshot::BLOCK;
    let before = built(0, 5 * B, &[1, B, 2 * B, 3 * B]);
    let line = later(&before, |line| {
        line.frontier = B - 1;
        line.ended_beyond = 5;
    });
    let after = before.refresh(line, [2 * B + 1, 5 * B].map(number)).unwrap();
    let shared = |old: &Snapshot, new: &Snapshot| {
        [1, 2, 3, 4, 5].map(|block| match (old.block(block * B), new.block(block * B)) {
            (Some(old), Some(new)) => std::ptr::eq(old, new),
            _ => false,
        })
    };
    // The first was copied as the frontier moved, the second as it changed; the fourth has nobody, the fifth is new.
    assert_eq!(shared(&before, &after), [false, false, true, false, false]);
    assert_eq!((before.directory.len(), after.directory.len()), (4, 5));

    let line = later(&after, |line| line.issued += 1);
    assert_eq!(shared(&after, &after.refresh(line, []).unwrap()), [true, true, true, false, true]);
}

#[test]
fn an_idle_line_takes_no_memory_and_the_fullest_a_fifth_of_a_byte_a_ticket() {
    const MILLION: u64 = 1_000_000;
    assert_eq!(built(0, MILLION, &[]).bytes(), size_of::<Snapshot>());

    // One block, and the directory up to it.
    let last = built(0, MILLION, &[MILLION]);
    assert!((4_500..=5_000).contains(&last.bytes()), "{}", last.bytes());

    for every in [2, 100, 4_000] {
        let ended: Vec<u64> = (1..=MILLION).filter(|n| n % every == 0).collect();
        let full = built(0, MILLION, &ended);
        assert!((MILLION / 8..=MILLION / 5).contains(&full.bytes().try_into().unwrap()), "{}", full.bytes());

        let end = later(&full, |line| {
            line.frontier = line.issued;
            line.ended_beyond = 0;
        });
        assert!(full.refresh(end, []).unwrap().bytes() <= 2_000, "what the frontier passed is dropped");
    }
}
