use domain::line::Line;
use futures::executor::block_on;

use super::*;
use crate::mocks::{NOW, World, active, active_until, at, ended, sealed, user, waiting};

fn place(standing: Standing) -> Place {
    block_on(World::of(standing).app().place(sealed())).unwrap()
}

#[test]
fn a_waiting_token_is_told_its_position_and_when_to_ask_again_r4() {
    let expected = Place {
        token: sealed(),
        queue: QueueName::main(),
        user: user(),
        status: TokenStatus::Waiting,
        position: Some(3),
        version: 31,
        estimated_wait: None,
        poll_after: Some(poll_after(None, 3, 127)),
        issued_at: at(1),
        activated_at: None,
        expires_at: None,
        server_time: at(NOW),
        as_of: at(NOW),
        stale: false,
    };
    assert_eq!(place(waiting()), expected);
}

#[test]
fn who_does_not_wait_is_told_no_wait_r4() {
    for (standing, status, position, expires_at) in [
        (active(), TokenStatus::Active, Some(0), NOW + 1),
        // Stored as ACTIVE, and over: the deadline is now.
        (active_until(NOW), TokenStatus::Expired, None, NOW),
        (ended(), TokenStatus::Expired, None, NOW + 1),
    ] {
        let told = place(standing);
        assert_eq!((told.status, told.position), (status, position));
        assert_eq!((told.estimated_wait, told.poll_after), (None, None));
        assert_eq!((told.activated_at, told.expires_at), (Some(at(2)), Some(at(expires_at))));
    }
}

/// Two polls a minute apart, between which 30 were admitted; then the third in line waits 6 s.
fn second_poll(paused: bool) -> Place {
    let mut world = World::default();
    let mut admitted = 0;
    world.queues.expect_find().returning(move |_| {
        admitted += 30;
        let line = Line { admitted, ..waiting().line };
        Ok(Some(Standing { line, paused, ..waiting() }))
    });
    let clock = std::sync::Arc::clone(&world.clock);
    let app = world.app();
    assert_eq!(block_on(app.place(sealed())).unwrap().estimated_wait, None, "unknown as yet");
    clock.set(at(NOW + 60));
    block_on(app.place(sealed())).unwrap()
}

#[test]
fn the_wait_is_measured_and_not_foretold_while_paused() {
    let (running, paused) = (second_poll(false), second_poll(true));
    assert_eq!(running.estimated_wait, Some(Duration::from_secs(6)));
    assert_eq!(running.poll_after, Some(poll_after(running.estimated_wait, 3, 127)));
    assert_eq!(paused.estimated_wait, None);
    assert_eq!(paused.poll_after, Some(poll_after(None, 3, 127)));
}
