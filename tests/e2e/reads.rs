//! S12: reading changes nothing.

use e2e::{Settings, Storage, on_each_storage};
use reqwest::Method;

on_each_storage![reads_leave_the_database_identical,];

/// Every GET there is, with every kind of token, leaves every row of every table as it was, also where time has brought
/// ends that nobody has written yet.
async fn reads_leave_the_database_identical(storage: Storage) {
    let shop = Settings::on(storage).with("--scheduler", "off").open().await;
    let sale = shop.concert(5, 10).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.charge(50).await.expect(201);
    let held = ann.held(&sale.schedule, &[1]).await;
    let id = ann.held(&sale.schedule, &[2]).await;
    let paid = ann.pay(&id).await.expect(201)["id"].as_str().unwrap().to_owned();
    shop.policy("main", serde_json::json!({"paused": true})).await;
    let waiting = shop.join("never charged").await;
    // The hold and Ben's token have run out, as if time had passed.
    let over = shop.database().long_ago();
    shop.database().execute(&format!(
        "UPDATE seats SET held_until = {over} WHERE held_until IS NOT NULL; \
         UPDATE reservations SET expires_at = {over} WHERE status = 'PENDING'; \
         UPDATE tokens SET selection_ends_at = {over}, deadline = {over} WHERE user_id = 'ben'"
    ));
    assert_eq!(ben.status().await, "EXPIRED");
    assert_eq!(ann.reservation(&held).await.expect(200)["status"], "CANCELLED");
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
    assert_eq!(before["tokens"].len(), 3, "one of each kind");
}
