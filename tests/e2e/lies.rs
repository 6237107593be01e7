//! The referee of `usher-rehearsal` against servers that lie: an honest one behind somebody who changes its answers, for each
//! kind of violation in a way that breaks that promise.

use std::iter;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use e2e::{LIMIT, Liar, Reply, Shop, Storage, play_at};
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

const JOIN: &str = "POST /queue/tokens";
const POLL: &str = "GET /queue/tokens/me";
const HOLD: &str = "POST /reservations";
const CHARGE: &str = "POST /wallet/charges";
const PAY: &str = "POST /payments";

/// How many come to each rehearsal.
const PEOPLE: u64 = 100;
/// How many of them may be ACTIVE at once, so that others have to wait.
const FEW: u64 = 40;
/// How many rehearsals are played at once.
const AT_ONCE: usize = 6;

const NOBODY: &str = "00000000-0000-8000-8000-000000000000";

type Lie = Box<dyn Fn(&mut Reply) + Send + Sync>;

/// Lies, each with the kind of violation that it is.
type Lies = Vec<(&'static str, Lie)>;

/// Changes the answers of this status to this question.
fn to(asked: &'static str, status: u16, change: impl Fn(&mut Reply) + Send + Sync + 'static) -> Lie {
    Box::new(move |reply| {
        if reply.is(asked, status) {
            change(reply);
        }
    })
}

/// Changes what those are told who are so.
fn polled(state: &'static str, change: impl Fn(&mut Reply) + Send + Sync + 'static) -> Lie {
    to(POLL, 200, move |reply| {
        if reply.says("status", state) {
            change(reply);
        }
    })
}

/// Of the line. It moves on all the same.
fn about_the_line() -> Lies {
    let (rises, minutes) = (AtomicU64::new(1_000), AtomicU64::new(59));
    vec![
        (
            "position_rose",
            polled("WAITING", move |reply| {
                reply.body["position"] = rises.fetch_add(1, Ordering::SeqCst).into();
            }),
        ),
        ("position_wrong", polled("WAITING", |reply| reply.body["position"] = 0.into())),
        ("another_token", polled("WAITING", |reply| reply.body["token"] = NOBODY.into())),
        ("no_advice", polled("WAITING", |reply| reply.body["poll_after_ms"] = Value::Null)),
        // Each turn is said to have come a minute before the one before it.
        (
            "overtaken",
            polled("ACTIVE", move |reply| {
                let minute = minutes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |minute| minute.checked_sub(1));
                reply.body["activated_at"] = format!("2026-01-01T00:{:02}:00Z", minute.unwrap_or(0)).into();
            }),
        ),
        ("two_places", to(JOIN, 200, |reply| reply.status = 201)),
        (
            "token_lives_on",
            polled("EXPIRED", |reply| {
                reply.body["status"] = "ACTIVE".into();
                reply.body["expires_at"] = "2099-01-01T00:00:00Z".into();
            }),
        ),
        ("another_person", to(JOIN, 201, somebody_else)),
        ("held_too_late", polled("ACTIVE", |reply| reply.body["selection_ends_at"] = "2026-01-01T00:00:00Z".into())),
        ("turn_too_long", polled("ACTIVE", |reply| reply.body["expires_at"] = "2026-01-01T00:00:00Z".into())),
    ]
}

/// Of seats. They are held all the same.
fn about_seats() -> Lies {
    let first = Mutex::new(None);
    vec![
        (
            "seat_twice",
            to(HOLD, 201, |reply| {
                for seat in reply.body["seats"].as_array_mut().unwrap() {
                    seat["id"] = NOBODY.into();
                }
            }),
        ),
        ("hold_wrong", to(HOLD, 201, |reply| reply.body["seats"][0]["number"] = 9_999.into())),
        // What was free at first is said to be so for ever.
        (
            "sold_seat_offered",
            to("GET /schedules/{id}/seats", 200, move |reply| {
                reply.body = first.lock().unwrap().get_or_insert_with(|| reply.body.clone()).clone();
            }),
        ),
        (
            "seat_taken_wrong",
            to(HOLD, 409, |reply| {
                if reply.says("code", "seat_taken") {
                    reply.body["seat_numbers"] = json!([9_999]);
                }
            }),
        ),
        ("another_person", to(HOLD, 201, somebody_else)),
        // What somebody else has is said to be one's own.
        (
            "seat_taken_wrong",
            to(HOLD, 409, |reply| {
                if reply.says("code", "seat_taken") {
                    reply.body["own_seat_numbers"] = reply.body["seat_numbers"].clone();
                }
            }),
        ),
    ]
}

/// Of money. It is paid all the same.
fn about_money() -> Lies {
    let last = Mutex::new(Value::Null);
    vec![
        ("money_wrong", to(CHARGE, 201, |reply| reply.body["balance"] = 1.into())),
        ("replay_unsaid", to(PAY, 201, |reply| reply.drop_header("idempotent-replayed"))),
        ("payment_wrong", to(PAY, 201, |reply| reply.body["reservation"]["status"] = "PENDING".into())),
        ("success_lost", to("GET /payments", 200, |reply| reply.body["items"] = json!([]))),
        (
            "replay_differs",
            to(PAY, 201, |reply| {
                if reply.is_replay() {
                    reply.body["id"] = NOBODY.into();
                }
            }),
        ),
        // Who clicks twice has both paid.
        (
            "paid_twice",
            Box::new(move |reply| {
                let mut last = last.lock().unwrap();
                if reply.is(PAY, 201) {
                    *last = reply.body.clone();
                } else if reply.is(PAY, 409) {
                    reply.accept(201, last.clone());
                }
            }),
        ),
        ("another_person", to(CHARGE, 201, somebody_else)),
    ]
}

/// With which nobody comes far.
fn that_end_it() -> Lies {
    let told = Mutex::new(Vec::new());
    vec![
        (
            "place_lost",
            polled("WAITING", |reply| {
                reply.body["status"] = "EXPIRED".into();
                reply.body["position"] = Value::Null;
            }),
        ),
        (
            "ticket_twice",
            // The second one only: if everybody had the first one's token, nobody could go on once it has paid.
            to(JOIN, 201, move |reply| {
                let mut told = told.lock().unwrap();
                told.push(reply.body["token"].clone());
                if told.len() == 2 {
                    reply.body["token"] = told[0].clone();
                }
            }),
        ),
        ("active_refused", to("GET /schedules", 200, |reply| reply.refuse(403, "token_not_active"))),
        ("payment_refused", to(PAY, 201, |reply| reply.refuse(410, "reservation_expired"))),
        ("wrong_outcome", to(HOLD, 201, |reply| reply.refuse(409, "seat_limit"))),
        ("malformed_answer", to(POLL, 200, |reply| reply.drop_header("x-request-id"))),
    ]
}

/// With which people get stuck, so that they stay ACTIVE.
fn that_leave_people_behind() -> Lies {
    vec![
        ("amount_wrong", to(HOLD, 201, |reply| reply.body["amount"] = 1.into())),
        ("server_error", to(CHARGE, 201, |reply| reply.refuse(500, "internal"))),
        ("malformed_answer", to(HOLD, 201, |reply| reply.body = json!({"id": 1}))),
    ]
}

fn somebody_else(reply: &mut Reply) {
    reply.body["user_id"] = "somebody else".into();
}

/// What is told in one rehearsal each, and how many may be ACTIVE at once in it: of the line, of seats and of money one lie beside
/// another where neither looks like the other one, the others by themselves, and nothing but the truth.
fn plays() -> Vec<(Lies, u64)> {
    let mut topics = [about_the_line(), about_seats(), about_money()].map(IntoIterator::into_iter);
    let mut plays: Vec<_> = iter::from_fn(|| {
        let together: Lies = topics.iter_mut().filter_map(Iterator::next).collect();
        (!together.is_empty()).then_some((together, FEW))
    })
    .collect();
    plays.extend(that_end_it().into_iter().map(|lie| (vec![lie], FEW)));
    // There is room for all, so that nobody waits for those who will never go.
    plays.extend(that_leave_people_behind().into_iter().map(|lie| (vec![lie], PEOPLE)));
    plays.push((vec![], FEW));
    plays
}

/// What a rehearsal with these lies found, with its exit code. It ends when everybody has bought or gone, however long that takes;
/// the time limit bounds a failure only.
async fn play(shop: &Shop, number: usize, lies: Vec<Lie>, max_active: u64) -> (Option<i32>, Value) {
    let liar = Liar::about(shop, move |reply| lies.iter().for_each(|lie| lie(reply)));
    // There are seats for all, and the front rows are so much liked that people meet each other; by this seed seven of them repeat a
    // payment under one key and ten under two, where among a hundred there are three and five as a rule.
    let flags = format!(
        "--people {PEOPLE} --seed 725 --seats 250 --arrive-seconds 3 --haste 10 --max-active {max_active} --admit-batch 12 --quiet \
         --time-limit-seconds {} --queue lie-{number}",
        LIMIT.as_secs()
    );
    play_at(&[liar.url()], &flags.split_ascii_whitespace().collect::<Vec<_>>()).await
}

/// Some at a time, so that none of them waits for long for its answers, each in a queue of its own of one server.
#[tokio::test]
async fn every_lie_is_found_and_the_truth_is_believed() {
    let shop = Shop::open(Storage::Sqlite).await;
    let played = plays().into_iter().enumerate().map(|(number, (lies, max_active))| {
        let (kinds, lies): (Vec<_>, Vec<_>) = lies.into_iter().unzip();
        let shop = &shop;
        async move { (kinds, play(shop, number, lies, max_active).await) }
    });
    let mut played = stream::iter(played).buffer_unordered(AT_ONCE);
    while let Some((kinds, (code, report))) = played.next().await {
        assert_eq!(report["ending"], "everybody_done", "{kinds:?}");
        let counts = &report["violation_counts"];
        for kind in &kinds {
            assert!(counts[kind].as_u64() > Some(0), "{kind} was not found of {kinds:?}, but {counts}");
        }
        assert_eq!(code, Some(i32::from(!kinds.is_empty())), "{kinds:?}: {}", report["violations"]);
        assert_eq!(counts == &json!({}), kinds.is_empty(), "{kinds:?}: {counts}");
    }
    shop.audit().await;
}
