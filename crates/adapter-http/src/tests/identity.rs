//! R18: who may say "I am user X".

use std::time::Duration;

use domain::ports::Clock;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::shop::{Plan, Reply, Shop, request, with_json};
use crate::Settings;

const SECRET: &str = "a secret that the shop and we share";

/// What is read by who one is.
const OWN: [&str; 4] = ["/api/v1/me/reservations", "/api/v1/me/payments", "/api/v1/me/wallet", "/api/v1/me/entries"];

async fn vouched_shop() -> (Shop, i64) {
    let settings = Settings { user_key: Some(SECRET.to_owned()), ..Settings::default() };
    let shop = Shop::plan(Plan { settings, ..Plan::default() }).await;
    let now = shop.clock.now().micros() / 1_000_000;
    (shop, now)
}

fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

async fn join(shop: &Shop, jwt: &str) -> Reply {
    shop.post("/api/v1/queue/tokens", jwt, &json!({"user_id": "alice"})).await
}

#[actix_web::test]
async fn the_shop_vouches_for_its_people() {
    let (shop, now) = vouched_shop().await;
    let good = json!({"sub": "alice", "exp": now + 1});
    join(&shop, &signed(Algorithm::HS256, SECRET, &good)).await.expect(201);
    let audience = json!({"sub": "alice", "exp": now + 1, "aud": "usher", "nbf": now, "name": "Alice"});
    join(&shop, &signed(Algorithm::HS256, SECRET, &audience)).await.expect(200);
}

/// R16: without a token, and in open mode by nobody.
#[actix_web::test]
async fn whom_the_shop_vouches_for_reads_what_is_their_own() {
    let (shop, now) = vouched_shop().await;
    let by = |user: &str| signed(Algorithm::HS256, SECRET, &json!({"sub": user, "exp": now + 1}));
    let token = join(&shop, &by("alice")).await.expect(201).json()["token"].as_str().unwrap().to_owned();
    for path in OWN {
        let own = shop.get(path, &by("alice")).await.expect(200).json();
        if path.ends_with("wallet") {
            assert_eq!(own, json!({"user_id": "alice", "balance": 0}));
        } else {
            assert_eq!(own, json!({"items": [], "next_cursor": null}));
        }
        for nobody in ["", "x", &token] {
            let reply = shop.get(path, nobody).await;
            assert_eq!((reply.status, reply.code().as_str()), (401, "identity_invalid"), "{path} {nobody}");
        }
        let reply = shop.get(&format!("{path}?queue=Main"), &by("alice")).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "validation_failed"), "{path}");
    }
    let nowhere = shop.get("/api/v1/me/payments?queue=nowhere", &by("alice")).await;
    assert_eq!((nowhere.status, nowhere.code().as_str()), (404, "not_found"));
    let open = Shop::plan(Plan::default()).await;
    for path in OWN {
        assert_eq!(open.get(path, &by("alice")).await.status, 401, "{path}");
    }
}

/// RFC 7519, 2: a `NumericDate` may have a fraction; a token is over from its `exp` on, and none before its `nbf`.
#[actix_web::test]
async fn times_may_have_fractions() {
    let (shop, now) = vouched_shop().await;
    let timed = |exp: &str, nbf: &str| {
        let claims = format!(r#"{{"sub": "alice", "exp": {exp}, "nbf": {nbf}}}"#);
        signed(Algorithm::HS256, SECRET, &serde_json::from_str(&claims).unwrap())
    };
    let tokens = [
        timed(&format!("{now}.5"), "-1"),
        timed(&format!("{now}.25"), "-1.5"),
        timed(&format!("{}e0", now + 9), &format!("{now}.5")),
    ];
    let start = domain::Timestamp::from_micros(now * 1_000_000);
    for (micros, good) in [
        (0, [true, true, false]),
        (249_999, [true, true, false]),
        (250_000, [true, false, false]),
        (499_999, [true, false, false]),
        (500_000, [false, false, true]),
    ] {
        shop.clock.set(start.plus(Duration::from_micros(micros)));
        for (jwt, good) in tokens.iter().zip(good) {
            assert_eq!(join(&shop, jwt).await.status < 300, good, "{micros}: {jwt}");
        }
    }
}

#[actix_web::test]
async fn everybody_else_is_refused() {
    let (shop, now) = vouched_shop().await;
    let good = json!({"sub": "alice", "exp": now + 1});
    let valid = signed(Algorithm::HS256, SECRET, &good);
    let (head, tail) = valid.split_once('.').unwrap();
    let (claims, _) = tail.split_once('.').unwrap();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let cases = [
        signed(Algorithm::HS256, SECRET, &json!({"sub": "bob", "exp": now + 1})),
        signed(Algorithm::HS256, SECRET, &json!({"sub": "alice", "exp": now})),
        signed(Algorithm::HS256, SECRET, &json!({"sub": "alice", "exp": now + 9, "nbf": now + 1})),
        signed(Algorithm::HS256, SECRET, &json!({"sub": "alice"})),
        signed(Algorithm::HS256, SECRET, &json!({"exp": now + 1})),
        signed(Algorithm::HS256, SECRET, &json!({"sub": "alice", "exp": "never"})),
        signed(Algorithm::HS256, SECRET, &json!({"sub": "alice", "exp": -1})),
        signed(Algorithm::HS256, SECRET, &json!({"sub": ["alice"], "exp": now + 1})),
        signed(Algorithm::HS256, "another secret", &good),
        signed(Algorithm::HS384, SECRET, &good),
        signed(Algorithm::HS512, SECRET, &good),
        format!("{none}.{claims}."),
        format!("{head}.{claims}."),
        format!("{head}.{claims}"),
        "x.y.z".to_owned(),
        String::new(),
    ];
    for jwt in cases {
        let reply = join(&shop, &jwt).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "identity_invalid"), "{jwt}");
        assert!(reply.headers.contains_key("www-authenticate"));
    }
    for path in OWN {
        let reply =
            shop.get(path, &signed(Algorithm::HS256, SECRET, &json!({"sub": "e\u{301}", "exp": now + 1}))).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "identity_invalid"), "{path}: no user is called so");
    }
    // R15: 401 before 400.
    let garbage = with_json(request("POST", "/api/v1/queue/tokens", ""), "{");
    assert_eq!(shop.send(garbage).await.status, 401);
    let garbage = with_json(request("POST", "/api/v1/queue/tokens", &valid), "{");
    assert_eq!(shop.send(garbage).await.status, 400);
}
