//! Lists come in pages.

use serde_json::{Value, json};

use super::shop::{ADMIN, Shop};

/// All items of a list, page by page, each page as long as `limit` but the last.
async fn walk(shop: &Shop, path: &str, token: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let page = shop.get(&format!("{path}{sign}limit={limit}{cursor}"), token).await.expect(200).json();
        let of_page = page["items"].as_array().unwrap();
        items.extend(of_page.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(of_page.len(), limit);
                cursor = format!("&cursor={next}");
            }
            None => return items,
        }
    }
}

#[actix_web::test]
async fn every_list_gives_each_item_once_in_order() {
    let (shop, concert) = Shop::open().await;
    for _ in 0..4 {
        shop.concert("main", 1).await;
    }
    let mut token = shop.join("alice").await;
    for number in 1..=5 {
        shop.charge(&token, 1000).await.expect(201);
        let held = shop.held(&token, &concert, &[number]).await;
        shop.pay(&token, &held).await.expect(201);
        token = shop.join("alice").await;
    }
    for (path, count) in [
        ("/api/v1/concerts", 5),
        ("/api/v1/schedules", 5),
        ("/api/v1/reservations", 5),
        ("/api/v1/payments", 5),
        ("/api/v1/wallet/entries", 10),
    ] {
        let whole = shop.get(path, &token).await.expect(200).json();
        assert_eq!((whole["items"].as_array().unwrap().len(), &whole["next_cursor"]), (count, &Value::Null), "{path}");
        for limit in [1, 2, 5, 100] {
            assert_eq!(json!(walk(&shop, path, &token, limit).await), whole["items"], "{path} by {limit}");
        }
        for bad in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=x",
            "limit=",
            "limit=1.0",
            "cursor=",
            "cursor=x",
            "cursor=%00",
            "page=1",
        ] {
            let reply = shop.get(&format!("{path}?{bad}"), &token).await;
            assert_eq!((reply.status, reply.code().as_str()), (400, "validation_failed"), "{path}?{bad}");
        }
    }
}

#[actix_web::test]
async fn a_page_has_fifty_items_when_nobody_says() {
    let (shop, _) = Shop::open().await;
    let token = shop.join("alice").await;
    for _ in 0..51 {
        shop.charge(&token, 1).await.expect(201);
    }
    let page = shop.get("/api/v1/wallet/entries", &token).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 50);
    assert_eq!(walk(&shop, "/api/v1/wallet/entries", &token, 50).await.len(), 51);
}

/// Both bounds are inclusive, and a date is the one in the schedule's own offset.
#[actix_web::test]
async fn schedules_are_listed_by_their_own_dates() {
    let shop = Shop::new().await;
    let at = |time: &str| json!({"starts_at": time, "seats": [{"count": 1, "price": 1}]});
    // All three are on 2126-01-01 in UTC, an hour after each other.
    let schedules = [at("2126-01-02T05:00:00+09:00"), at("2126-01-01T21:00:00Z"), at("2126-01-01T12:00:00-10:00")];
    let body = json!({"title": "T", "schedules": schedules});
    let made = shop.post("/api/v1/admin/concerts", ADMIN, &body).await.expect(201).json();
    let token = shop.join("alice").await;
    let path = format!("/api/v1/concerts/{}/schedules", made["id"].as_str().unwrap());
    for (query, count) in [
        ("", 3),
        ("?from=2126-01-01&to=2126-01-01", 2),
        ("?from=2126-01-02&to=2126-01-02", 1),
        ("?from=2126-01-02", 1),
        ("?to=2126-01-01", 2),
        ("?to=2125-12-31", 0),
        ("?from=2126-01-02&to=2126-01-01", 0),
    ] {
        for path in [&*path, "/api/v1/schedules"] {
            let page = shop.get(&format!("{path}{query}"), &token).await.expect(200).json();
            assert_eq!(page["items"].as_array().unwrap().len(), count, "{path}{query}");
        }
    }
    let page = shop.get("/api/v1/schedules?from=2126-01-02", &token).await.json();
    assert_eq!(
        (&page["items"][0]["starts_at"], &page["items"][0]["date"]),
        (&json!("2126-01-02T05:00:00+09:00"), &json!("2126-01-02"))
    );
    assert_eq!(walk(&shop, "/api/v1/schedules?to=2126-01-01", &token, 1).await.len(), 2);
}
