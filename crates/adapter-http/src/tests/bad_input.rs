//! Whatever is sent gets a 4xx and changes nothing.

use actix_web::http::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::shop::{ADMIN, Concert, Shop, request, with_json};

const MALFORMED: (u16, &str) = (400, "malformed_request");
const INVALID: (u16, &str) = (400, "validation_failed");

/// Sends each body to `path` and sees it refused, and that nobody's world has changed.
async fn refused(
    shop: &Shop,
    concert: &Concert,
    method: &str,
    path: &str,
    bearer: &str,
    bodies: &[(&[u8], (u16, &str))],
) {
    let watcher = shop.join("watcher").await;
    let before = shop.seen_by(&watcher, concert).await;
    for (body, expected) in bodies {
        let reply = shop.send(with_json(request(method, path, bearer), body.to_vec())).await;
        let said = String::from_utf8_lossy(body);
        assert_eq!((reply.status, reply.code().as_str()), *expected, "{path} {said:.200}");
        if reply.code() == "validation_failed" {
            let problem = reply.json();
            let errors = problem["errors"].as_array().unwrap();
            assert!(!errors.is_empty() && errors.len() <= 100, "{path} {said:.200}");
            assert!(errors.iter().all(|e| e["field"].is_string() && e["message"].is_string()));
            assert!(reply.body.len() < 50_000, "an answer is not as long as what it answers");
        }
    }
    assert_eq!(shop.seen_by(&watcher, concert).await, before);
}

/// What is wrong whatever a route reads.
fn wrong_everywhere() -> Vec<(Vec<u8>, (u16, &'static str))> {
    let deep = |open: &str, close: &str, levels: usize| {
        format!("{}{}", open.repeat(levels), close.repeat(levels)).into_bytes()
    };
    vec![
        (b"".to_vec(), MALFORMED),
        (b" ".to_vec(), MALFORMED),
        (b"{".to_vec(), MALFORMED),
        (b"{}{}".to_vec(), MALFORMED),
        (b"{'amount':1}".to_vec(), MALFORMED),
        (b"{\"amount\":01}".to_vec(), MALFORMED),
        (b"{\"amount\":NaN}".to_vec(), MALFORMED),
        (b"{\"a\":\"\xff\xfe\"}".to_vec(), MALFORMED),
        (b"\xef\xbb\xbf{}".to_vec(), MALFORMED),
        (deep("[", "]", 20_000), MALFORMED),
        (deep("{\"a\":", "}", 10_000), MALFORMED),
        (deep("[", "]", 33), MALFORMED),
        (deep("[", "]", 32), INVALID),
        (b"null".to_vec(), INVALID),
        (b"[]".to_vec(), INVALID),
        (b"\"text\"".to_vec(), INVALID),
        (b"1".to_vec(), INVALID),
        (b"true".to_vec(), INVALID),
        (b"{}".to_vec(), INVALID),
        (b"{\"nonsense\":1}".to_vec(), INVALID),
        (b"{\"\\ud800\":1}".to_vec(), INVALID),
        (
            format!("{{{}}}", (0..3000).map(|n| format!("\"f{n}\":0")).collect::<Vec<_>>().join(",")).into_bytes(),
            INVALID,
        ),
    ]
}

#[actix_web::test]
async fn no_route_takes_what_is_no_object_of_its_own() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    for (method, path, bearer) in [
        ("POST", "/api/v1/queue/tokens", ""),
        ("POST", "/api/v1/reservations", &*token),
        ("POST", "/api/v1/wallet/charges", &*token),
        ("POST", "/api/v1/payments", &*token),
        ("POST", "/api/v1/admin/concerts", ADMIN),
        ("POST", "/api/v1/admin/queues", ADMIN),
        ("PATCH", "/api/v1/admin/queues/main", ADMIN),
    ] {
        let cases = wrong_everywhere();
        let cases: Vec<_> = cases.iter().map(|(body, expected)| (&**body, *expected)).collect();
        refused(&shop, &concert, method, path, bearer, &cases).await;
    }
}

/// W3: all 400 at once, and the balance is what it was.
#[actix_web::test]
async fn an_amount_is_a_plain_number_or_none() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let amounts = [
        "-1",
        "0",
        "1.005",
        "9223372036854775808",
        "1e400",
        "1e100000000",
        "1e-100000000",
        "\"1e3\"",
        "1e3",
        "1E3",
        "\"abc\"",
        "null",
        "true",
        "{}",
        "[]",
        "[1]",
        "\"\"",
        "\" 1\"",
        "\"+1\"",
        "\"-1\"",
        "\"1.\"",
        "\".5\"",
        "\"1,000\"",
        "0.00",
        "1000000.01",
        "1000001",
        "99999999999999999999999999",
        "\"١٢٣\"",
        "\"NaN\"",
        "\"Infinity\"",
        "-0",
    ];
    let bodies: Vec<String> = amounts.iter().map(|amount| format!("{{\"amount\":{amount}}}")).collect();
    let mut cases: Vec<_> = bodies.iter().map(|body| (body.as_bytes(), INVALID)).collect();
    let twice = br#"{"amount":1,"amount":2}"#;
    cases.push((twice, INVALID));
    cases.push((br#"{"amount":1,"user_id":"bob"}"#, INVALID));
    refused(&shop, &concert, "POST", "/api/v1/wallet/charges", &token, &cases).await;
    assert_eq!(shop.get("/api/v1/wallet", &token).await.json()["balance"], 0);

    // The same texts in a payment, of which none may be what decides.
    let held = shop.held(&token, &concert, &[1]).await;
    let amounts = amounts.iter().filter(|amount| !["0", "0.00", "1000000.01", "1000001"].contains(amount));
    let bodies: Vec<String> =
        amounts.map(|amount| format!("{{\"reservation_id\":\"{held}\",\"amount\":{amount}}}")).collect();
    let cases: Vec<_> = bodies.iter().map(|body| (body.as_bytes(), INVALID)).collect();
    refused(&shop, &concert, "POST", "/api/v1/payments", &token, &cases).await;
}

#[actix_web::test]
async fn a_joining_caller_names_themselves_well() {
    let (shop, concert) = Shop::open().await;
    let long = format!("{{\"user_id\":\"{}\"}}", "x".repeat(65));
    let cases: Vec<(&[u8], _)> = vec![
        (br#"{"user_id":""}"#, INVALID),
        (br#"{"user_id":" alice"}"#, INVALID),
        (br#"{"user_id":"a\u0000b"}"#, INVALID),
        (br#"{"user_id":"e\u0301"}"#, INVALID),
        (br#"{"user_id":"\ud800"}"#, INVALID),
        (br#"{"user_id":7}"#, INVALID),
        (br#"{"user_id":null}"#, INVALID),
        (br#"{"user_id":["alice"]}"#, INVALID),
        (br#"["alice"]"#, INVALID),
        (long.as_bytes(), INVALID),
        (br#"{"user_id":"a","user_id":"b"}"#, INVALID),
        (br#"{"user_id":"a","queue":"Main"}"#, INVALID),
        (br#"{"user_id":"a","queue":null}"#, INVALID),
        (br#"{"user_id":"a","queue":""}"#, INVALID),
        (br#"{"user_id":"a","token":"b"}"#, INVALID),
        // R1: a join never creates a queue.
        (br#"{"user_id":"a","queue":"unheard-of"}"#, (404, "not_found")),
    ];
    refused(&shop, &concert, "POST", "/api/v1/queue/tokens", "", &cases).await;
}

#[actix_web::test]
async fn a_hold_names_seats_in_one_way_and_each_once() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let schedule = &concert.schedule;
    let seats = shop.get(&concert.path(), &token).await.json();
    let seat = seats["items"][0]["id"].as_str().unwrap();
    let by_number = |numbers: &str| format!("{{\"schedule_id\":\"{schedule}\",\"seat_numbers\":{numbers}}}");
    let many: Vec<String> = (1..=101).map(|n| n.to_string()).collect();
    let huge = format!("[{}]", "1,".repeat(20_000) + "1");
    let bodies = [
        format!("{{\"seat_ids\":[\"{seat}\",\"{seat}\"]}}"),
        format!("{{\"seat_ids\":[\"{seat}\",\"{}\"]}}", seat.to_uppercase()),
        "{\"seat_ids\":[]}".to_owned(),
        "{\"seat_ids\":[\"x\"]}".to_owned(),
        "{\"seat_ids\":[1]}".to_owned(),
        "{\"seat_ids\":\"x\"}".to_owned(),
        format!("{{\"seat_ids\":[\"{seat}\"],\"seat_numbers\":[1]}}"),
        format!("{{\"seat_ids\":[\"{seat}\"],\"schedule_id\":\"{schedule}\"}}"),
        format!("{{\"schedule_id\":\"{schedule}\"}}"),
        "{\"seat_numbers\":[1]}".to_owned(),
        by_number("[]"),
        by_number("[1,1]"),
        by_number("[0]"),
        by_number("[-1]"),
        by_number("[1.0]"),
        by_number("[1e0]"),
        by_number("[\"1\"]"),
        by_number("[4294967296]"),
        by_number("[1000001]"),
        by_number("[null]"),
        by_number("1"),
        by_number(&format!("[{}]", many.join(","))),
        by_number(&huge),
        format!("{{\"schedule_id\":\"{schedule}\",\"seat_numbers\":[1],\"user_id\":\"bob\"}}"),
    ];
    let cases: Vec<_> = bodies.iter().map(|body| (body.as_bytes(), INVALID)).collect();
    refused(&shop, &concert, "POST", "/api/v1/reservations", &token, &cases).await;
}

#[actix_web::test]
async fn a_concert_is_loaded_whole_or_not_at_all() {
    let (shop, concert) = Shop::open().await;
    let with_seats = |seats: &str| {
        format!("{{\"title\":\"T\",\"schedules\":[{{\"starts_at\":\"2126-01-01T00:00:00Z\",\"seats\":{seats}}}]}}")
    };
    let at = |time: &str| {
        format!("{{\"title\":\"T\",\"schedules\":[{{\"starts_at\":{time},\"seats\":[{{\"count\":1,\"price\":1}}]}}]}}")
    };
    let schedules = vec![r#"{"starts_at":"2126-01-01T00:00:00Z","seats":[{"count":1,"price":1}]}"#; 101].join(",");
    let twice = [r#"{"starts_at":"2126-01-01T00:00:00Z","seats":[{"count":1,"price":1}]}"#; 2].join(",");
    let hall = |day: usize| {
        format!("{{\"starts_at\":\"2126-01-{day:02}T00:00:00Z\",\"seats\":[{{\"count\":100000,\"price\":1}}]}}")
    };
    let halls: Vec<String> = (1..=11).map(hall).collect();
    let bodies = [
        with_seats("[]"),
        with_seats("[{\"count\":0,\"price\":1}]"),
        with_seats("[{\"count\":100001,\"price\":1}]"),
        with_seats("[{\"count\":4294967295,\"price\":1}]"),
        with_seats("[{\"count\":-1,\"price\":1}]"),
        with_seats("[{\"count\":1,\"price\":-1}]"),
        with_seats("[{\"count\":1,\"price\":1e100000000}]"),
        with_seats("[{\"count\":1}]"),
        with_seats("[{\"price\":1}]"),
        with_seats("[{\"count\":1,\"number\":1,\"price\":1}]"),
        with_seats("[{\"number\":0,\"price\":1}]"),
        with_seats("[{\"number\":1000001,\"price\":1}]"),
        with_seats("[{\"number\":1,\"price\":1},{\"number\":1,\"price\":1}]"),
        with_seats("[[1,1]]"),
        with_seats("{}"),
        at("\"tomorrow\""),
        at("\"2126-01-01T00:00:00\""),
        at("\"2126-02-30T00:00:00Z\""),
        at("\"2126-01-01T00:00:00+25:00\""),
        at("4924281600"),
        at("\"1999-12-31T23:59:59.999999Z\""),
        at("\"2200-01-01T00:00:00Z\""),
        at("\"2200-01-01T00:00:00+14:00\""),
        at("\"9999-12-31T23:59:59+09:00\""),
        at("\"0001-01-01T00:00:00Z\""),
        at("\"10000-01-01T00:00:00Z\""),
        at("\"2126-01-01T00:00:00.0000001Z\""),
        at("\"2126-12-31T23:59:60Z\""),
        // A second before the clock of these tests.
        at("\"2026-01-01T11:59:59Z\""),
        at("\"2026-01-01T12:00:00Z\""),
        at("\"2126-01-01T00:00:00Z\",\"max_per_user\":0"),
        at("\"2126-01-01T00:00:00Z\",\"max_per_user\":100001"),
        at("\"2126-01-01T00:00:00Z\",\"max_per_user\":4294967296"),
        at("\"2126-01-01T00:00:00Z\",\"max_per_user\":-1"),
        at("\"2126-01-01T00:00:00Z\",\"max_per_user\":4.0"),
        at("\"2126-01-01T00:00:00Z\",\"max_per_user\":\"4\""),
        at("\"2126-01-01T00:00:00Z\",\"max_per_user\":1.5"),
        at("\"2126-01-01T00:00:00Z\",\"max_per_user\":[4]"),
        at("\"2126-01-01T00:00:00Z\"").replace("\"T\"", "\"T\",\"max_per_user\":0"),
        at("\"2126-01-01T00:00:00Z\"").replace("\"T\"", "\"T\",\"max_per_user\":1e2"),
        at("\"2126-01-01T00:00:00Z\"").replace("\"T\"", "\"T\",\"max_per_user\":99999999999999999999"),
        at("\"2126-01-01T00:00:00Z\"").replace("\"T\"", "\"T\",\"max_per_user\":{}"),
        at("\"2126-01-01T00:00:00Z\"").replace("\"T\"", "\"T\",\"max_per_user\":4,\"max_per_user\":4"),
        "{\"title\":\"T\",\"schedules\":[]}".to_owned(),
        "{\"title\":\"\",\"schedules\":[]}".to_owned(),
        format!("{{\"title\":\"T\",\"schedules\":[{schedules}]}}"),
        format!("{{\"title\":\"T\",\"schedules\":[{twice}]}}"),
        format!("{{\"title\":\"T\",\"schedules\":[{}]}}", halls.join(",")),
        with_seats("[{\"count\":1,\"price\":1}]").replace("\"T\"", "\"\\u0007\""),
        with_seats("[{\"count\":1,\"price\":1}]").replace("\"T\"", "\" \\u3000\""),
        with_seats("[{\"count\":1,\"price\":1}]").replace("\"T\"", "\"T\\u202e\""),
        with_seats("[{\"count\":1,\"price\":1}]").replace("\"T\"", "\"T\\u200b\""),
        with_seats("[{\"count\":1,\"price\":1}]").replace("\"T\"", "\"T\\ue000\""),
        with_seats("[{\"count\":1,\"price\":1}]").replace("\"T\"", "\"T\\uffff\""),
        with_seats("[{\"count\":1,\"price\":1}]").replace("\"T\"", "\"T\",\"queue\":\"no such name\""),
    ];
    let cases: Vec<_> = bodies.iter().map(|body| (body.as_bytes(), INVALID)).collect();
    refused(&shop, &concert, "POST", "/api/v1/admin/concerts", ADMIN, &cases).await;
    // The earliest moment that is not too late.
    let soon = at("\"2026-01-01T12:00:00.000001Z\"");
    shop.send(with_json(request("POST", "/api/v1/admin/concerts", ADMIN), soon)).await.expect(201);
    let change = |body: &'static str| (body.as_bytes(), INVALID);
    let cases = [
        change(r#"{"max_active":100000000000}"#),
        change(r#"{"batch":0}"#),
        change(r#"{"interval_seconds":0}"#),
        change(r#"{"paused":1}"#),
        change(r#"{"paused":null}"#),
        change(r#"{"issued":1}"#),
    ];
    refused(&shop, &concert, "PATCH", "/api/v1/admin/queues/main", ADMIN, &cases).await;
}

/// Openings and messages that are none, as members of a body; the last two come with what is wrong beside them.
fn wrong_of_queues() -> Vec<String> {
    let mut wrong: Vec<String> = [
        "\"tomorrow\"",
        "\"2026-12-01\"",
        "\"2026-12-01T10:00:00\"",
        "\"2026-02-30T00:00:00Z\"",
        "\"2026-12-01T24:00:01Z\"",
        "\"2026-12-01T10:00:00+25:00\"",
        "\"1999-12-31T23:59:59.999999Z\"",
        "\"2000-01-01T00:00:00+00:01\"",
        "\"2200-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59+09:00\"",
        "1764583200",
        "true",
        "{}",
        "[]",
        "\"\"",
    ]
    .map(|opens_at| format!("\"opens_at\":{opens_at}"))
    .to_vec();
    let long = format!("{{\"ko\":\"{}\",\"en\":\"Soon\"}}", "한".repeat(501));
    let messages = [
        "\"Soon\"",
        "true",
        "[]",
        "{}",
        "{\"ko\":\"곧\"}",
        "{\"en\":\"Soon\"}",
        "{\"ko\":\"곧\",\"en\":\"\"}",
        "{\"ko\":\"  \",\"en\":\"Soon\"}",
        "{\"ko\":\"곧\",\"en\":null}",
        "{\"ko\":\"곧\",\"en\":7}",
        "{\"ko\":\"곧\",\"en\":\"a\\nb\"}",
        "{\"ko\":\"곧\",\"en\":\"a\u{202e}b\"}",
        "{\"ko\":\"곧\",\"en\":\"Soon\",\"ja\":\"soon\"}",
        "{\"ko\":\"곧\",\"en\":\"Soon\",\"en\":\"Soon\"}",
        &long,
    ];
    wrong.extend(messages.map(|message| format!("\"message\":{message}")));
    wrong.push("\"opens_at\":null,\"opens_at\":null".to_owned());
    wrong.push("\"message\":{\"ko\":\"곧\",\"en\":\"Soon\"},\"batch\":0".to_owned());
    wrong.push("\"message\":{\"ko\":\"\",\"en\":\"Soon\"},\"paused\":true,\"opens_at\":null".to_owned());
    wrong
}

#[actix_web::test]
async fn a_queue_is_changed_whole_or_not_at_all() {
    let (shop, concert) = Shop::open().await;
    let path = "/api/v1/admin/queues/main";
    // Who watches is in before the queue is held.
    shop.join("watcher").await;
    let good = r#"{"opens_at":"2126-01-01T00:00:00Z","message":{"ko":"곧","en":"Soon"},"paused":false}"#;
    shop.send(with_json(request("PATCH", path, ADMIN), good)).await.expect(200);
    let bodies: Vec<_> = wrong_of_queues().into_iter().map(|members| format!("{{{members}}}")).collect();
    let cases: Vec<_> = bodies.iter().map(|body| (body.as_bytes(), INVALID)).collect();
    refused(&shop, &concert, "PATCH", path, ADMIN, &cases).await;
    let wrong = r#"{"opens_at":"1999-01-01T00:00:00Z","batch":0,"message":{"ko":"","en":""}}"#;
    let problem = shop.send(with_json(request("PATCH", path, ADMIN), wrong)).await.expect(400).json();
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["message.ko", "message.en"], "what can be read is judged only when all can be");
}

/// Neither is there such a queue afterwards.
#[actix_web::test]
async fn a_queue_is_made_well_or_not_at_all() {
    let (shop, concert) = Shop::open().await;
    let new = |members: &str| format!("{{\"name\":\"new\",{members}}}");
    let mut bodies = vec![
        "{\"paused\":true}".to_owned(),
        "{\"name\":null}".to_owned(),
        "{\"name\":\"\"}".to_owned(),
        "{\"name\":\"New\"}".to_owned(),
        "{\"name\":\"a b\"}".to_owned(),
        "{\"name\":7}".to_owned(),
        format!("{{\"name\":\"{}\"}}", "q".repeat(33)),
        new("\"name\":\"new\""),
        new("\"max_active\":10000001"),
        new("\"max_active\":-1"),
        new("\"batch\":0"),
        new("\"batch\":\"9\""),
        new("\"interval_seconds\":0"),
        new("\"interval_seconds\":86401"),
        new("\"interval_seconds\":1.5"),
        new("\"paused\":1"),
        new("\"paused\":null"),
        new("\"issued\":1"),
    ];
    bodies.extend(wrong_of_queues().iter().map(|members| new(members)));
    let cases: Vec<_> = bodies.iter().map(|body| (body.as_bytes(), INVALID)).collect();
    refused(&shop, &concert, "POST", "/api/v1/admin/queues", ADMIN, &cases).await;
    let known: (&[u8], _) = (br#"{"name":"main","paused":true}"#, (409, "queue_exists"));
    refused(&shop, &concert, "POST", "/api/v1/admin/queues", ADMIN, &[known]).await;
    assert_eq!(shop.get("/api/v1/admin/queues/new", ADMIN).await.code(), "not_found");
}

#[actix_web::test]
async fn errors_name_every_wrong_value_where_it_stands() {
    let shop = Shop::new().await;
    let body = json!({
        "title": 1, "extra": true,
        "schedules": [{"starts_at": "2126-01-01T00:00:00Z", "seats": [{"count": 1, "price": 1}, {"count": 1, "price": "x"}]}]
    });
    let reply = shop.post("/api/v1/admin/concerts", ADMIN, &body).await.expect(400).json();
    let mut fields: Vec<&str> =
        reply["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["extra", "schedules[0].seats[1].price", "title"]);
}

#[actix_web::test]
async fn a_body_is_plain_json_of_a_bounded_length() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let before = shop.seen_by(&token, &concert).await;
    let good = r#"{"amount":1}"#;
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data", "", "*/*"]
    {
        let request = request("POST", "/api/v1/wallet/charges", &token).set_payload(good);
        let reply = shop.send(request.insert_header(("Content-Type", content_type))).await;
        assert_eq!((reply.status, reply.code().as_str()), (415, "unsupported_media_type"), "{content_type}");
    }
    let untyped = shop.send(request("POST", "/api/v1/wallet/charges", &token).set_payload(good)).await;
    assert_eq!(untyped.code(), "unsupported_media_type");
    let packed = with_json(request("POST", "/api/v1/wallet/charges", &token), good);
    let packed = shop.send(packed.insert_header(("Content-Encoding", "gzip"))).await;
    assert_eq!(packed.code(), "unsupported_media_type");

    let sized = |length: usize| format!("{{\"amount\":{}1}}", " ".repeat(length - 12));
    let long = shop.send(with_json(request("POST", "/api/v1/wallet/charges", &token), sized(65_537))).await;
    assert_eq!((long.status, long.code().as_str()), (413, "payload_too_large"));
    let longer = with_json(request("POST", "/api/v1/admin/concerts", ADMIN), sized(8 * 1024 * 1024 + 1));
    assert_eq!(shop.send(longer).await.code(), "payload_too_large");
    assert_eq!(shop.seen_by(&token, &concert).await, before);

    let fits = with_json(request("POST", "/api/v1/wallet/charges", &token), sized(65_536));
    let fits = fits.insert_header(("Content-Type", "Application/JSON; charset=utf-8"));
    shop.send(fits).await.expect(201);
    let fits = with_json(request("POST", "/api/v1/admin/concerts", ADMIN), sized(8 * 1024 * 1024));
    assert_eq!(shop.send(fits).await.code(), "validation_failed");
}

#[actix_web::test]
async fn headers_full_of_garbage_do_no_harm() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    let garbage = HeaderValue::from_bytes(b"\xff\x80;q=\xfe,,;;").unwrap();
    for name in ["accept-language", "accept-encoding", "if-none-match", "x-request-id", "origin", "accept", "range"] {
        let request = request("GET", &concert.path(), &token);
        let request = request.insert_header((HeaderName::from_static(name), garbage.clone()));
        shop.send(request).await.expect(200);
    }
    for (name, expected) in [
        ("idempotency-key", "validation_failed"),
        ("content-type", "unsupported_media_type"),
        ("content-encoding", "unsupported_media_type"),
        ("authorization", "token_unknown"),
    ] {
        let request = with_json(request("POST", "/api/v1/reservations", &token), concert.seats(&[1]).to_string());
        let reply = shop.send(request.insert_header((HeaderName::from_static(name), garbage.clone()))).await;
        assert_eq!(reply.code(), expected, "{name}");
    }
    for key in ["", " ", "a b", "ключ", &"k".repeat(129)] {
        let Ok(value) = HeaderValue::from_bytes(key.as_bytes()) else { panic!("{key}") };
        let request = with_json(request("POST", "/api/v1/reservations", &token), concert.seats(&[1]).to_string());
        let reply = shop.send(request.insert_header((HeaderName::from_static("idempotency-key"), value))).await;
        assert_eq!((reply.status, reply.code().as_str()), INVALID, "{key:?}");
    }
    let twice = with_json(request("POST", "/api/v1/reservations", &token), concert.seats(&[1]).to_string());
    let twice = twice.append_header(("Idempotency-Key", "a")).append_header(("Idempotency-Key", "a"));
    assert_eq!(shop.send(twice).await.code(), "validation_failed");
    assert_eq!(shop.get("/api/v1/reservations", &token).await.json()["items"], json!([]));
    let whole = "k".repeat(128);
    shop.post_keyed("/api/v1/reservations", &token, &whole, &concert.seats(&[1])).await.expect(201);
}

#[actix_web::test]
async fn what_no_path_or_query_can_be_is_refused() {
    let (shop, concert) = Shop::open().await;
    let token = shop.join("alice").await;
    for path in [
        "/api/v1/reservations/x",
        "/api/v1/reservations/%00",
        "/api/v1/reservations/%ff%fe",
        "/api/v1/reservations/..%2f..%2fetc",
        "/api/v1/payments/0",
        "/api/v1/schedules/not-an-id/seats",
        "/api/v1/concerts/*/schedules",
        "/api/v1/nothing",
        "/api/v2/concerts",
        "/api/v1/",
        "/",
        "//api//v1/concerts",
        "/api/v1/concerts/",
    ] {
        let reply = shop.get(path, &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{path}");
    }
    let seats = concert.path();
    for query in [
        "?x=1",
        "?available=1",
        "?available=TRUE",
        "?available=",
        "?available=true&available=true",
        "?%ff=1",
        "?limit=5",
        "?available",
    ] {
        let reply = shop.get(&format!("{seats}{query}"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), INVALID, "{query}");
    }
    for query in
        ["?from=2026-1-1", "?to=tomorrow", "?from=2026-02-30", "?from=2026-01-01T00:00:00Z", "?from=-9999-01-01"]
    {
        let reply = shop.get(&format!("/api/v1/schedules{query}"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), INVALID, "{query}");
    }
    for (method, path) in [
        ("POST", "/api/v1/queue/tokens?x=1"),
        ("POST", "/api/v1/wallet/charges?amount=5"),
        ("GET", "/api/v1/wallet?x"),
        ("DELETE", "/api/v1/queue/tokens/me?x=1"),
    ] {
        let reply = shop.send(with_json(request(method, path, &token), r#"{"amount":5,"user_id":"x"}"#)).await;
        assert_eq!((reply.status, reply.code().as_str()), INVALID, "{path}");
    }
    assert_eq!(shop.get("/api/v1/queue/tokens/me", &token).await.json()["status"], "ACTIVE");
}
