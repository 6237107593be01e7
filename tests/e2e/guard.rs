//! Q14, Q15, Q16: every guarded route with every kind of bad token.

use e2e::{Request, Sale, Settings, Shop, Storage, Visitor, on_each_storage, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

on_each_storage![
    every_route_refuses_what_is_no_token,
    a_flipped_bit_anywhere_is_no_token,
    guarded_routes_refuse_tokens_that_are_not_active,
    a_token_of_another_queue_reaches_nothing_here,
    admin_routes_ask_for_the_admin_key,
];

/// Somebody's id of something that is not there.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// A route that asks for a token, with a body that is right.
struct Route {
    method: Method,
    path: String,
    body: Option<Value>,
    /// The states in which a token is refused (R6, R16, R17).
    refused: &'static [&'static str],
}

impl Route {
    fn with(&self, shop: &Shop) -> Request {
        let request = shop.api(self.method.clone(), &self.path);
        match &self.body {
            Some(body) => request.json(body.clone()),
            None => request,
        }
    }
}

fn routes(sale: &Sale, reservation: &str) -> Vec<Route> {
    let route = |method: &Method, path: String, body: Option<Value>, refused| Route {
        method: method.clone(),
        path,
        body,
        refused,
    };
    // Who may: the ACTIVE; the ACTIVE and who has been; the living; everybody whose token has not ended long ago.
    let (active, entered, living, anybody) = (&["WAITING", "EXPIRED"][..], &["WAITING"][..], &["EXPIRED"][..], &[][..]);
    let (get, post, delete) = (&Method::GET, &Method::POST, &Method::DELETE);
    let hold = json!({"schedule_id": sale.schedule, "seat_numbers": [2]});
    vec![
        route(get, format!("/concerts/{}/schedules", sale.concert), None, active),
        route(get, "/schedules".into(), None, active),
        route(get, format!("/schedules/{}/seats", sale.schedule), None, active),
        route(post, "/reservations".into(), Some(hold), active),
        route(get, "/wallet".into(), None, entered),
        route(post, "/wallet/charges".into(), Some(json!({"amount": 5})), active),
        route(get, "/wallet/entries".into(), None, entered),
        route(post, "/payments".into(), Some(json!({"reservation_id": reservation})), active),
        route(get, "/reservations".into(), None, anybody),
        route(get, format!("/reservations/{reservation}"), None, anybody),
        route(get, "/payments".into(), None, anybody),
        route(get, format!("/payments/{NOBODY}"), None, anybody),
        route(get, "/queue/tokens/me".into(), None, anybody),
        route(delete, format!("/reservations/{reservation}"), None, living),
        route(delete, "/queue/tokens/me".into(), None, anybody),
    ]
}

/// Missing, malformed, forged by one bit and of another server: 401 on every route, and nothing has happened.
async fn every_route_refuses_what_is_no_token(storage: Storage) {
    let (shop, stranger) = (Shop::open(storage).await, Shop::open(storage).await);
    let sale = shop.concert(3, 10).await;
    let ann = shop.join("ann").await;
    let reservation = ann.held(&sale.schedule, &[1]).await;
    let foreign = stranger.join("ann").await;
    let before = shop.database().dump();
    let forged = Uuid::from_u128(Uuid::parse_str(&ann.token).unwrap().as_u128() ^ 1).to_string();
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let credentials = [
        (None, "token_missing"),
        (bearer("nonsense"), "token_unknown"),
        (bearer("*"), "token_unknown"),
        (bearer(&ann.token.to_uppercase()), "token_unknown"),
        (bearer(&ann.token.replace('-', "")), "token_unknown"),
        (bearer(&format!("{0} {0}", ann.token)), "token_unknown"),
        (bearer(&"a".repeat(4_000)), "token_unknown"),
        (bearer(&forged), "token_unknown"),
        (bearer(&foreign.token), "token_unknown"),
        (bearer(e2e::ADMIN_KEY), "token_unknown"),
    ];
    for route in routes(&sale, &reservation) {
        for (credential, code) in &credentials {
            let mut request = route.with(&shop);
            if let Some(credential) = credential {
                request = request.header("Authorization", credential);
            }
            request.await.refused(401, code);
        }
        // Another scheme is no token, whatever it says.
        let basic = route.with(&shop).header("Authorization", format!("Basic {}", ann.token)).await;
        assert_eq!(basic.status, 401, "{basic}");
    }
    assert_eq!(shop.database().dump(), before, "a refused request has changed something");
}

/// Q13: whichever bit is flipped, it is no token of ours.
async fn a_flipped_bit_anywhere_is_no_token(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    shop.join("ben").await;
    let bits = Uuid::parse_str(&ann.token).unwrap().as_u128();
    join_all((0..128).map(async |bit| {
        let forged = ann.with_token(&Uuid::from_u128(bits ^ (1 << bit)).to_string());
        forged.get("/queue/tokens/me").await.refused(401, "token_unknown");
    }))
    .await;
}

/// WAITING, and EXPIRED by each of the three ends: 403 where another state is asked for, and the state is told.
async fn guarded_routes_refuse_tokens_that_are_not_active(storage: Storage) {
    let shop = Settings::line(storage, 2, 2, 1).with("--active-seconds", 600).open().await;
    let sale = shop.concert(4, 0).await;
    let (paid, left) = (shop.join("paid").await, shop.join("left").await);
    let waiting = shop.join("waiting").await;
    shop.policy("main", json!({"paused": true})).await;
    let reservation = paid.held(&sale.schedule, &[1]).await;
    paid.pay(&reservation).await.expect(201);
    left.leave().await.expect(204);
    for (visitor, status) in [(&waiting, "WAITING"), (&paid, "EXPIRED"), (&left, "EXPIRED")] {
        is_refused_where_it_should(&shop, &sale, visitor, status).await;
    }
    assert_eq!(shop.join("waiting").await.token, waiting.token, "a refusal does not cost the place");

    let shop = Settings::on(storage).with("--active-seconds", 1).open().await;
    let sale = shop.concert(4, 0).await;
    let silent = shop.join("silent").await;
    // Once it is written; until then a refused request may write what time has brought.
    let written = "SELECT status AS text FROM tokens";
    until("the end of ACTIVE", async || (shop.database().text(written) == "EXPIRED").then_some(())).await;
    is_refused_where_it_should(&shop, &sale, &silent, "EXPIRED").await;
}

async fn is_refused_where_it_should(shop: &Shop, sale: &Sale, visitor: &Visitor, status: &str) {
    let before = shop.database().dump();
    for route in routes(sale, NOBODY) {
        // Whoever waits may leave, but then they wait no longer.
        if status == "WAITING" && route.method == Method::DELETE && route.path == "/queue/tokens/me" {
            continue;
        }
        let answer = route.with(shop).bearer(&visitor.token).await;
        if route.refused.contains(&status) {
            assert_eq!(answer.refused(403, "token_not_active")["token_status"], status, "{answer}");
        } else {
            assert!([200, 204, 404].contains(&answer.status), "{answer}");
        }
    }
    assert_eq!(shop.database().dump(), before, "a refused request has changed something");
}

/// A token of another queue sees nothing of this queue's sale, and changes nothing in it.
async fn a_token_of_another_queue_reaches_nothing_here(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(3, 10).await;
    shop.make_queue(json!({"name": "other"})).await;
    let other = shop.concert_in("other", "2099-01-01T00:00:00Z", 1, 10).await;
    let ann = shop.join("ann").await;
    let reservation = ann.held(&sale.schedule, &[1]).await;
    let seat = ann.seats(&sale.schedule).await[1]["id"].clone();
    // The same user, in the other queue.
    let there = shop.join_queue("ann", "other").await;
    there.charge(100).await.expect(201);
    let before = shop.database().dump();

    there.get(&format!("/concerts/{}/schedules", sale.concert)).await.refused(403, "wrong_queue");
    there.get(&format!("/schedules/{}/seats", sale.schedule)).await.refused(403, "wrong_queue");
    there.hold(&sale.schedule, &[2]).await.refused(403, "wrong_queue");
    there.post("/reservations", json!({"seat_ids": [seat]})).await.refused(404, "not_found");
    there.pay(&reservation).await.refused(404, "not_found");
    there.reservation(&reservation).await.refused(404, "not_found");
    there.cancel(&reservation).await.refused(404, "not_found");
    let listed = there.get("/schedules").await.expect(200);
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["id"]), (1, &json!(other.schedule)));
    assert_eq!(there.list("/reservations").await, Vec::<Value>::new());
    assert_eq!(shop.database().dump(), before);

    // R17: leaving the other queue gives back nothing here.
    there.leave().await.expect(204);
    assert_eq!(ann.reservation(&reservation).await.expect(200)["status"], "PENDING");
    shop.audit().await;
}

/// The admin's routes ask for the admin's key, and for nothing else.
async fn admin_routes_ask_for_the_admin_key(storage: Storage) {
    let concert = json!({"title": "t", "schedules": [{"starts_at": "2099-01-01T00:00:00Z", "seats": [{"count": 1, "price": 1}]}]});
    let shop = Shop::open(storage).await;
    let closed = Settings::on(storage).without("--admin-key").open().await;
    let ann = shop.join("ann").await;
    let key = e2e::ADMIN_KEY;
    let wrong = [
        "",
        "x",
        &ann.token,
        key.trim_start_matches('t'),
        key.trim_end_matches('s'),
        &format!("{key}x"),
        &key.to_uppercase(),
    ];
    for (method, path, body) in [
        (Method::POST, "/admin/concerts", Some(&concert)),
        (Method::POST, "/admin/queues", Some(&json!({"name": "new"}))),
        (Method::GET, "/admin/queues/main", None),
        (Method::PATCH, "/admin/queues/main", Some(&json!({"paused": true}))),
    ] {
        let request = |shop: &Shop| {
            let request = shop.api(method.clone(), path);
            body.map_or_else(|| shop.api(method.clone(), path), |body| request.json(body.clone()))
        };
        request(&shop).await.refused(401, "admin_key_invalid");
        for bad in wrong {
            request(&shop).bearer(bad).await.refused(401, "admin_key_invalid");
        }
        // Until a key is set nobody is the admin: not even who sends an empty one.
        for bad in ["", "x", key] {
            request(&closed).bearer(bad).await.refused(401, "admin_key_invalid");
        }
    }
    assert_eq!(shop.queue("main").await["paused"], false);
}
