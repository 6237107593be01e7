//! R18: who may say "I am user X".

use e2e::{Answer, Settings, Shop, Storage, Visitor, on_each_storage};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

on_each_storage![
    joining_needs_the_shops_word_when_a_key_is_set,
    open_identity_stays_on_loopback_unless_it_is_meant,
    user_ids_keep_their_bounds,
    what_is_ones_own_is_read_without_a_token_r16,
];

const KEY: &str = "a secret that only the shop knows";
/// 2100 and 2001: no test runs beyond the one or before the other.
const LATER: u64 = 4_102_444_800;
const PAST: u64 = 978_307_200;

fn signed(algorithm: Algorithm, key: &str, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

async fn join(shop: &Shop, user: &str, identity: Option<&str>) -> Answer {
    let request = shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": user}));
    match identity {
        Some(identity) => request.bearer(identity).await,
        None => request.await,
    }
}

/// With `--user-key` a place is given only to whom the shop vouches for.
async fn joining_needs_the_shops_word_when_a_key_is_set(storage: Storage) {
    let shop = Settings::on(storage).with("--user-key", KEY).open().await;
    let ann = |exp: u64| json!({"sub": "ann", "exp": exp});
    let good = signed(Algorithm::HS256, KEY, &ann(LATER));
    let joined = join(&shop, "ann", Some(&good)).await.expect(201);
    let visitor = Visitor::new(&shop, &joined);
    assert_eq!(visitor.status().await, "ACTIVE", "from here on the token is enough");

    let (head, rest) = good.split_once('.').unwrap();
    let (body, seal) = rest.split_once('.').unwrap();
    let other_body = signed(Algorithm::HS256, "another secret, another secret", &json!({"sub": "ben", "exp": LATER}));
    let other_body = other_body.split('.').nth(1).unwrap();
    // {"alg":"none"}, base64url.
    let none = "eyJhbGciOiJub25lIn0";
    let bad = [
        String::new(),
        "nonsense".into(),
        "a.b.c".into(),
        signed(Algorithm::HS256, "another secret, another secret", &ann(LATER)),
        signed(Algorithm::HS384, KEY, &ann(LATER)),
        signed(Algorithm::HS512, KEY, &ann(LATER)),
        signed(Algorithm::HS256, KEY, &ann(PAST)),
        signed(Algorithm::HS256, KEY, &json!({"sub": "ann"})),
        signed(Algorithm::HS256, KEY, &json!({"exp": LATER})),
        signed(Algorithm::HS256, KEY, &json!({"sub": "ben", "exp": LATER})),
        signed(Algorithm::HS256, KEY, &json!({"sub": 7, "exp": LATER})),
        signed(Algorithm::HS256, KEY, &json!({"sub": "ann", "exp": "later"})),
        format!("{none}.{body}."),
        format!("{none}.{body}.{seal}"),
        format!("{head}.{body}."),
        format!("{head}.{other_body}.{seal}"),
        visitor.token.clone(),
    ];
    for identity in &bad {
        join(&shop, "ann", Some(identity)).await.refused(401, "identity_invalid");
    }
    join(&shop, "ann", None).await.refused(401, "identity_invalid");
    // R15's order: who calls comes before what is asked.
    join(&shop, "", None).await.refused(401, "identity_invalid");
    assert_eq!(shop.queue("main").await["issued"], 1);
}

/// Without a key anyone may name any user, as the requirements describe; then only loopback may be listened on.
async fn open_identity_stays_on_loopback_unless_it_is_meant(storage: Storage) {
    let open = Settings::on(storage).with("--listen", "0.0.0.0:0");
    let refused = open.refused().await;
    assert_ne!(refused.code, Some(0), "{refused:#?}");
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:#?}");
    assert!(refused.stderr.contains("--open-identity"), "it says what would be meant: {refused:#?}");
    open.clone().with_switch("--open-identity").open().await.join("ann").await;
    open.with("--user-key", KEY).open().await;
}

/// User ids are taken as they are, or refused (`docs/contract.md`, limits).
async fn user_ids_keep_their_bounds(storage: Storage) {
    let shop = Shop::open(storage).await;
    for good in ["a", "김 철수", "o'brien", "*", "😀", &"가".repeat(64)] {
        assert_eq!(shop.join(good).await.user, good);
    }
    for bad in ["", " a", "a ", "a\nb", "a\u{0}", "e\u{301}", &"a".repeat(65)] {
        join(&shop, bad, None).await.refused(400, "validation_failed");
    }
    for body in [
        json!({"user_id": 7}),
        json!({"user_id": null}),
        json!({}),
        json!([]),
        json!("ann"),
        json!({"user_id": "a", "x": 1}),
    ] {
        let answer = shop.api(Method::POST, "/queue/tokens").json(body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {answer}");
    }
    for queue in ["", "Main", "a b", "../main", &"q".repeat(33)] {
        let answer = shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": "a", "queue": queue})).await;
        assert!([400, 404].contains(&answer.status), "{queue}: {answer}");
    }
}

/// Long after the token is over, and only by whom it is.
async fn what_is_ones_own_is_read_without_a_token_r16(storage: Storage) {
    let shop = Settings::on(storage).with("--user-key", KEY).open().await;
    let sale = shop.concert(3, 30).await;
    let by = |user: &str| signed(Algorithm::HS256, KEY, &json!({"sub": user, "exp": LATER}));
    let ann = Visitor::new(&shop, &join(&shop, "ann", Some(&by("ann"))).await.expect(201));
    ann.charge(100).await.expect(201);
    let held = ann.held(&sale.schedule, &[2]).await;
    let paid = ann.pay(&held).await.expect(201);
    let own = async |path: &str, user: &str| shop.api(Method::GET, path).bearer(&by(user)).await.expect(200);
    assert_eq!(own("/me/reservations", "ann").await["items"][0]["id"], held);
    assert_eq!(own("/me/payments?queue=main", "ann").await["items"][0]["id"], paid["id"]);
    assert_eq!(own("/me/wallet", "ann").await, json!({"user_id": "ann", "balance": 70}));
    assert_eq!(own("/me/entries?limit=1", "ann").await["items"][0]["kind"], "PAYMENT");
    for path in ["/me/reservations", "/me/payments", "/me/entries"] {
        assert_eq!(own(path, "ben").await["items"], json!([]), "{path}");
    }
    assert_eq!(own("/me/wallet", "ben").await["balance"], 0);
}
