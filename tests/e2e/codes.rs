//! Every code of the table in `docs/contract.md`, for real: status, code, type, title and detail, in English and in Korean.

use std::collections::BTreeSet;

use e2e::{Answer, Request, Settings, Shop, Storage, on_each_storage};
use reqwest::Method;
use serde_json::json;

use crate::contract::errors;

on_each_storage![every_code_once_in_both_languages,];

/// The words that the requirements have for some of the codes.
const WORDS: [(&str, &str); 6] = [
    ("insufficient_balance", "포인트부족"),
    ("token_not_active", "이용불가능한 토큰"),
    ("user_mismatch", "사용자 불일치"),
    ("seat_taken", "이미 선택된 좌석입니다"),
    ("already_paid", "이미 결제 완료"),
    ("reservation_cancelled", "결제불가능"),
];

/// What every problem document has.
const MEMBERS: [&str; 6] = ["code", "detail", "instance", "status", "title", "type"];

/// What only a broken store brings about; see `broken`.
const STORE: [&str; 3] = ["internal", "overloaded", "unavailable"];

/// The codes that were seen, each checked in both languages.
#[derive(Default)]
struct Seen(BTreeSet<&'static str>);

impl Seen {
    /// Provokes a code in English and in Korean.
    async fn see(&mut self, code: &'static str, request: impl Fn() -> Request) {
        let english = request().header("Accept-Language", "en-GB,en;q=0.9").await;
        let korean = request().header("Accept-Language", "ko-KR,ko;q=0.9,en;q=0.8").await;
        speaks(code, &english, &korean);
        let unsaid = request().await;
        assert_eq!(unsaid.json()["title"], english.json()["title"], "English unless asked otherwise");
        self.0.insert(code);
    }
}

/// The same refusal twice, in each reader's language.
pub(crate) fn speaks(code: &str, english: &Answer, korean: &Answer) {
    let expected = errors().into_iter().find(|error| error.code == code).expect("a code of the contract");
    let (english, korean) = (english.refused(expected.status, code), korean.refused(expected.status, code));
    let members = english.as_object().unwrap().keys().filter(|name| !MEMBERS.contains(&name.as_str()));
    let carried: BTreeSet<String> = members.cloned().collect();
    let is_expected = carried == expected.carries || carried.is_empty() && !expected.carries_always;
    assert!(is_expected, "{code} carries {carried:?}");
    assert_eq!(english["type"], korean["type"], "a type is for programs");
    for field in ["title", "detail"] {
        let (english, korean) = (english[field].as_str().unwrap(), korean[field].as_str().unwrap());
        assert!(!english.contains(is_hangul) && english.contains(|c: char| c.is_ascii_alphabetic()), "{english}");
        assert!(korean.contains(is_hangul), "{code} {field}: {korean}");
    }
    let words = WORDS.iter().find(|(of, _)| *of == code).map_or("", |(_, words)| words);
    assert!(korean["title"].as_str().unwrap().contains(words), "{korean}");
}

fn is_hangul(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

/// A30 and the six exceptions of the requirements among them: every code that a caller can bring about.
async fn every_code_once_in_both_languages(storage: Storage) {
    let mut seen = Seen::default();
    callers(storage, &mut seen).await;
    requests(storage, &mut seen).await;
    seats(storage, &mut seen).await;
    payments(storage, &mut seen).await;
    let errors = errors();
    let all: BTreeSet<_> = errors.iter().map(|error| &*error.code).collect();
    assert_eq!(all.difference(&seen.0).copied().collect::<Vec<_>>(), STORE);
}

async fn callers(storage: Storage, seen: &mut Seen) {
    let shop = Settings::line(storage, 0, 1, 1).with("--user-key", "a secret that only the shop knows").open().await;
    let join = || shop.api(Method::POST, "/queue/tokens").json(json!({"user_id": "ann"}));
    seen.see("identity_invalid", join).await;
    seen.see("token_missing", || shop.api(Method::GET, "/wallet")).await;
    seen.see("token_unknown", || shop.api(Method::GET, "/wallet").bearer("x")).await;
    seen.see("admin_key_invalid", || shop.api(Method::GET, "/admin/queues/main").bearer("x")).await;

    let shop = Settings::line(storage, 0, 1, 1).open().await;
    let waiting = shop.join("waiting").await;
    seen.see("token_not_active", || waiting.get("/wallet")).await;
    assert_eq!(waiting.get("/wallet").await.json()["token_status"], "WAITING");
    shop.make_queue(json!({"name": "other"})).await;
    let other = shop.concert_in("other", "2099-01-01T00:00:00Z", 1, 1).await;
    shop.policy("main", json!({"max_active": 1})).await;
    waiting.becomes("ACTIVE").await;
    seen.see("wrong_queue", || waiting.get(&format!("/schedules/{}/seats", other.schedule))).await;
}

async fn requests(storage: Storage, seen: &mut Seen) {
    let shop = Shop::open(storage).await;
    let join = || shop.api(Method::POST, "/queue/tokens");
    seen.see("malformed_request", || join().bytes("{")).await;
    seen.see("validation_failed", || join().json(json!({"user_id": ""}))).await;
    let errors = join().json(json!({"user_id": ""})).await.json()["errors"].clone();
    assert_eq!(errors[0]["field"], "user_id", "{errors}");
    assert!(errors[0]["message"].is_string(), "{errors}");
    seen.see("queue_exists", || shop.admin(Method::POST, "/queues").json(json!({"name": "main"}))).await;
    seen.see("not_found", || shop.api(Method::GET, "/nowhere")).await;
    seen.see("not_found", || shop.request(Method::GET, "/nowhere")).await;
    seen.see("method_not_allowed", || shop.api(Method::PUT, "/queue/tokens")).await;
    assert!(shop.api(Method::PUT, "/queue/tokens").await.header("Allow").contains("POST"));
    seen.see("payload_too_large", || join().bytes(vec![b' '; 66 * 1024])).await;
    seen.see("unsupported_media_type", || join().header("Content-Type", "text/plain")).await;
    let ann = shop.join("ann").await;
    ann.charge(1).key("k").await.expect(201);
    seen.see("idempotency_key_reused", || ann.charge(2).key("k")).await;
}

async fn seats(storage: Storage, seen: &mut Seen) {
    let shop = Settings::on(storage).with("--max-seats", 1).open().await;
    let (sale, limited) = (shop.concert(3, 10).await, shop.limited_concert(3, 10, 1).await);
    let over = shop.concert_in("main", "2099-12-31T00:00:00Z", 1, 10).await;
    shop.database().begin(&over.schedule);
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    ann.held(&sale.schedule, &[1]).await;
    seen.see("seat_taken", || ben.hold(&sale.schedule, &[1])).await;
    seen.see("seat_limit", || ann.hold(&sale.schedule, &[2])).await;
    seen.see("sale_closed", || ben.hold(&over.schedule, &[1])).await;
    seen.see("not_found", || ben.hold(&sale.schedule, &[4])).await;
    ben.charge(10).await.expect(201);
    let bought = ben.held(&limited.schedule, &[1]).await;
    ben.pay(&bought).await.expect(201);
    let again = shop.join("ben").await;
    seen.see("purchase_limit", || again.hold(&limited.schedule, &[2])).await;
}

async fn payments(storage: Storage, seen: &mut Seen) {
    let shop = Settings::on(storage).with("--hold-seconds", 1).open().await;
    let sale = shop.concert(3, 10).await;
    let ann = shop.join("ann").await;
    let expired = ann.held(&sale.schedule, &[1]).await;
    ann.seat_becomes(&sale.schedule, 1, "AVAILABLE").await;
    seen.see("reservation_expired", || ann.pay(&expired)).await;

    let shop = Shop::open(storage).await;
    let sale = shop.concert(3, 10).await;
    let (ann, ben) = (shop.join("ann").await, shop.join("ben").await);
    let cancelled = ann.held(&sale.schedule, &[1]).await;
    ann.cancel(&cancelled).await.expect(204);
    seen.see("reservation_cancelled", || ann.pay(&cancelled)).await;
    let held = ann.held(&sale.schedule, &[1]).await;
    seen.see("user_mismatch", || ben.pay(&held)).await;
    let wrong = json!({"reservation_id": held, "amount": 9});
    seen.see("amount_mismatch", || ann.post("/payments", wrong.clone())).await;
    seen.see("insufficient_balance", || ann.pay(&held)).await;
    ann.charge(10).await.expect(201);
    ann.held(&sale.schedule, &[2]).await;
    ann.pay(&held).await.expect(201);
    seen.see("selection_closed", || ann.hold(&sale.schedule, &[3])).await;
    seen.see("already_paid", || ann.pay(&held)).await;
}
