//! Every error of the contract: its status, its document in both languages, what it carries and its headers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix_web::test::TestRequest;
use domain::Policy;
use domain::ports::{Clock, StoreError};
use serde_json::{Value, json};

use super::shop::{ADMIN, Answers, Concert, Plan, Reply, Shop, open_rules, request, with_json};
use crate::Settings;
use crate::answer::error_codes::{Code, Language};

/// The contract, whose table of errors is the code's.
const CONTRACT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contract.md"));

/// The words that the requirements have for some of the codes.
const WORDS: [(Code, &str); 7] = [
    (Code::InsufficientBalance, "포인트부족"),
    (Code::TokenNotActive, "이용불가능한 토큰"),
    (Code::UserMismatch, "사용자 불일치"),
    (Code::SeatTaken, "이미 선택된 좌석입니다"),
    (Code::AlreadyPaid, "이미 결제 완료"),
    (Code::ReservationCancelled, "결제불가능"),
    (Code::ReservationExpired, "결제불가능"),
];

#[test]
fn the_table_is_the_contract() {
    let (_, section) = CONTRACT.split_once("\n## Errors\n").unwrap();
    let rows = section.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| "));
    let contract: Vec<_> = rows.skip(1).map(|row| row.split(" | ").take(2).collect::<Vec<_>>().join(" ")).collect();
    let table = Code::ALL.iter().map(|code| format!("| {} `{}`", code.status().as_u16(), code.as_str()));
    assert_eq!(table.collect::<Vec<_>>(), contract);
    for code in Code::ALL {
        let korean = code.title(Language::Korean);
        let words = WORDS.iter().find(|(of, _)| of == code).map(|(_, words)| *words);
        assert!(words.is_none_or(|words| korean == words), "{korean}");
        for text in [korean, code.detail(Language::Korean)] {
            assert!(text.chars().any(|c| ('가'..='힣').contains(&c)), "{text}");
        }
        assert!(code.title(Language::English).is_ascii() && code.detail(Language::English).is_ascii());
    }
}

/// Sees one refusal: the document in both languages and its headers. Gives what it carries beside the usual members.
async fn refusal(shop: &Shop, code: Code, ask: impl AsyncFn(&str) -> Reply) -> Value {
    let mut carried = Value::Null;
    for (asked, language, tag) in [("", Language::English, "en"), ("ko-KR, en;q=0.5", Language::Korean, "ko")] {
        let reply = ask(asked).await;
        assert_eq!(reply.code(), code.as_str(), "{:?}", reply.json());
        assert_eq!(reply.status, code.status().as_u16());
        assert_eq!(reply.header("content-language"), Some(tag));
        assert!(reply.headers.get_all("vary").any(|vary| vary == "Accept-Language"));
        assert_eq!(reply.header("www-authenticate").is_some(), reply.status == 401, "{}", code.as_str());
        assert_eq!(reply.header("retry-after").is_some(), reply.status == 503, "{}", code.as_str());
        let mut problem = reply.json();
        let members = problem.as_object_mut().unwrap();
        let mut take = |name: &str| members.remove(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(take("type"), format!("urn:usher:problem:{}", code.as_str()));
        assert_eq!(take("title"), code.title(language));
        let detail = take("detail").as_str().unwrap().to_owned();
        let hangul = detail.chars().any(|c| ('가'..='힣').contains(&c));
        assert_eq!(hangul, language == Language::Korean, "{detail}");
        assert!(!detail.contains('_'), "a person reads it, who knows no field: {detail}");
        let id = reply.header("x-request-id").unwrap();
        assert_eq!(take("instance"), format!("urn:usher:request:{id}"));
        take("status");
        take("code");
        carried = problem;
    }
    assert!(shop.get("/healthz", "").await.status == 200);
    carried
}

/// What to send, in whichever language.
fn ask(method: &str, path: &str, bearer: &str, body: &Value) -> impl Fn(&str) -> TestRequest + use<> {
    let (method, path, bearer, body) = (method.to_owned(), path.to_owned(), bearer.to_owned(), body.to_string());
    move |language| {
        let request = request(&method, &path, &bearer).insert_header(("Accept-Language", language));
        if body == "null" { request } else { with_json(request, body.clone()) }
    }
}

async fn sees(shop: &Shop, code: Code, request: impl Fn(&str) -> TestRequest) -> Value {
    refusal(shop, code, async |language| shop.send(request(language)).await).await
}

fn hold(token: &str, concert: &Concert, numbers: &[u32]) -> impl Fn(&str) -> TestRequest + use<> {
    ask("POST", "/api/v1/reservations", token, &concert.seats(numbers))
}

fn pay(token: &str, reservation: &str) -> impl Fn(&str) -> TestRequest + use<> {
    ask("POST", "/api/v1/payments", token, &json!({"reservation_id": reservation}))
}

#[actix_web::test]
async fn refusals_of_the_sale() {
    let (shop, concert) = Shop::open().await;
    let (alice, bob) = (shop.join("alice").await, shop.join("bob").await);
    let held = shop.held(&alice, &concert, &[1, 2]).await;

    let taken = sees(&shop, Code::SeatTaken, hold(&bob, &concert, &[3, 2, 1])).await;
    assert_eq!(taken, json!({"seat_numbers": [1, 2], "own_seat_numbers": []}));
    let limit = sees(&shop, Code::SeatLimit, hold(&bob, &concert, &[3, 4, 5, 6, 7])).await;
    assert_eq!(limit, json!({"max_seats": 4}));
    let few = shop.limited_concert("main", 9, Some(3), None).await;
    shop.held(&bob, &few, &[1]).await;
    let limit = sees(&shop, Code::PurchaseLimit, hold(&bob, &few, &[2, 3, 4])).await;
    assert_eq!(limit, json!({"max_per_user": 3, "owned": 1}));
    let poor = sees(&shop, Code::InsufficientBalance, pay(&alice, &held)).await;
    assert_eq!(poor, json!({"balance": 0, "amount": 2000}));
    shop.charge(&bob, 5000).await.expect(201);
    // W5, Q14: another's reservation is paid by nobody else.
    assert_eq!(sees(&shop, Code::UserMismatch, pay(&bob, &held)).await, json!({}));
    let wrong = json!({"reservation_id": held, "amount": 1});
    sees(&shop, Code::AmountMismatch, ask("POST", "/api/v1/payments", &alice, &wrong)).await;
    sees(&shop, Code::NotFound, pay(&alice, &concert.id)).await;
    let missing = sees(&shop, Code::NotFound, hold(&alice, &concert, &[52, 3, 51])).await;
    assert_eq!(missing, json!({"seat_numbers": [51, 52]}));
    sees(&shop, Code::NotFound, ask("GET", &format!("/api/v1/reservations/{held}"), &bob, &Value::Null)).await;

    shop.call("DELETE", &format!("/api/v1/reservations/{held}"), &alice).await.expect(204);
    sees(&shop, Code::ReservationCancelled, pay(&alice, &held)).await;
    let late = shop.held(&alice, &concert, &[1]).await;
    shop.clock.advance(Duration::from_secs(300));
    sees(&shop, Code::ReservationExpired, pay(&alice, &late)).await;

    shop.charge(&alice, 2000).await.expect(201);
    let bought = shop.held(&alice, &concert, &[1]).await;
    shop.pay(&alice, &bought).await.expect(201);
    sees(&shop, Code::AlreadyPaid, pay(&alice, &bought)).await;
    let over = sees(&shop, Code::TokenNotActive, hold(&alice, &concert, &[5])).await;
    assert_eq!(over, json!({"token_status": "EXPIRED"}));
    let cancel = |token: &str| ask("DELETE", &format!("/api/v1/reservations/{bought}"), token, &Value::Null);
    let over = sees(&shop, Code::TokenNotActive, cancel(&alice)).await;
    assert_eq!(over, json!({"token_status": "EXPIRED"}));
    sees(&shop, Code::AlreadyPaid, cancel(&shop.join("alice").await)).await;

    // R14: bob pays one of two, and may hold nothing more.
    let (one, _other) = (shop.held(&bob, &concert, &[8]).await, shop.held(&bob, &concert, &[9]).await);
    shop.pay(&bob, &one).await.expect(201);
    let closed = sees(&shop, Code::SelectionClosed, hold(&bob, &concert, &[10])).await;
    assert_eq!(closed, json!({"selection_ends_at": shop.clock.now().to_string()}));
}

/// What a problem says in one language.
async fn said(shop: &Shop, language: &str, request: impl Fn(&str) -> TestRequest) -> String {
    shop.send(request(language)).await.json()["detail"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn not_found_says_what_was_not_found() {
    type Asking = Box<dyn Fn(&str) -> TestRequest>;
    let (shop, concert) = Shop::open().await;
    let alice = shop.join("alice").await;
    let id = "01890000-0000-7000-8000-000000000000";
    let asks = |method: &str, path: &str, bearer: &str, body: &Value| -> Asking {
        Box::new(ask(method, &format!("/api/v1{path}"), bearer, body))
    };
    let get = |path: &str| asks("GET", path, &alice, &Value::Null);
    let hold = |body: &Value| asks("POST", "/reservations", &alice, body);
    let seats = json!([{"count": 1, "price": 1}]);
    let stray =
        json!({"title": "T", "queue": "mian", "schedules": [{"starts_at": "2126-01-01T00:00:00Z", "seats": seats}]});
    let asked: [(&str, &str, Asking); 15] = [
        ("path", "경로", get("/nothing")),
        ("queue", "대기열", asks("POST", "/queue/tokens", "", &json!({"user_id": "a", "queue": "mian"}))),
        ("queue", "대기열", asks("GET", "/admin/queues/mian", ADMIN, &Value::Null)),
        ("queue", "대기열", asks("GET", "/admin/queues/No*Name", ADMIN, &Value::Null)),
        ("queue", "대기열", asks("POST", "/admin/concerts", ADMIN, &stray)),
        ("concert", "공연", get(&format!("/concerts/{id}/schedules"))),
        ("concert", "공연", get("/concerts/x/schedules")),
        ("schedule", "회차", get(&format!("/schedules/{id}/seats"))),
        ("schedule", "회차", hold(&json!({"schedule_id": id, "seat_numbers": [1]}))),
        ("seats of these numbers: 51, 60.", "좌석이 없습니다: 51, 60.", hold(&concert.seats(&[60, 1, 51]))),
        ("seat ", "좌석", hold(&json!({"seat_ids": [id]}))),
        ("reservation", "예약", get(&format!("/reservations/{id}"))),
        ("reservation", "예약", asks("DELETE", &format!("/reservations/{id}"), &alice, &Value::Null)),
        ("reservation", "예약", asks("POST", "/payments", &alice, &json!({"reservation_id": id}))),
        ("payment", "결제", get(&format!("/payments/{id}"))),
    ];
    for (english, korean, request) in asked {
        sees(&shop, Code::NotFound, &request).await;
        let (in_english, in_korean) = (said(&shop, "en", &request).await, said(&shop, "ko", &request).await);
        assert!(in_english.contains(english), "{english}: {in_english}");
        assert!(in_korean.contains(korean), "{korean}: {in_korean}");
    }
}

/// What one has oneself is not said to be another's.
#[actix_web::test]
async fn seats_of_ones_own_are_told_from_others() {
    let (shop, concert) = Shop::open().await;
    let (alice, bob) = (shop.join("alice").await, shop.join("bob").await);
    shop.charge(&alice, 1000).await.expect(201);
    let bought = shop.held(&alice, &concert, &[1]).await;
    shop.pay(&alice, &bought).await.expect(201);
    let alice = shop.join("alice").await;
    shop.held(&alice, &concert, &[2]).await;
    shop.held(&bob, &concert, &[3]).await;
    for (numbers, own, english, korean) in [
        (&[1, 2][..], &[1, 2][..], "You have these seats already", "본인이 선택했거나 구매한"),
        (&[1, 3][..], &[1][..], "some are yours", "본인의 좌석"),
        (&[3][..], &[][..], "held or sold", "이미 선택되었거나 판매된"),
    ] {
        let carried = sees(&shop, Code::SeatTaken, hold(&alice, &concert, numbers)).await;
        assert_eq!(carried, json!({"seat_numbers": numbers, "own_seat_numbers": own}));
        let (in_english, in_korean) = (
            said(&shop, "en", hold(&alice, &concert, numbers)).await,
            said(&shop, "ko", hold(&alice, &concert, numbers)).await,
        );
        assert!(in_english.contains(english) && in_korean.contains(korean), "{in_english} {in_korean}");
        assert!(!in_korean.contains("다른 사용자"), "{in_korean}");
    }
}

#[actix_web::test]
async fn refusals_at_the_door() {
    let rules = domain::Rules { new_queue: Policy { max_active: 1, ..Policy::default() }, ..open_rules() };
    let shop = Shop::plan(Plan { rules, ..Plan::default() }).await;
    shop.make_queue("other").await;
    let (concert, other) = (shop.concert("main", 1).await, shop.concert("other", 1).await);
    let (first, second) = (shop.join("first").await, shop.join("second").await);
    let waiting = sees(&shop, Code::TokenNotActive, hold(&second, &concert, &[1])).await;
    assert_eq!(waiting, json!({"token_status": "WAITING"}));
    sees(&shop, Code::TokenMissing, hold("", &concert, &[1])).await;
    sees(&shop, Code::TokenUnknown, hold("*", &concert, &[1])).await;
    sees(&shop, Code::AdminKeyInvalid, ask("GET", "/api/v1/admin/queues/main", "guess", &Value::Null)).await;
    sees(&shop, Code::AdminKeyInvalid, ask("GET", "/api/v1/admin/queues/main", &first, &Value::Null)).await;
    // R6: a token sees its own queue only.
    sees(&shop, Code::WrongQueue, hold(&first, &other, &[1])).await;
    sees(&shop, Code::WrongQueue, ask("GET", &other.path(), &first, &Value::Null)).await;
    let schedules = format!("/api/v1/concerts/{}/schedules", other.id);
    sees(&shop, Code::WrongQueue, ask("GET", &schedules, &first, &Value::Null)).await;
    // R11: what has started is not sold.
    shop.call("DELETE", "/api/v1/queue/tokens/me", &second).await.expect(204);
    shop.clock.advance(Duration::from_secs(30 * 86_400));
    shop.app.tick().await;
    let late = shop.join("late").await;
    sees(&shop, Code::SaleClosed, hold(&late, &concert, &[1])).await;
}

#[actix_web::test]
async fn refusals_of_requests() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let charges = "/api/v1/wallet/charges";
    let invalid = sees(&shop, Code::ValidationFailed, ask("POST", charges, &token, &json!({"amount": 0}))).await;
    assert_eq!(invalid["errors"][0]["field"], "amount");
    let raw = |body: &'static str, kind: &'static str| {
        let token = token.clone();
        move |language: &str| {
            let request = request("POST", charges, &token).insert_header(("Accept-Language", language));
            request.insert_header(("Content-Type", kind)).set_payload(body)
        }
    };
    sees(&shop, Code::MalformedRequest, raw("{", "application/json")).await;
    sees(&shop, Code::UnsupportedMediaType, raw("{}", "text/plain")).await;
    let long: &'static str = Box::leak(" ".repeat(70_000).into_boxed_str());
    sees(&shop, Code::PayloadTooLarge, raw(long, "application/json")).await;
    sees(&shop, Code::QueueExists, ask("POST", "/api/v1/admin/queues", ADMIN, &json!({"name": "main"}))).await;
    sees(&shop, Code::MethodNotAllowed, ask("PUT", charges, &token, &Value::Null)).await;
    shop.post_keyed("/api/v1/reservations", &token, "k", &concert.seats(&[1])).await.expect(201);
    let reused = hold(&token, &concert, &[2]);
    sees(&shop, Code::IdempotencyKeyReused, move |l| reused(l).insert_header(("Idempotency-Key", "k"))).await;
}

#[actix_web::test]
async fn refusals_for_reasons_of_our_own() {
    let inconsistent = StoreError::Inconsistent { table: "seats", column: "price", detail: "secret".to_owned() };
    for (error, code) in [
        (StoreError::Overloaded, Code::Overloaded),
        (StoreError::Unavailable("secret".to_owned()), Code::Unavailable),
        (StoreError::Full, Code::Unavailable),
        (inconsistent, Code::Internal),
    ] {
        let shop = Shop::plan(Plan { probe: Some(Arc::new(Answers(Some(Err(error))))), ..Plan::default() }).await;
        assert_eq!(sees(&shop, code, ask("GET", "/readyz", "", &Value::Null)).await, json!({}));
        assert!(!String::from_utf8_lossy(&shop.get("/readyz", "").await.body).contains("secret"));
    }
    let settings = Settings { user_key: Some("the shop's secret".to_owned()), ..Settings::default() };
    let shop = Shop::plan(Plan { settings, ..Plan::default() }).await;
    let join = ask("POST", "/api/v1/queue/tokens", "", &json!({"user_id": "a"}));
    sees(&shop, Code::IdentityInvalid, join).await;
}

#[actix_web::test]
async fn admin_routes_answer_nobody_while_there_is_no_key() {
    for admin_key in [None, Some(String::new())] {
        let settings = Settings { admin_key, ..Settings::default() };
        let shop = Shop::plan(Plan { settings, ..Plan::default() }).await;
        for key in ["", " ", ADMIN] {
            let reply = shop.get("/api/v1/admin/queues/main", key).await;
            assert_eq!((reply.status, reply.code().as_str()), (401, "admin_key_invalid"), "{key:?}");
        }
        let empty = request("GET", "/api/v1/admin/queues/main", "").insert_header(("Authorization", "Bearer "));
        assert_eq!(shop.send(empty).await.status, 401);
    }
}

/// The requirements have one Korean title, 결제불가능, for whatever cannot be paid any more; what it is is told in the sentence.
#[test]
fn no_two_codes_share_a_text() {
    for (language, shared) in [(Language::English, 0), (Language::Korean, 1)] {
        let titles: BTreeSet<_> = Code::ALL.iter().map(|code| code.title(language)).collect();
        let details: BTreeSet<_> = Code::ALL.iter().map(|code| code.detail(language)).collect();
        assert_eq!((titles.len(), details.len()), (Code::ALL.len() - shared, Code::ALL.len()));
    }
}
