//! Hostile input: a 4xx, or a closed connection where HTTP itself was broken; nothing changes, the process lives.

use e2e::{Shop, Storage, on_each_storage};
use reqwest::Method;
use serde_json::json;

use crate::raw::say;

on_each_storage![
    hostile_bodies_are_refused,
    ten_megabytes_are_refused,
    the_largest_concerts_are_sold_and_larger_ones_refused,
    hostile_paths_and_headers_are_refused,
];

/// Bodies that are no requests, to every route that takes one.
async fn hostile_bodies_are_refused(storage: Storage) {
    let shop = Shop::open(storage).await;
    let sale = shop.concert(2, 10).await;
    let ann = shop.join("ann").await;
    let before = shop.database().dump();
    let deep = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    let bodies: Vec<Vec<u8>> = vec![
        vec![],
        b"{".to_vec(),
        b"null".to_vec(),
        b"\"\"".to_vec(),
        b"0".to_vec(),
        b"[]".to_vec(),
        b"{}{}".to_vec(),
        b"{\"user_id\":\"a\"} trailing".to_vec(),
        b"{\"user_id\":\"\xff\xfe\"}".to_vec(),
        b"{\"user_id\":\"\\ud800\"}".to_vec(),
        b"\xef\xbb\xbf{\"user_id\":\"a\"}".to_vec(),
        b"\x00".repeat(1_000),
        b"\xff\xd8\xff".repeat(1_000),
        deep("[", "]", 30_000).into_bytes(),
        deep("{\"a\":", "}", 8_000).into_bytes(),
        deep("{\"amount\":[", "]}", 5_000).into_bytes(),
        format!("{{\"amount\":{}}}", "9".repeat(60_000)).into_bytes(),
        format!("{{\"amount\":1{}}}", "0".repeat(60_000)).into_bytes(),
        format!("{{\"amount\":0.{}1}}", "0".repeat(60_000)).into_bytes(),
        format!("{{\"user_id\":\"{}\"}}", "a".repeat(60_000)).into_bytes(),
        format!("{{{}}}", vec!["\"user_id\":\"a\""; 4_000].join(",")).into_bytes(),
        b"{\"seat_ids\":[".iter().copied().chain(b"\"a\",".repeat(10_000)).chain(*b"\"a\"]}").collect(),
        b"{\"reservation_id\":\"' OR 1=1 --\"}".to_vec(),
        b"{\"schedule_id\":\"../../etc/passwd\",\"seat_numbers\":[1]}".to_vec(),
    ];
    for (method, path) in [
        (Method::POST, "/queue/tokens"),
        (Method::POST, "/reservations"),
        (Method::POST, "/wallet/charges"),
        (Method::POST, "/payments"),
        (Method::POST, "/admin/concerts"),
        (Method::POST, "/admin/queues"),
        (Method::PATCH, "/admin/queues/main"),
    ] {
        for body in &bodies {
            let token = if path.starts_with("/admin") { e2e::ADMIN_KEY } else { &ann.token };
            let answer = shop.api(method.clone(), path).bearer(token).bytes(body.clone()).await;
            assert!((400..500).contains(&answer.status), "{:.200}: {answer}", String::from_utf8_lossy(body));
        }
    }
    assert_eq!(shop.database().dump(), before);
    ann.held(&sale.schedule, &[1]).await;
}

/// Ten megabytes, said or streamed, are not read into memory: 413, or the connection is closed on the sender.
async fn ten_megabytes_are_refused(storage: Storage) {
    let shop = Shop::open(storage).await;
    let ann = shop.join("ann").await;
    let before = shop.database().dump();
    for (path, token) in
        [("/queue/tokens", ann.token.as_str()), ("/wallet/charges", &ann.token), ("/admin/concerts", e2e::ADMIN_KEY)]
    {
        let body = format!("{{\"title\":\"{}\"}}", "a".repeat(10 * 1024 * 1024));
        let answer = shop.api(Method::POST, path).bearer(token).bytes(body).answer().await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 413), "{path}: {answer:?}");
    }
    // The same, of a length that nobody has said.
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    let head = format!(
        "POST /api/v1/wallet/charges HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        ann.token
    );
    let answer = say(&shop, (head + &chunk.repeat(160) + "0\r\n\r\n").as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    // 8 MiB are allowed to the admin: what is refused there is refused for what it says.
    let large = format!("{{\"title\":\"{}\"}}", "a".repeat(7 * 1024 * 1024));
    shop.admin(Method::POST, "/concerts").bytes(large).await.refused(400, "validation_failed");
    assert_eq!(shop.database().dump(), before);
    assert_eq!(ann.status().await, "ACTIVE");
}

/// The largest concerts are loaded and sold; one seat or schedule more is not.
async fn the_largest_concerts_are_sold_and_larger_ones_refused(storage: Storage) {
    let shop = Shop::open(storage).await;
    let load = |counts: &[u32]| {
        let evening = |(n, count): (usize, &u32)| {
            let starts_at = format!("2099-{:02}-{:02}T19:30:00Z", 1 + n / 25, 1 + n % 25);
            json!({"starts_at": starts_at, "seats": [{"count": count, "price": 1}]})
        };
        let schedules: Vec<_> = counts.iter().enumerate().map(evening).collect();
        shop.loading(json!({"title": "t", "schedules": schedules}))
    };
    let before = shop.database().dump();
    for too_large in [&[100_001][..], &[&[100_000; 10][..], &[1]].concat(), &[1; 101], &[]] {
        load(too_large).await.refused(400, "validation_failed");
    }
    assert_eq!(shop.database().dump(), before);
    let ann = shop.join("ann").await;
    load(&[1; 100]).await.expect(201);
    assert_eq!(ann.list("/schedules").await.len(), 100);
    let made = load(&[100_000; 10]).await.expect(201);
    assert_eq!(shop.database().count("seats"), 1_000_100);
    let largest = made["schedules"][9]["id"].as_str().unwrap();
    ann.held(largest, &[1, 100_000]).await;
    ann.seat_becomes(largest, 100_000, "HELD").await;
    assert_eq!(ann.seats(largest).await.len(), 100_000);
}

/// Paths, queries and headers that nobody would write.
async fn hostile_paths_and_headers_are_refused(storage: Storage) {
    let shop = Shop::open(storage).await;
    shop.concert(2, 10).await;
    let ann = shop.join("ann").await;
    let before = shop.database().dump();
    let id = "01890000-0000-7000-8000-000000000000";
    for path in [
        "/reservations/1",
        "/reservations/%00",
        "/reservations/*",
        "/reservations/%ff%fe",
        "/payments/..%2f..%2fetc",
        "/payments/x",
        "/schedules/x/seats",
        "/concerts/x/schedules",
        "/schedules?from=yesterday",
        "/schedules?from=2099-02-30",
        "/schedules?to=20991224",
        "/schedules?limit=0",
        "/schedules?limit=101",
        "/schedules?limit=-1",
        "/schedules?limit=x",
        "/schedules?cursor=x",
        "/wallet/entries?cursor=%00",
        "/wallet/entries?cursor=-1",
        "/reservations?cursor='",
        "/payments?cursor=*",
        "/payments?limit=99999999999999999999",
        "/wallet/entries?limit=",
        "/concerts?cursor=%ff",
        "/schedules?from=%f0",
        &format!("/reservations/{id}{id}"),
        &format!("/schedules/{id}/seats"),
        &format!("/schedules/{id}/seats?available=maybe"),
        &format!("/concerts/{}", "a".repeat(5_000)),
        "//",
        "/./..",
    ] {
        let answer = ann.get(path).await;
        assert!((400..500).contains(&answer.status), "{answer}");
    }
    // What a server does not know of a query does no harm; what it answers is no failure of its own.
    for (name, value) in [
        ("X-Request-Id", &b"a b\tc"[..]),
        ("X-Request-Id", &[b'x'; 2_000]),
        ("X-Request-Id", b"\xff\xfe"),
        ("Accept-Language", &[b'k'; 4_000]),
        ("Accept-Language", b"ko;q=nonsense,,,;;;"),
        ("Accept-Encoding", b"nonsense;q=9"),
        ("Content-Type", b"\xff"),
        ("If-None-Match", b"\"\xff"),
        ("Range", b"bytes=0-18446744073709551616"),
        ("Idempotency-Key", b"\xff"),
        ("Origin", b"null"),
        ("X-Forwarded-For", b"; DROP TABLE tokens"),
    ] {
        for path in ["/wallet", "/concerts", "/schedules"] {
            let answer = ann.get(path).header(name, value).await;
            assert!(answer.status < 500, "{name}: {answer}");
            let id = answer.header("X-Request-Id");
            let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            assert!(plain && (1..=64).contains(&id.len()), "{id}");
        }
    }
    assert_eq!(shop.database().dump(), before);
}
