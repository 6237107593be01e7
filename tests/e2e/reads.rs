//! S12: reading changes nothing.

use e2e::{Settings, until};
use reqwest::Method;

/// Every GET there is, with every kind of token, leaves every row of every table as it was, also where time has brought
/// ends that nobody has written yet.
#[tokio::test]
async fn reads_leave_the_database_identical() {
    let shop = Settings::default()
        .with("--scheduler", "off")
        .with("--hold-seconds", 1)
        .with("--active-seconds", 5)
        .open()
        .await;
    let sale = shop.concert(5, 10).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.charge(50).await.expect(201);
    let held = ann.held(&sale.schedule, &[1]).await;
    until("the end of the hold", async || {
        (ann.reservation(&held).await.expect(200)["status"] == "CANCELLED").then_some(())
    })
    .await;
    let paid = until("a payment in time", async || {
        let visitor = shop.join("ann").await;
        let id = visitor.held(&sale.schedule, &[2]).await;
        let answer = visitor.pay(&id).await;
        (answer.status == 201).then(|| answer.json()["id"].as_str().unwrap().to_owned())
    })
    .await;
    shop.policy("main", serde_json::json!({"paused": true})).await;
    let waiting = shop.join("never charged").await;
    ben.becomes("EXPIRED").await;
    let before = shop.database().dump();

    let paths = [
        "/concerts".to_owned(),
        "/schedules".to_owned(),
        format!("/concerts/{}/schedules", sale.concert),
        format!("/schedules/{}/seats", sale.schedule),
        "/wallet".to_owned(),
        "/wallet/entries".to_owned(),
        "/reservations".to_owned(),
        format!("/reservations/{held}"),
        "/payments".to_owned(),
        format!("/payments/{paid}"),
        "/queue/tokens/me".to_owned(),
    ];
    for path in &paths {
        shop.api(Method::GET, path).await;
        for visitor in [&ann, &ben, &waiting] {
            visitor.get(path).await;
            let bare = visitor.api(Method::HEAD, path).await;
            assert!(bare.body.is_empty(), "{bare}");
        }
    }
    shop.queue("main").await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs/"] {
        shop.request(Method::GET, path).await.expect_success();
    }
    let after = shop.database().dump();
    for (table, rows) in &before {
        assert_eq!(&after[table], rows, "{table} has changed");
    }
    assert!(before["tokens"].len() >= 3, "one of each kind of token: {before:#?}");
}
