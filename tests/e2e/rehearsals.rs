//! Small rehearsals of a whole on-sale: `usher-rehearsal` against two servers and a scheduler, without and with kills. `just
//! rehearse` and `just rehearse-crash` play large ones in the same way.

use e2e::{LIMIT, Rehearsed, Settings, Storage, rehearse, try_to_play};
use reqwest::Method;

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

/// Whatever keeps it from being played is said on one line, before anything is loaded and before anybody comes.
#[tokio::test]
async fn what_cannot_be_played_is_said_at_once() {
    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "ffffffffffffffffffffffffffffffff";
    let shop = Settings::on(Storage::Sqlite).with("--user-key", KEY).open().await;
    let url = format!("http://{}", shop.socket());
    let below = format!("{url}/api/v1");
    let nowhere = shop.database().directory().join("no").join("such").join("folder.json");
    let nowhere = nowhere.to_str().unwrap();
    for (url, flags, told) in [
        (&*url, &[][..], "has a user key"),
        (&url, &["--user-key", OTHER], "does not take the user key"),
        (&url, &["--user-key", KEY, "--admin-key", "another key"], "does not take the admin key"),
        (&url, &["--user-key", KEY, "--json", nowhere], "folder.json cannot be written"),
        (&url, &["--user-key", KEY, "--queue", "main"], "--play-on-main"),
        (&url, &["--user-key", KEY, "--people", "none"], "--people"),
        (&below, &["--user-key", KEY], "with nothing after it"),
        ("127.0.0.1:1", &[], "http://127.0.0.1:1"),
        ("http://127.0.0.1:1", &[], "does not answer"),
    ] {
        let finished = try_to_play(&[url], flags).await;
        assert_eq!(finished.code, Some(2), "{finished:#?}");
        assert_eq!((finished.stdout.as_str(), finished.stderr.lines().count()), ("", 1), "{finished:#?}");
        assert!(finished.stderr.starts_with("usher-rehearsal: ") && finished.stderr.contains(told), "{finished:#?}");
    }
    let concerts = shop.api(Method::GET, "/concerts").await.expect(200);
    assert_eq!(concerts["items"], serde_json::json!([]));
}

/// Everybody comes before the queue opens: they wait, and buy when it has.
#[tokio::test]
async fn an_opening_is_rehearsed() {
    let shop = Settings::line(Storage::Sqlite, 50, 25, 1).open().await;
    let url = format!("http://{}", shop.socket());
    let flags = "--people 40 --seats 40 --arrive-seconds 1 --haste 10 --quiet --queue evening --opens-in 3";
    let finished = try_to_play(&[&url], &flags.split(' ').collect::<Vec<_>>()).await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let queue = shop.queue("evening").await;
    assert!(queue["opens_at"].is_string(), "{queue}");
    assert_eq!(queue["issued"], 40);
    shop.audit().await;
}

/// The policy of the sale stays as it is, and `main` is played on if that is meant.
#[tokio::test]
async fn a_sale_is_rehearsed_by_its_own_policy() {
    let shop = Settings::line(Storage::Sqlite, 50, 25, 1).open().await;
    let url = format!("http://{}", shop.socket());
    let flags =
        "--people 40 --seats 40 --arrive-seconds 1 --haste 10 --quiet --queue main --play-on-main --keep-policy";
    let finished = try_to_play(&[&url], &flags.split(' ').collect::<Vec<_>>()).await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let queue = shop.queue("main").await;
    assert_eq!((&queue["max_active"], &queue["batch"]), (&50.into(), &25.into()));
    assert_eq!(queue["issued"], 40);
    shop.audit().await;
}
