//! Small rehearsals of a whole on-sale: `usher-rehearsal` against two servers and a scheduler, without and with kills. `just
//! rehearse` and `just rehearse-crash` play large ones in the same way.

use e2e::{LIMIT, Rehearsed, rehearse};

/// So short that abandoned seats are free again for others, and that who is killed is missed. Who asks as advised is never absent,
/// however slow the machine is.
const RULES: [(&str, &str); 3] = [("--hold-seconds", "4"), ("--active-seconds", "30"), ("--absence-seconds", "86400")];
/// Where nothing is killed nobody is refused for having waited: people give an answer up after 40 s.
const PATIENT: (&str, &str) = ("--patience-seconds", "60");

async fn play(flags: &str, kills: Option<u64>) -> Rehearsed {
    // They end by themselves; the time limit bounds a failure only.
    let flags = format!("{flags} --quiet --time-limit-seconds {}", LIMIT.as_secs());
    let rules: Vec<_> = RULES.into_iter().chain(kills.is_none().then_some(PATIENT)).collect();
    let rehearsed = rehearse(&flags.split(' ').map(str::to_owned).collect::<Vec<_>>(), &rules, kills).await;
    assert_eq!(
        rehearsed.code,
        Some(0),
        "a promise was broken, or it could not be played; what is printed above says which"
    );
    assert_eq!(rehearsed.audit.code, Some(0), "{:?}", rehearsed.audit);
    rehearsed
}

#[tokio::test]
async fn a_sale_is_sold_out_and_no_promise_broken() {
    play("--people 600 --seats 150 --arrive-seconds 6 --haste 4 --until-sold-out", None).await;
}

#[tokio::test]
async fn servers_and_database_are_killed_and_no_promise_broken() {
    let rehearsed = play("--people 500 --seats 300 --arrive-seconds 15 --haste 1.5 --pattern steady", Some(1)).await;
    assert!(rehearsed.kills >= 3, "only {} kills", rehearsed.kills);
}
