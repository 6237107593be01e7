//! What an operator does with queues.

use serde_json::json;

use super::shop::{ADMIN, Shop, request, with_json};

#[actix_web::test]
async fn a_queue_is_made_before_anything_is_sold_through_it() {
    let shop = Shop::new().await;
    let body = json!({"name": "tonight", "max_active": 5, "paused": true});
    let made = shop.post("/api/v1/admin/queues", ADMIN, &body).await.expect(201);
    let path = "/api/v1/admin/queues/tonight";
    assert_eq!(made.header("location"), Some(path));
    let queue = made.json();
    assert_eq!((&queue["queue"], &queue["max_active"], &queue["paused"]), (&json!("tonight"), &json!(5), &json!(true)));
    assert_eq!((&queue["batch"], &queue["interval_seconds"]), (&json!(100_000), &json!(10)), "the server's own");
    assert_eq!(shop.get(path, ADMIN).await.expect(200).json(), queue);

    // Nobody is in before the operator wants it, however early they come.
    let early = shop.join_queue("early", "tonight").await;
    shop.concert("tonight", 3).await;
    let waits = shop.get("/api/v1/queue/tokens/me", &early).await.json();
    assert_eq!((&waits["status"], &waits["queue"]), (&json!("WAITING"), &json!("tonight")));
    let open = with_json(request("PATCH", path, ADMIN), r#"{"paused":false}"#);
    shop.send(open).await.expect(200);
    shop.app.tick().await;
    shop.app.refresh().await.unwrap();
    assert_eq!(shop.get("/api/v1/queue/tokens/me", &early).await.json()["status"], "ACTIVE");

    let again = shop.post("/api/v1/admin/queues", ADMIN, &body).await;
    assert_eq!((again.status, again.code().as_str()), (409, "queue_exists"));
    assert_eq!(shop.post("/api/v1/admin/queues", &early, &body).await.code(), "admin_key_invalid");
}

/// What is left out stays, and null takes away.
#[actix_web::test]
async fn an_opening_and_a_message_are_set_and_taken_away() {
    let shop = Shop::new().await;
    let path = "/api/v1/admin/queues/main";
    let patch = async |body: &str| {
        shop.send(with_json(request("PATCH", path, ADMIN), body.to_owned())).await.expect(200).json()
    };
    let message = json!({"ko": "15분 늦어집니다. \"기다려\" 주세요", "en": "15 minutes late. \\o/"});
    let told = patch(&json!({"opens_at": "2126-01-01T09:00:00+09:00", "message": message}).to_string()).await;
    assert_eq!((&told["opens_at"], &told["message"]), (&json!("2126-01-01T00:00:00Z"), &message));
    let told = patch(r#"{"batch":7}"#).await;
    assert_eq!((&told["opens_at"], &told["message"]), (&json!("2126-01-01T00:00:00Z"), &message));
    let told = patch(r#"{"message":null}"#).await;
    assert_eq!((&told["opens_at"], &told["message"]), (&json!("2126-01-01T00:00:00Z"), &json!(null)));
    let told = patch(r#"{"opens_at":null,"message":{"ko":"곧","en":"Soon"}}"#).await;
    assert_eq!((&told["opens_at"], &told["message"]), (&json!(null), &json!({"ko": "곧", "en": "Soon"})));
    assert_eq!(shop.get(path, ADMIN).await.json(), told);
    let made = json!({"name": "tonight", "opens_at": null, "message": null});
    let made = shop.post("/api/v1/admin/queues", ADMIN, &made).await.expect(201).json();
    assert_eq!((&made["opens_at"], &made["message"]), (&json!(null), &json!(null)));
}
