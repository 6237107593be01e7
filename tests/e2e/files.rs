//! The database file of a server: what becomes of it while it is served, and under which names.

use e2e::{Settings, Shop, Storage, until};
use reqwest::Method;
use serde_json::json;

/// Asks for a place until nobody answers any more. What is answered with success before is counted.
async fn joins_until_it_ends(shop: &Shop) -> usize {
    let mut joined = 0;
    until("the end of the server", async || {
        let user = json!({"user_id": format!("user-{joined}")});
        match shop.api(Method::POST, "/queue/tokens").json(user).answer().await {
            Some(answer) if answer.status < 300 => joined += 1,
            Some(answer) => drop(answer.refused(503, "unavailable")),
            None => return Some(()),
        }
        None
    })
    .await;
    joined
}

/// A cleanup, or a restore by `mv`, takes the file or its log away: nothing is answered with success that would be lost, and the
/// server says what it missed, and ends.
#[tokio::test]
async fn a_file_that_is_taken_away_ends_the_server() {
    for ending in ["", "-wal", "-shm"] {
        let shop = Settings::on(Storage::Sqlite).without("--patience-seconds").open().await;
        shop.join("ann").await;
        let file = shop.database().directory().join(format!("usher.db{ending}"));
        let elsewhere = shop.database().directory().join("elsewhere");
        std::fs::rename(&file, &elsewhere).unwrap();
        assert_eq!(joins_until_it_ends(&shop).await, 0, "{ending}");
        let finished = shop.finished().await;
        assert_eq!(finished.code, Some(1), "{finished:#?}");
        let missed = format!("{} was moved, replaced, shortened or deleted while it was served", file.display());
        assert!(finished.stderr.contains(&missed), "{finished:#?}");
        assert!(!finished.stderr.contains("usher: "), "it has said so in the log: {finished:#?}");
    }
}

/// Of what was answered before a log was deleted nothing is lost: the server ends in order.
#[tokio::test]
async fn a_log_that_is_deleted_loses_nothing() {
    let shop = Settings::on(Storage::Sqlite).without("--patience-seconds").open().await;
    let ann = shop.join("ann").await;
    ann.charge(100).await.expect(201);
    for ending in ["-wal", "-shm"] {
        std::fs::remove_file(shop.database().directory().join(format!("usher.db{ending}"))).unwrap();
    }
    joins_until_it_ends(&shop).await;
    assert_eq!(shop.finished().await.code, Some(1));
    shop.restart().await;
    assert_eq!(ann.balance().await, 100);
    shop.audit().await;
}
