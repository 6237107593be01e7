//! R15: the order of checks is 401, then 400, then replay, then the token's state, then the rule.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{Concert, Shop, request, with_json};

/// Until when a token that has ended may still ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Its end.
    TheEnd,
    /// A day after it (R16).
    ADayLater,
    /// For ever.
    Ever,
}

/// Every route that a token guards: method, path, a good body, and until when.
fn guarded(concert: &Concert, reservation: &str) -> Vec<(&'static str, String, Value, Until)> {
    use Until::{ADayLater, Ever, TheEnd};
    vec![
        ("GET", "/api/v1/queue/tokens/me".to_owned(), Value::Null, Ever),
        ("DELETE", "/api/v1/queue/tokens/me".to_owned(), Value::Null, Ever),
        ("GET", format!("/api/v1/concerts/{}/schedules", concert.id), Value::Null, TheEnd),
        ("GET", "/api/v1/schedules".to_owned(), Value::Null, TheEnd),
        ("GET", concert.path(), Value::Null, TheEnd),
        ("POST", "/api/v1/reservations".to_owned(), concert.seats(&[9]), TheEnd),
        ("GET", "/api/v1/reservations".to_owned(), Value::Null, ADayLater),
        ("GET", format!("/api/v1/reservations/{reservation}"), Value::Null, ADayLater),
        ("DELETE", format!("/api/v1/reservations/{reservation}"), Value::Null, TheEnd),
        ("GET", "/api/v1/wallet".to_owned(), Value::Null, ADayLater),
        ("POST", "/api/v1/wallet/charges".to_owned(), json!({"amount": 1}), TheEnd),
        ("GET", "/api/v1/wallet/entries".to_owned(), Value::Null, ADayLater),
        ("POST", "/api/v1/payments".to_owned(), json!({"reservation_id": reservation}), TheEnd),
        ("GET", "/api/v1/payments".to_owned(), Value::Null, ADayLater),
        ("GET", format!("/api/v1/payments/{reservation}"), Value::Null, ADayLater),
    ]
}

/// Q16: no route is without a guard, and a token that is none is refused before anything of the body is read.
#[actix_web::test]
async fn a_token_is_checked_before_anything_else() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let held = shop.held(&token, &concert, &[1]).await;
    let mut forged = token.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == '0' { '1' } else { '0' });
    let authorizations = [
        ("", "token_missing"),
        ("Basic YTpi", "token_missing"),
        (&*token, "token_missing"),
        ("Bearer", "token_missing"),
        ("Bearer ", "token_unknown"),
        ("Bearer *", "token_unknown"),
        (&*format!("Bearer {forged}"), "token_unknown"),
        (&*format!("Bearer {}", token.to_uppercase()), "token_unknown"),
        (&*format!("Bearer {token}, Bearer {token}"), "token_unknown"),
        (&*format!("Bearer {}", "x".repeat(5000)), "token_unknown"),
    ];
    for (method, path, body, _) in guarded(&concert, &held) {
        for (authorization, code) in authorizations {
            for body in [body.to_string(), "{".to_owned()] {
                let request = with_json(request(method, &path, ""), body);
                let request = match authorization {
                    "" => request,
                    text => request.insert_header(("Authorization", text)),
                };
                let reply = shop.send(request.insert_header(("Idempotency-Key", "a b"))).await;
                assert_eq!((reply.status, &*reply.code()), (401, code), "{method} {path} {authorization:.60}");
            }
        }
        let twice = request(method, &path, &token).append_header(("Authorization", format!("Bearer {token}")));
        assert_eq!(shop.send(twice).await.status, 401, "{method} {path}");
        // Bad parameters are told to whoever has a token, in whatever state it is.
        let reply = shop.send(with_json(request(method, &format!("{path}?x=1"), &token), body.to_string())).await;
        assert_eq!((reply.status, &*reply.code()), (400, "validation_failed"), "{method} {path}");
    }
    shop.get("/api/v1/queue/tokens/me", &format!(" {token}")).await.expect(200);
}

#[actix_web::test]
async fn a_body_is_checked_before_the_tokens_state_and_a_state_before_the_rule() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let held = shop.held(&token, &concert, &[1]).await;
    let micros = Duration::from_micros;
    // To the end, to the last microsecond in which receipts are read, and to the one after it.
    for (later, refused) in [
        (micros(600_000_000), vec![Until::TheEnd]),
        (micros(86_400_000_000 - 1), vec![Until::TheEnd]),
        (micros(1), vec![Until::TheEnd, Until::ADayLater]),
    ] {
        shop.clock.advance(later);
        for (method, path, body, until) in guarded(&concert, &held) {
            if body != Value::Null {
                let reply = shop.send(with_json(request(method, &path, &token), r#"{"x":1}"#)).await;
                assert_eq!((reply.status, &*reply.code()), (400, "validation_failed"), "{method} {path}");
            }
            let bad_query = with_json(request(method, &format!("{path}?x=1"), &token), body.to_string());
            assert_eq!(shop.send(bad_query).await.status, 400, "{method} {path}");
            let reply = shop.send(with_json(request(method, &path, &token), body.to_string())).await;
            if refused.contains(&until) {
                assert_eq!((reply.status, &*reply.code()), (403, "token_not_active"), "{method} {path}");
                assert_eq!(reply.json()["token_status"], "EXPIRED");
            } else {
                assert!(reply.status < 300 || reply.status == 404, "{method} {path} {}", reply.status);
            }
        }
    }
}

/// R6: a seat list is told to the holders of ACTIVE tokens only, however fresh the shared answer is.
#[actix_web::test]
async fn the_shared_answer_is_shared_among_those_who_may() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    shop.get(&concert.path(), &token).await.expect(200);
    shop.call("DELETE", "/api/v1/queue/tokens/me", &token).await.expect(204);
    assert_eq!(shop.get(&concert.path(), &token).await.code(), "token_not_active");
    assert_eq!(shop.get("/api/v1/schedules", &token).await.code(), "token_not_active");
}
